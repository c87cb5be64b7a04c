import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Cell, CellTable, fileKinds } from "../support/cells.ts";
import { ChecksumDatabase } from "../support/checksum-database.ts";
import { dataFolder } from "../support/data-folder.ts";
import { serveDatabase } from "../support/database-server.ts";
import { addFixture, moduleFixture } from "../support/module-fixture.ts";
import { get, startProduct, storedKeys } from "../support/product.ts";
import { ScriptedUpstream } from "../support/scripted-upstream.ts";

// Each status of an upstream, for each kind of file, in each place of a chain, behind each separator.

/** Upstream's status, ours when no other upstream has the file, and how often it is asked. */
const statuses: readonly (readonly [theirs: number, ours: number, asked: number])[] = [
  [401, 502, 1],
  [403, 403, 1],
  [404, 404, 1],
  [408, 502, 3],
  [410, 404, 1],
  [425, 502, 3],
  [429, 502, 3],
  [451, 502, 1],
  [500, 502, 3],
  [502, 502, 3],
  [503, 502, 3],
];

const chains = ["FAULTY", "FAULTY,HEALTHY", "FAULTY|HEALTHY", "ABSENT,FAULTY", "ABSENT|FAULTY"] as const;

interface StatusCell extends Cell {
  readonly expected: number;
  readonly asked: number;
}

function cellsOf(kind: Cell["kind"]): readonly StatusCell[] {
  return statuses.flatMap(([theirs, ours, asked]) =>
    chains.map((chain) => {
      // "," goes on after 404 and 410 only, "|" after any error.
      const goesOn = chain === "FAULTY|HEALTHY" || (chain === "FAULTY,HEALTHY" && ours === 404);
      const reply = { status: theirs, body: "no\n", headers: { "content-type": "text/plain" } };
      return { name: `${kind} ${theirs} in ${chain}`, kind, reply, chain, asked, expected: goesOn ? 200 : ours };
    }),
  );
}

for (const kind of fileKinds) {
  test(`statuses for ${kind} lead to the answers of the table, and to the file when the upstream is well again`, async (t) => {
    const table = await CellTable.start(t, cellsOf(kind));
    for (const [tried, { status, headers, body }] of await table.askAll()) {
      const { cell } = tried;
      assert.equal(status, cell.expected, `${cell.name}: ${body}`);
      assert.equal(headers["content-type"]?.includes("text/plain") || status === 200, true, cell.name);
      if (status !== 200) assert.ok(!table.stored(tried).includes(`.${kind}`), cell.name);
      // Of latest it is the list that is asked for first, and @latest only after a 404.
      if (kind !== "latest") assert.equal(table.count(tried), cell.asked, cell.name);
    }
    table.heal();
    for (const [{ cell }, { status, body }] of await table.askAll()) {
      assert.equal(status, 200, `${cell.name}, healed: ${body}`);
    }
  });
}

/** One status of the checksum database in a product of its own. */
async function tryDatabase(t: TestContext, theirs: number): Promise<void> {
  const module = moduleFixture("example.com/m");
  const database = new ChecksumDatabase();
  await database.add("others.example/m", 300);
  await addFixture(database, module);
  await using sumdb = await ScriptedUpstream.start();
  const data = dataFolder(t);
  const product = await startProduct({ data, config: { sumdb: { name: database.vkey, url: sumdb.url } } });
  t.after(() => product.stop());
  const lookup = `/sumdb/sum.example.com/lookup/${module.path}@${module.version}`;
  const tile = "/sumdb/sum.example.com/tile/8/0/000";
  sumdb.otherwise(() => ({ status: theirs }));
  // A lookup that the database does not know is a 404, as it is at the database itself.
  const expected = theirs === 404 || theirs === 410 ? 404 : theirs === 403 ? 403 : 502;
  const denied = await get(product.url, lookup);
  assert.equal(denied.status, expected, `lookup ${theirs}: ${denied.body}`);
  assert.deepEqual(storedKeys(data), []);

  sumdb.otherwise((request, nth) =>
    request.path.startsWith("/tile/") ? { status: theirs } : serveDatabase(database)(request, nth),
  );
  const unproven = await get(product.url, lookup);
  // A database that lacks tiles of its own log lies; that is no 404 of ours.
  assert.equal(unproven.status, theirs === 403 ? 403 : 502, `tiles ${theirs}: ${unproven.body}`);
  assert.deepEqual(storedKeys(data), []);
  assert.equal((await get(product.url, tile)).status, 404, "no head is verified yet");

  sumdb.otherwise(serveDatabase(database));
  assert.equal((await get(product.url, lookup)).status, 200, `healed after ${theirs}`);
  assert.equal((await get(product.url, tile)).status, 200);
}

test("statuses of the checksum database, for lookups and tiles", async (t) => {
  await Promise.all(statuses.map(([theirs]) => tryDatabase(t, theirs)));
});
