import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import type { FailpointName } from "../../../lambda/local/data/failpoints.ts";
import { type IndexDatabase, indexFile, openIndexDatabase } from "../../../lambda/local/data/index-database.ts";
import { SqliteClaimStore } from "../../../lambda/local/data/sqlite-claim-store.ts";
import { SqliteLeaseStore } from "../../../lambda/local/data/sqlite-lease-store.ts";
import { SqliteVersionIndex } from "../../../lambda/local/data/sqlite-version-index.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { type Call, runProcesses } from "../../support/local-process.ts";
import { filePath, moduleFixture, versionsPath } from "../../support/module-fixture.ts";
import { get, startProduct } from "../../support/product.ts";

// testdata/schema-1 is a data folder as modfront left it before its index had a second version: two versions of a private
// module with their zips and one without, its list, its latest, the answer to a query and to a file that is not there.

const path = "corp.example/Upper";
const pseudo = "v0.0.0-20240102030405-abcdefabcdef";

function oldFolder(t: TestContext): string {
  const data = dataFolder(t);
  cpSync(join(import.meta.dirname, "testdata/schema-1"), data, { recursive: true });
  return data;
}

function opened(t: TestContext, data: string): IndexDatabase {
  const database = openIndexDatabase(join(data, indexFile));
  t.after(() => database.close());
  return database;
}

/** What the folder's index says, which no migration may change. */
async function checkContents(database: IndexDatabase): Promise<void> {
  const index = new SqliteVersionIndex(database);
  const { versions, list, latest } = await index.module(path);
  assert.deepEqual(
    versions.filter(({ version }) => version !== "v2.0.0"),
    [pseudo, "v1.0.0", "v1.1.0"].map((version) => ({ version, firstSeen: 0, flags: [] })),
  );
  assert.equal(list?.text, "v1.0.0\nv1.1.0\n");
  assert.match(latest?.text ?? "", /"v1.1.0"/);
  assert.match((await index.recall(path, "query main"))?.text ?? "", new RegExp(pseudo));
  assert.ok(await index.recall(path, "missing v1.9.0.mod"));
  // That it was finished is forgotten, its fence 1 is not given again.
  const leases = new SqliteLeaseStore(database);
  assert.equal((await leases.read(`${path}@v1.0.0 zip`)).fence, 0);
  assert.ok(((await leases.acquire(`${path}@v1.0.0 zip`, 1, 2))?.fence ?? 0) > 1);
  await leases
    .acquire(`${path}@v1.0.0 zip`, 2, 3)
    .then((lease) => leases.release(`${path}@v1.0.0 zip`, lease?.fence ?? 0, undefined));
}

test("an index of the first version is opened with all it knows, and takes what the second is for", async (t) => {
  const data = oldFolder(t);
  const database = opened(t, data);
  assert.equal(database.wantsReindex, false);
  await checkContents(database);
  const index = new SqliteVersionIndex(database);
  assert.equal(await index.facts(path, "v1.0.0"), undefined);
  const module = { path, version: "v1.0.0" };
  const claim = { zip: "h1:a", goMod: "h1:b", info: "c" };
  await index.addVersion(path, "v1.0.0", 5, { origin: "upstream", zipSize: 7 });
  await index.setFlag(path, "v1.1.0", "yanked", true);
  await new SqliteClaimStore(database).claim(module, claim);

  const again = opened(t, data);
  const rows = (await new SqliteVersionIndex(again).module(path)).versions;
  assert.deepEqual(rows.at(1), { version: "v1.0.0", firstSeen: 0, flags: [] }, "when it was first seen is not made up");
  assert.deepEqual(rows.at(2), { version: "v1.1.0", firstSeen: 0, flags: ["yanked"] });
  assert.deepEqual(await new SqliteVersionIndex(again).facts(path, "v1.0.0"), { origin: "upstream", zipSize: 7 });
  assert.deepEqual(await new SqliteClaimStore(again).read(module), claim);
});

test("a data folder of the first version is served", async (t) => {
  const data = oldFolder(t);
  const config = { upstreams: [{ patterns: ["corp.example"], chain: "off" }], private: ["corp.example"] };
  const product = await startProduct({ data, config });
  t.after(() => product.stop());
  assert.deepEqual(product.warnings, []);
  const list = await get(product.url, `${versionsPath({ path })}/list`);
  assert.deepEqual([list.status, list.body.toString()], [200, "v1.0.0\nv1.1.0\n"]);
  for (const version of ["v1.0.0", pseudo]) {
    const module = moduleFixture(path, version);
    for (const kind of ["zip", "mod"] as const) {
      const answer = await get(product.url, filePath(module, kind));
      assert.deepEqual([answer.status, answer.body.equals(module[kind])], [200, true], filePath(module, kind));
    }
  }
});

test("processes that migrate at the same moment all get the index", async (t) => {
  const data = oldFolder(t);
  const calls: readonly Call[] = [["addVersion", path, "v2.0.0"]];
  const ends = await runProcesses(Array.from({ length: 4 }, () => ({ data, calls })));
  for (const { signal, results, errors } of ends) assert.deepEqual([signal, results, errors], [null, [null], ""]);
  const database = opened(t, data);
  await checkContents(database);
  const rows = (await new SqliteVersionIndex(database).module(path)).versions;
  assert.deepEqual(
    rows.filter(({ version }) => version === "v2.0.0"),
    [{ version: "v2.0.0", firstSeen: 1, flags: [] }],
  );
});

test("who finds that another was quicker migrates nothing a second time", async (t) => {
  const data = oldFolder(t);
  const path = join(data, indexFile);
  let other = false;
  const database = openIndexDatabase(path, (name) => {
    if (other || name !== "index.migrate.before") return;
    other = true;
    openIndexDatabase(path).close();
  });
  t.after(() => database.close());
  assert.ok(other);
  await checkContents(database);
});

const deaths: readonly FailpointName[] = ["index.migrate.before", "index.migrate.written", "index.migrate.after"];

for (const dieAt of deaths) {
  test(`a process killed at ${dieAt} leaves an index that the next one migrates`, async (t) => {
    const data = oldFolder(t);
    const [end] = await runProcesses([{ data, calls: [], dieAt }]);
    assert.equal(end?.signal, "SIGKILL", end?.errors);
    await checkContents(opened(t, data));
  });
}

test("a process of the first version, which has the index open, goes on with it", async (t) => {
  const data = oldFolder(t);
  const old = new DatabaseSync(join(data, indexFile), { timeout: 5000 });
  t.after(() => old.close());
  const add = old.prepare("INSERT INTO version (module, version) VALUES (?, ?) ON CONFLICT DO NOTHING");
  const database = opened(t, data);
  add.run(path, "v2.0.0");
  const rows = (await new SqliteVersionIndex(database).module(path)).versions;
  assert.deepEqual(rows.at(-1), { version: "v2.0.0", firstSeen: 0, flags: [] });
});
