import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { indexFile, openIndexDatabase } from "../../../lambda/local/data/index-database.ts";
import { reindex } from "../../../lambda/local/data/reindex.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { openLocalLog } from "../../support/local-log.ts";
import { recordOf, recordsOf } from "../../support/log-records.ts";

// What becomes of our own log when the index that it lies in is damaged and built anew.

const count = 300;

/** A data folder with a log of 300 records, one that waits, and an index that SQLite calls damaged though it can be read. */
async function damagedFolder(t: TestContext, change: string): Promise<string> {
  const data = dataFolder(t);
  const { log, database } = await openLocalLog(data);
  await log.append(recordsOf(count));
  await log.enqueue([recordOf("waits")]);
  database.durable.exec(change);
  database.close();
  const path = join(data, indexFile);
  const content = readFileSync(path);
  content.set([0, 0, 0, 99], 36);
  writeFileSync(path, content);
  assert.throws(() => openIndexDatabase(path), { code: "index-damaged" });
  const counts = await reindex({ data, now: 0, readHead: () => undefined, isPrivate: () => false });
  assert.equal(counts.movedAside, `${indexFile}.damaged-1`);
  return data;
}

test("a log that can be read whole goes on", async (t) => {
  const data = await damagedFolder(t, "SELECT 1");
  const { log, reads, database } = await openLocalLog(data);
  t.after(() => database.close());
  assert.deepEqual(await log.append([recordOf(7), recordOf("new")]), [7n, 300n]);
  await log.drain();
  assert.equal((await reads.head())?.size, 302n);
  assert.equal((await reads.lookup(recordOf("waits").module))?.number, 301n);
});

for (const change of [
  "DELETE FROM log_row WHERE level = 0 AND number = 299",
  "DELETE FROM log_row WHERE level = 0 AND number = 17",
  "DELETE FROM log_row WHERE level = 1",
  "DELETE FROM log_number WHERE number = 17",
  "DELETE FROM log_head",
]) {
  test(`a log of which something is missing (${change}) is refused under its name, and begins anew under another`, async (t) => {
    const data = await damagedFolder(t, change);
    const { log, database } = await openLocalLog(data);
    await assert.rejects(log.append([recordOf(7)]), { code: "log-shorter", message: /log\.name/ });
    database.close();
    const renamed = await openLocalLog(data, { name: "new.corp.example" });
    t.after(() => renamed.database.close());
    assert.deepEqual((await renamed.log.append([recordOf(7)]))[0], 0n);
    assert.equal((await renamed.reads.lookup(recordOf(7).module))?.number, 0n);
  });
}
