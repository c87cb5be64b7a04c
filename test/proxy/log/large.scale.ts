import assert from "node:assert/strict";
import { test } from "node:test";
import { dataFolder } from "../../support/data-folder.ts";
import { openLocalLog } from "../../support/local-log.ts";
import { holdAgainstXmod } from "../../support/log-oracle.ts";
import { runLogProcesses } from "../../support/log-process.ts";
import { runSchedule } from "../../support/log-schedule.ts";
import { skipWithoutGo } from "../../support/xmod.ts";

// `npm run test:log`: what takes minutes. Logs that are as large as ours will get, and many who append at once.

/** Numbers all over a log, those at the edges of tiles among them. */
function spread(size: number, count: number): number[] {
  const edges = [0, 1, 255, 256, 257, 65_535, 65_536, 65_537, size - 257, size - 2, size - 1];
  const steps = Array.from({ length: count }, (_, i) => Math.floor((i * size) / count));
  return [...new Set([...edges.filter((each) => each >= 0 && each < size), ...steps])];
}

for (const size of [65_535, 65_537, 1_000_000]) {
  test(`x/mod finds records, every tile and older head in a log of ${size}`, { skip: skipWithoutGo }, async (t) => {
    const parts = await openLocalLog(dataFolder(t));
    t.after(() => parts.database.close());
    const sizes = [1, 255, 256, 257, 1000, 65_535, 65_536, 65_537, 131_072, 777_777, size];
    const heads = [...new Set(sizes)].filter((each) => each <= size);
    await holdAgainstXmod(t, parts, { sizes: heads, lookups: spread(size, 1000) });
  });
}

test("2,000 at the same moment from 8 processes: each once", async (t) => {
  const data = dataFolder(t);
  const records = Array.from({ length: 2000 }, (_, i) => i);
  const tasks = Array.from({ length: 8 }, (_, i) => ({ data, append: records.filter((each) => each % 8 === i) }));
  const ends = await runLogProcesses(tasks);
  const results = ends.map((end) => end.results ?? assert.fail(end.errors));
  const numbers = results.flatMap((each) => each.numbers);
  assert.deepEqual(
    numbers.toSorted((a, b) => a - b),
    records,
  );
  const total = (name: "committed" | "lost" | "signed") => results.reduce((sum, { counts }) => sum + counts[name], 0);
  t.diagnostic(`${total("committed")} commits, ${total("lost")} lost, ${total("signed")} signatures`);
  assert.ok(total("committed") <= 2000 / 25 + 20);
});

test("4,000 schedules of processes whose calls fail, land unheard or come late", async (t) => {
  for (let seed = 100; seed < 4100; seed++)
    await runSchedule(seed).catch((error: unknown) => {
      t.diagnostic(`seed ${seed}`);
      throw error;
    });
});
