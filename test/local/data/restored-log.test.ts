import assert from "node:assert/strict";
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { indexFile } from "../../../lambda/local/data/index-database.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { eventually } from "../../support/eventually.ts";
import { openLocalLog } from "../../support/local-log.ts";
import { recordOf, recordsOf } from "../../support/log-records.ts";

// What becomes of our own log when its index is lost or an older one is put back, and what was signed lies only in copies.

async function open(t: TestContext, data: string) {
  const opened = await openLocalLog(data, { copies: true });
  let isOpen = true;
  const close = () => {
    if (isOpen) opened.database.close();
    isOpen = false;
  };
  t.after(close);
  return { ...opened, close };
}

/** A folder whose log has grown to each of these sizes in turn, with a signature each. */
async function folderOf(t: TestContext, ...sizes: readonly number[]): Promise<string> {
  const data = dataFolder(t);
  const { log, close } = await open(t, data);
  for (const size of sizes) await log.append(recordsOf(size));
  close();
  return data;
}

function loseIndex(data: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(join(data, indexFile) + suffix, { force: true });
}

for (const sizes of [[1], [3, 7, 8], [256], [255, 256, 257], [100, 300, 301, 600]]) {
  test(`a lost log of ${sizes.join(", ")} records is made anew from its copies, and goes on`, async (t) => {
    const size = sizes.at(-1) ?? 0;
    const data = await folderOf(t, ...sizes);
    const before = await open(t, data);
    const head = await before.reads.head();
    const tile = { h: 8, l: -1, n: BigInt(Math.floor((size - 1) / 256)), w: ((size - 1) % 256) + 1 };
    const records = await before.reads.tile(tile);
    before.close();
    loseIndex(data);
    const { log, reads } = await open(t, data);
    assert.deepEqual(await log.restore(), { kind: "restored", records: BigInt(size) });
    assert.deepEqual(await reads.head(), head);
    assert.deepEqual(await reads.tile(tile), records);
    assert.deepEqual(await log.restore(), { kind: "whole" });
    assert.deepEqual(await log.append([recordOf(0), recordOf("new")]), [0n, BigInt(size)]);
    assert.equal((await reads.lookup(recordOf(size - 1).module))?.number, BigInt(size - 1));
  });
}

test("an older index is brought up to what was signed since", async (t) => {
  const data = await folderOf(t, 40);
  copyFileSync(join(data, indexFile), join(data, "backup"));
  const later = await open(t, data);
  for (const size of [41, 270]) await later.log.append(recordsOf(size));
  later.close();
  loseIndex(data);
  copyFileSync(join(data, "backup"), join(data, indexFile));
  const { log, reads } = await open(t, data);
  assert.deepEqual(await log.restore(), { kind: "restored", records: 230n });
  assert.equal((await reads.head())?.size, 270n);
  assert.equal((await reads.lookup(recordOf(269).module))?.number, 269n);
});

test("copies that do not lead to what was signed are not believed, and nothing is appended", async (t) => {
  const folder = (data: string) => join(data, "mod/-/log", readdirSync(join(data, "mod/-/log"))[0] ?? "");
  for (const [harm, found] of [
    // The last of the copies is gone.
    [(data: string) => rmSync(join(folder(data), "records/0000000000000000300-0000000000000000301")), 300n],
    [(data: string) => rmSync(join(folder(data), "tile/8/data/000")), 0n],
    // Another record in the place of one.
    [
      (data: string) => {
        const path = join(folder(data), "records/0000000000000000300-0000000000000000301");
        writeFileSync(path, readFileSync(path, "latin1").replaceAll("h1:", "h1:A").replaceAll(/.=\n/g, "=\n"));
      },
      301n,
    ],
  ] as const) {
    const data = await folderOf(t, 270, 300, 301);
    harm(data);
    loseIndex(data);
    const { log, store } = await open(t, data);
    assert.deepEqual(await log.restore(), { kind: "lost", found, signed: 301n });
    assert.equal(await store.head(), undefined);
    await assert.rejects(log.append([recordOf(0)]), { code: "log-shorter" });
  }
});

test("copies of signatures go when their tile is full, so that there are never many", async (t) => {
  const data = dataFolder(t);
  const { log, files } = await open(t, data);
  for (let size = 248; size <= 260; size++) await log.append(recordsOf(size));
  const keys = async () => {
    const found: string[] = [];
    for await (const key of files.keys("-/log/")) if (key.includes("/records/")) found.push(key);
    return found;
  };
  await eventually(async () => (await keys()).length === 4);
  assert.ok((await keys()).every((key) => /\/records\/0{16}25\d-0{16}2(5|6)\d$/.test(key)));
});

/** What the log says after hands changed its rows: of each record its number, and nothing but those. */
async function checkNumbers({ log, reads }: Awaited<ReturnType<typeof open>>, size: number): Promise<void> {
  assert.deepEqual(
    await log.append(recordsOf(size)),
    Array.from({ length: size }, (_, i) => BigInt(i)),
  );
  assert.equal((await reads.head())?.size, BigInt(size));
  assert.deepEqual(await log.append([recordOf("new")]), [BigInt(size)]);
  assert.equal((await reads.lookup(recordOf("new").module))?.number, BigInt(size));
}

for (const harm of [
  "DELETE FROM log_head; DELETE FROM log_row; DELETE FROM log_signed",
  "DELETE FROM log_head",
  "DELETE FROM log_head; DELETE FROM log_number",
  "DELETE FROM log_head; DELETE FROM log_number WHERE number % 3 = 0; DELETE FROM log_signed",
  "DELETE FROM log_head; DELETE FROM log_row WHERE number % 2 = 0",
]) {
  test(`rows and numbers that no head knows of are no hindrance (${harm})`, async (t) => {
    const data = await folderOf(t, 270);
    const opened = await open(t, data);
    opened.database.durable.exec(harm);
    assert.deepEqual(await opened.log.restore(), { kind: "restored", records: 270n });
    assert.deepEqual(await opened.log.restore(), { kind: "whole" });
    await checkNumbers(opened, 270);
  });
}

for (const [harm, records] of [
  ["DELETE FROM log_number WHERE number IN (0, 255, 256, 269)", 4n],
  ["DELETE FROM log_number", 270n],
  ["DELETE FROM log_number WHERE number = 3; INSERT INTO log_number VALUES ('example.com/m', 'v1.0.0', 270)", 1n],
] as const) {
  test(`a record that lost its number does not enter a second time (${harm})`, async (t) => {
    const data = await folderOf(t, 270);
    const { log, store, close, database } = await open(t, data);
    database.durable.exec(harm);
    const moved = { ...recordOf(0), zip: recordOf(1).zip };
    // While modfront runs, nothing is appended until somebody looks.
    if (!harm.includes("INSERT"))
      await assert.rejects(log.append([moved]), { code: "log-damaged", message: /by hand.*`modfront reindex`/ });
    assert.equal((await store.head())?.size, 270n);
    close();
    const next = await open(t, data);
    assert.deepEqual(await next.log.restore(), { kind: "renumbered", records });
    assert.deepEqual(await next.log.restore(), { kind: "whole" });
    await assert.rejects(next.log.append([moved]), { code: "record-mismatch" });
    await checkNumbers(next, 270);
  });
}

test("an older head has its numbers again before the rest of the log is made anew", async (t) => {
  const data = await folderOf(t, 40);
  copyFileSync(join(data, indexFile), join(data, "backup"));
  const later = await open(t, data);
  await later.log.append(recordsOf(300));
  later.close();
  loseIndex(data);
  copyFileSync(join(data, "backup"), join(data, indexFile));
  const opened = await open(t, data);
  opened.database.durable.exec("DELETE FROM log_number WHERE number = 7");
  assert.deepEqual(await opened.log.restore(), { kind: "restored", records: 260n });
  await checkNumbers(opened, 300);
});

test("numbers are not made of records that are not what the head says, nor of a log with two of one version", async (t) => {
  for (const [harm, said] of [
    [
      "DELETE FROM log_number WHERE number = 3; UPDATE log_row SET text = (SELECT text FROM log_row WHERE number = 4 AND level = 0) WHERE number = 3 AND level = 0",
      /do not lead to the root/,
    ],
    [
      "DELETE FROM log_number WHERE number = 3; INSERT INTO log_number VALUES ('example.com/m', 'v1.0.0', 3)",
      undefined,
    ],
    [
      "DELETE FROM log_number WHERE number = 3; INSERT INTO log_number VALUES ('example.com/m', 'v1.0.0', 4), ('example.com/n', 'v1.0.0', 4)",
      /are of 32 module versions/,
    ],
  ] as const) {
    const data = await folderOf(t, 30);
    const { log, database } = await open(t, data);
    database.durable.exec(harm);
    if (said === undefined) assert.deepEqual(await log.restore(), { kind: "whole" }, "that is an alarm of the lookup");
    else {
      await assert.rejects(log.restore(), { code: "log-damaged", message: said });
      await assert.rejects(log.append([recordOf("new")]), { code: "log-damaged" });
    }
  }
});

test("a row that the head does not know of is not written over, and says so", async (t) => {
  const data = await folderOf(t, 30);
  const { log, database } = await open(t, data);
  database.durable.exec(
    "INSERT INTO log_row SELECT level, 30, hashes, text, NULL, NULL FROM log_row WHERE number = 29",
  );
  await assert.rejects(log.append([recordOf("new")]), { code: "log-damaged", message: /does not know of/ });
  assert.deepEqual(await log.restore(), { kind: "whole" });
  assert.deepEqual(await log.append([recordOf("new")]), [30n]);
});
