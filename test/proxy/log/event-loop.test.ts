import assert from "node:assert/strict";
import { test } from "node:test";
import { dataFolder } from "../../support/data-folder.ts";
import { openLocalLog } from "../../support/local-log.ts";
import { makeLog } from "../../support/log-oracle.ts";
import { recordsOf } from "../../support/log-records.ts";
import { longestTurn } from "../../support/longest-turn.ts";

// SQLite answers at once, so that a loop over its answers would never let anybody else have a turn.

/** Milliseconds of processor time: what nobody may take at once. */
const longest = 50;

test("signing a long log, draining many records and appending many at once give everybody else their turn", async (t) => {
  const data = dataFolder(t);
  const { log, pending, database } = await openLocalLog(data);
  t.after(() => database.close());
  await makeLog({ log: { sign: async () => ({ note: new Uint8Array(), size: 0n }) }, database }, [4000]);
  for (const [what, work] of [
    ["signing", () => log.sign()],
    ["draining", async () => await log.drain()],
    ["appending", () => log.append(recordsOf(500, 10_000))],
  ] as const) {
    if (what === "draining") await pending.add(recordsOf(500, 5_000));
    const turn = await longestTurn(work);
    assert.ok(turn < longest, `${what}: ${turn} ms`);
  }
});
