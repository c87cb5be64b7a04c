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

test("a table that has numbers without records is not restored, and its signed head stays away", async (t) => {
  const data = await folderOf(t, 30);
  const { log, reads, database } = await open(t, data);
  database.durable.exec("DELETE FROM log_head; DELETE FROM log_row; DELETE FROM log_signed");
  assert.deepEqual(await log.restore(), { kind: "lost", found: 0n, signed: 30n });
  assert.equal(await reads.head(), undefined);
  await assert.rejects(log.append([recordOf("new")]), { code: "log-shorter" });
});
