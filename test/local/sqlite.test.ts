import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { DirectoryModuleStore } from "../../lambda/local/directory-module-store.ts";
import { openIndexDatabase } from "../../lambda/local/index-database.ts";
import { SqliteHeadStore } from "../../lambda/local/sqlite-head-store.ts";
import { SqliteLeaseStore } from "../../lambda/local/sqlite-lease-store.ts";
import { SqliteVersionIndex } from "../../lambda/local/sqlite-version-index.ts";

test("the adapters of one data folder do their first steps", async () => {
  const data = mkdtempSync(join(tmpdir(), "modfront-"));
  const store = await DirectoryModuleStore.open(data, 0);
  assert.equal(await store.create("a/@v/v1.info", new Uint8Array([1])), true);
  assert.equal(await store.create("a/@v/v1.info", new Uint8Array([2])), false);
  assert.deepEqual(await store.read("a/@v/v1.info"), new Uint8Array([1]));
  const database = openIndexDatabase(join(data, "index.sqlite"));
  const index = new SqliteVersionIndex(database);
  await index.addVersion("a", "v1.0.0");
  await index.remember("a", "missing x", { text: "", freshUntil: 5 });
  await index.remember("a", "list", { text: "v1.0.0\n", freshUntil: 5 });
  assert.deepEqual(await index.module("a"), {
    versions: ["v1.0.0"],
    list: { text: "v1.0.0\n", freshUntil: 5 },
    latest: undefined,
  });
  const leases = new SqliteLeaseStore(database);
  assert.deepEqual(await leases.acquire("a", 10, 20), { fence: 1, heldUntil: 20, failure: undefined });
  assert.equal(await leases.acquire("a", 19, 30), undefined);
  const heads = new SqliteHeadStore(database);
  assert.equal(await heads.replace("db", undefined, new Uint8Array([1])), true);
  assert.equal(await heads.replace("db", new Uint8Array([1]), new Uint8Array([2])), true);
  assert.deepEqual(await heads.read("db"), new Uint8Array([2]));
  database.close();
});
