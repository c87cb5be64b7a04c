import assert from "node:assert/strict";
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  type IndexDatabase,
  indexFile,
  markFilled,
  openIndexDatabase,
} from "../../../lambda/local/data/index-database.ts";
import { claimStatements } from "../../../lambda/local/data/sqlite-claim-store.ts";
import { leaseStatements, SqliteLeaseStore } from "../../../lambda/local/data/sqlite-lease-store.ts";
import { logStatements } from "../../../lambda/local/data/sqlite-log-store.ts";
import { pendingStatements } from "../../../lambda/local/data/sqlite-pending-records.ts";
import { transact } from "../../../lambda/local/data/sqlite-schema.ts";
import { signedHeadStatements } from "../../../lambda/local/data/sqlite-signed-heads.ts";
import { headStatements, SqliteTreeHeadStore } from "../../../lambda/local/data/sqlite-tree-head-store.ts";
import {
  SqliteVersionIndex,
  sweepMemories,
  versionIndexStatements,
} from "../../../lambda/local/data/sqlite-version-index.ts";
import { unfinishedFillStatements } from "../../../lambda/local/data/unfinished-fills.ts";
import type { SharedFailure } from "../../../lambda/proxy/store/lease-store.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { readOnlyView, smallDisk } from "../../support/mounts.ts";
import { storedVersions } from "../../support/stored-versions.ts";

// What only SQLite promises: its plans, its durability, and what its failures are called.

function opened(t: { after(work: () => void): void }, data: string): IndexDatabase {
  const database = openIndexDatabase(join(data, indexFile));
  t.after(() => database.close());
  return database;
}

/** How SQLite carries out a statement, step by step. */
function plan({ quick }: IndexDatabase, sql: string): readonly string[] {
  const steps = quick.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as unknown as readonly { readonly detail: string }[];
  return steps.map(({ detail }) => detail);
}

test("no statement reads more rows than it needs: each goes by a key", (t) => {
  const database = opened(t, dataFolder(t));
  const { first, ...pending } = pendingStatements;
  const tables = [
    ...[versionIndexStatements, leaseStatements, headStatements, claimStatements],
    ...[logStatements, pending, signedHeadStatements],
  ];
  for (const [name, sql] of tables.flatMap((statements) => Object.entries(statements))) {
    for (const step of plan(database, sql)) assert.doesNotMatch(step, /\bSCAN\b|TEMP B-TREE/, name);
  }
  // In the order of its rows, and ended by its limit.
  assert.deepEqual(plan(database, first), ["SCAN log_pending"]);
  // The repair at start reads an index that has only what it looks for.
  assert.deepEqual(plan(database, unfinishedFillStatements.find), ["SCAN lease USING INDEX lease_unfinished"]);
  // Rows clustered by module: beside a million others it costs one way down the tree, as alone.
  const { module, versions } = versionIndexStatements;
  assert.deepEqual(
    [...plan(database, versions), ...plan(database, module)],
    ["SEARCH version USING PRIMARY KEY (module=?)", "SEARCH memory USING PRIMARY KEY (module=? AND name=?)"],
  );
});

test("an index is made once, in WAL mode, and what is acknowledged waits for the disk", (t) => {
  const data = dataFolder(t);
  const first = opened(t, data);
  const second = opened(t, data);
  assert.deepEqual([first.wantsReindex, second.wantsReindex], [true, true]);
  markFilled(second);
  assert.equal(opened(t, data).wantsReindex, false);
  const pragma = (database: IndexDatabase["quick"], name: string) =>
    Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  assert.deepEqual(
    [first.quick, first.durable].map((each) => [pragma(each, "journal_mode"), pragma(each, "synchronous")]),
    [
      ["wal", 1],
      ["wal", 2],
    ],
  );
  assert.equal(pragma(first.quick, "busy_timeout"), 5000);
});

test("an index of a newer modfront is refused", (t) => {
  const data = dataFolder(t);
  opened(t, data).durable.exec("PRAGMA user_version = 1000");
  assert.throws(() => openIndexDatabase(join(data, indexFile)), { code: "index-too-new", message: /newer modfront/ });
});

test("memories of what is missing do not grow without bound; lists, latest and leases stay", async (t) => {
  const database = opened(t, dataFolder(t));
  const index = new SqliteVersionIndex(database);
  const day = 86_400_000;
  await index.remember("m", "list", { text: "list", freshUntil: 1 });
  await index.remember("m", "latest", { text: "latest", freshUntil: 1 });
  await index.remember("m", "query main", { text: "query", freshUntil: 1 });
  await new SqliteLeaseStore(database).acquire("m@v1.0.0", 0, 1);
  const rows = () => Number(database.quick.prepare("SELECT count(*) AS n FROM memory").get()?.n) - 3;
  for (let i = 0; i < 100; i++) await index.remember("m", `missing ${i}`, { text: "", freshUntil: 1000 + i });
  assert.equal(rows(), 100, "fresh, and stale for less than a day");
  await index.remember("m", "missing edge", { text: "", freshUntil: 1000 + day });
  assert.equal(rows(), 101);
  for (let i = 0; i < 40; i++) await index.remember("m", `missing new ${i}`, { text: "", freshUntil: 3 * day });
  assert.equal(rows(), 40);
  for (const name of ["list", "latest", "query main"] as const) assert.ok(await index.recall("m", name), name);
  for (let i = 0; i < 11; i++) await index.remember("m", `missing ${i}`, { text: "", freshUntil: 31 * day });
  assert.equal(await index.recall("m", "query main"), undefined);
  assert.ok(await index.recall("m", "list"));
  assert.equal((await new SqliteLeaseStore(database).read("m@v1.0.0")).fence, 1);
});

test("memories whose time is over go also when nobody makes new ones", async (t) => {
  const database = opened(t, dataFolder(t));
  const index = new SqliteVersionIndex(database);
  const day = 86_400_000;
  for (let i = 0; i < 20; i++) await index.remember("m", `missing ${i}`, { text: "", freshUntil: 1000 });
  await index.remember("m", "list", { text: "list", freshUntil: 1000 });
  const rows = () => Number(database.quick.prepare("SELECT count(*) AS n FROM memory").get()?.n);
  sweepMemories(database, 1000 + day);
  assert.equal(rows(), 21);
  sweepMemories(database, 1001 + day);
  assert.equal(rows(), 1);
});

test("a miss leaves no lease behind, and of failures the last thousand", async (t) => {
  const database = opened(t, dataFolder(t));
  const leases = new SqliteLeaseStore(database);
  const rows = () => Number(database.quick.prepare("SELECT count(*) AS n FROM lease").get()?.n);
  const end = async (name: string, failure?: SharedFailure) => {
    const lease = await leases.acquire(name, 100, 110);
    await leases.release(name, lease?.fence ?? 0, failure);
  };
  for (let i = 0; i < 50; i++) await end(`m@v1.0.${i} zip`);
  assert.equal(rows(), 0);
  await end("m@v2.0.0 zip", { code: "store-failed", message: "the disk is full" });
  for (let i = 0; i < 1_500; i++) await end(`m@v1.1.${i} zip`, { code: "not-found", message: "" });
  assert.equal(rows(), 1_002);
  assert.equal((await leases.read("m@v2.0.0 zip")).failure?.code, "store-failed", "for the next start");
});

test("a full disk is store-failed, and whoever is told nothing else got nothing", async (t) => {
  const data = smallDisk(t, 1 << 20);
  if (data === undefined) return;
  const database = opened(t, data);
  const [index, leases, heads] = [
    new SqliteVersionIndex(database),
    new SqliteLeaseStore(database),
    new SqliteTreeHeadStore(database),
  ];
  let filled = 0;
  const full = { code: "store-failed", message: "the disk of the data folder is full" };
  const fill = async () => {
    for (; ; filled++) await leases.acquire(`lease ${filled}`, 0, 10);
  };
  writeFileSync(join(data, "ballast"), Buffer.alloc(600 << 10));
  await assert.rejects(fill(), full);
  assert.ok(filled > 0);
  assert.equal((await leases.read(`lease ${filled}`)).fence, 0);
  // Of several pages each: the one page that a failed write got may still be there for a smaller one.
  const long = "x".repeat(20_000);
  await assert.rejects(index.addVersion("m", long, 1, {}), full);
  await assert.rejects(index.remember("m", "list", { text: long, freshUntil: 1 }), full);
  await assert.rejects(heads.replace("sum", undefined, Buffer.from(long)), full);
  assert.deepEqual(await index.module("m"), { versions: [], list: undefined, latest: undefined });
  assert.equal(await heads.read("sum"), undefined);
  writeFileSync(join(data, "ballast"), "");
  await index.addVersion("m", "v1.0.0", 1, {});
  assert.deepEqual(await storedVersions(index, "m"), ["v1.0.0"], "it works again when there is room");
});

test("an index on a read-only disk is store-failed in words", async (t) => {
  const data = dataFolder(t);
  openIndexDatabase(join(data, indexFile)).close();
  const at = readOnlyView(t, data);
  if (at === undefined) return;
  assert.throws(
    () => openIndexDatabase(join(at, indexFile)),
    (error: Error & { code?: unknown }) => {
      assert.equal(error.code, "store-failed");
      return /data folder/.test(error.message) && !error.message.includes(at);
    },
  );
});

test("damage that comes while the index is open is store-failed and says what to do", async (t) => {
  const data = dataFolder(t);
  const path = join(data, indexFile);
  const filled = openIndexDatabase(path);
  const add = filled.durable.prepare(versionIndexStatements.addVersion);
  transact(filled.durable, () => {
    for (let i = 0; i < 5000; i++) add.run(`m${i}`, "v1.0.0", 1, 0);
  });
  filled.close();
  const database = opened(t, data);
  const content = readFileSync(path);
  writeFileSync(path, content.fill(0xa5, 4096 * 6), { flag: "r+" });
  const index = new SqliteVersionIndex(database);
  const reads = Promise.all(Array.from({ length: 5000 }, (_, i) => storedVersions(index, `m${i}`)));
  await assert.rejects(reads, { code: "store-failed", message: /modfront reindex/ });
});

test("an index that a killed process left with its log is whole", async (t) => {
  const data = dataFolder(t);
  const database = opened(t, data);
  await new SqliteVersionIndex(database).addVersion("m", "v1.0.0", 1, {});
  // What kill -9 leaves behind: the files as they are, nobody having closed them.
  const copy = dataFolder(t);
  for (const name of readdirSync(data)) copyFileSync(join(data, name), join(copy, name));
  assert.deepEqual(await storedVersions(new SqliteVersionIndex(opened(t, copy)), "m"), ["v1.0.0"]);
});
