import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DirectoryModuleStore } from "../../../lambda/local/data/directory-module-store.ts";
import { type FailpointName, failpoints } from "../../../lambda/local/data/failpoints.ts";
import { indexFile, openIndexDatabase } from "../../../lambda/local/data/index-database.ts";
import { SqliteClaimStore } from "../../../lambda/local/data/sqlite-claim-store.ts";
import { SqliteLeaseStore } from "../../../lambda/local/data/sqlite-lease-store.ts";
import { SqliteTreeHeadStore } from "../../../lambda/local/data/sqlite-tree-head-store.ts";
import { SqliteVersionIndex } from "../../../lambda/local/data/sqlite-version-index.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { type Call, runProcesses } from "../../support/local-process.ts";

// kill -9 at every write boundary, and a look at what the next process finds.

const key = "a.example/x/@v/v1.0.0.mod";

const create: Call = ["create", key, "bytes"];
const add: Call = ["addVersion", "a.example/x", "v1.0.0"];

/** Calls that get there, and whether the last of them has landed by then. */
const rows: readonly (readonly [dieAt: FailpointName, landed: boolean, calls: readonly Call[]])[] = [
  ["store.create.before", false, [["create", key, "bytes"]]],
  ["store.create.written", false, [["create", key, "bytes"]]],
  ["store.create.linked", true, [["create", key, "bytes"]]],
  ["store.create.after", true, [["create", key, "bytes"]]],
  ["store.remove.before", false, [create, ["remove", key]]],
  ["store.remove.removed", true, [create, ["remove", key]]],
  ["store.remove.after", true, [create, ["remove", key]]],
  ["index.addVersion.before", false, [["addVersion", "a.example/x", "v1.0.0"]]],
  ["index.addVersion.after", true, [["addVersion", "a.example/x", "v1.0.0"]]],
  ["index.setFlag.before", false, [add, ["setFlag", "a.example/x", "v1.0.0", "evicted"]]],
  ["index.setFlag.after", true, [add, ["setFlag", "a.example/x", "v1.0.0", "evicted"]]],
  ["index.removeVersion.before", false, [add, ["removeVersion", "a.example/x", "v1.0.0"]]],
  ["index.removeVersion.after", true, [add, ["removeVersion", "a.example/x", "v1.0.0"]]],
  ["index.remember.before", false, [["remember", "a.example/x", "list", "text"]]],
  ["index.remember.after", true, [["remember", "a.example/x", "list", "text"]]],
  ["lease.acquire.before", false, [["acquire", "a", 100, 110]]],
  ["lease.acquire.after", true, [["acquire", "a", 100, 110]]],
  [
    "lease.renew.before",
    false,
    [
      ["acquire", "a", 100, 110],
      ["renew", "a", 1, 120],
    ],
  ],
  [
    "lease.renew.after",
    true,
    [
      ["acquire", "a", 100, 110],
      ["renew", "a", 1, 120],
    ],
  ],
  [
    "lease.release.before",
    false,
    [
      ["acquire", "a", 100, 110],
      ["release", "a", 1],
    ],
  ],
  [
    "lease.release.after",
    true,
    [
      ["acquire", "a", 100, 110],
      ["release", "a", 1],
    ],
  ],
  ["head.replace.before", false, [["replace", "sum", null, "note"]]],
  ["head.replace.after", true, [["replace", "sum", null, "note"]]],
  ["claim.claim.before", false, [["claim", "a.example/x", "v1.0.0", "h1:one"]]],
  ["claim.claim.after", true, [["claim", "a.example/x", "v1.0.0", "h1:one"]]],
];

/** What tells, for each method, that its call has landed. */
async function hasLanded(data: string, method: Call[0]): Promise<boolean> {
  const store = await DirectoryModuleStore.open(data, 0);
  const database = openIndexDatabase(join(data, indexFile));
  try {
    const index = new SqliteVersionIndex(database);
    const claims = new SqliteClaimStore(database);
    const [row] = (await index.module("a.example/x")).versions;
    const lease = await new SqliteLeaseStore(database).read("a");
    const landed: Readonly<Record<Call[0], boolean>> = {
      create: Buffer.from((await store.read(key)) ?? []).toString() === "bytes",
      remove: (await store.size(key)) === undefined,
      addVersion: row !== undefined && (await index.facts("a.example/x", "v1.0.0"))?.zipSize === 1,
      setFlag: row?.flags[0] === "evicted",
      removeVersion: row === undefined && (await index.facts("a.example/x", "v1.0.0")) === undefined,
      remember: (await index.recall("a.example/x", "list"))?.text === "text",
      acquire: lease.fence === 1,
      renew: lease.heldUntil === 120,
      release: lease.fence === 0,
      claim: (await claims.read({ path: "a.example/x", version: "v1.0.0" }))?.zip === "h1:one",
      replace: (await new SqliteTreeHeadStore(database).read("sum")) !== undefined,
    };
    return landed[method];
  } finally {
    database.close();
  }
}

test("every failpoint of the adapters has a row; reindex, migration and log-crash.test.ts, faults/audit-crash.test.ts and credential-crash.test.ts have theirs", () => {
  const mine = failpoints.filter(
    (name) => !/^(audit|credential|ruling|reindex|index\.migrate|log|pending|signed)\./.test(name),
  );
  assert.deepEqual(
    rows.map(([name]) => name),
    mine,
  );
});

for (const [dieAt, landed, calls] of rows) {
  test(`a process killed at ${dieAt} leaves the call ${landed ? "done" : "undone"}, and the next process does it`, async (t) => {
    const data = dataFolder(t);
    const method = calls.at(-1)?.[0] ?? "create";
    const [end] = await runProcesses([{ data, calls, dieAt }]);
    assert.equal(end?.signal, "SIGKILL", end?.errors);
    assert.equal(await hasLanded(data, method), landed);
    assert.deepEqual(readdirSync(join(data, "tmp")), [], "opening sweeps what the dead left");
    const [again] = await runProcesses([{ data, calls: calls.slice(-1) }]);
    assert.equal(again?.signal, null);
    assert.equal(await hasLanded(data, method), true);
  });
}

test("a process killed with a linked source leaves the source whole and the file stored", async (t) => {
  const data = dataFolder(t);
  await DirectoryModuleStore.open(data, 0);
  const source = join(data, "source");
  writeFileSync(source, "bytes");
  const [end] = await runProcesses([{ data, calls: [["create", key, null, source]], dieAt: "store.create.linked" }]);
  assert.equal(end?.signal, "SIGKILL", end?.errors);
  assert.equal(await hasLanded(data, "create"), true);
});
