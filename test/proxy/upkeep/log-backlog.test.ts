import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModuleVersion } from "../../../lambda/proxy/store/layout.ts";
import { logStored } from "../../../lambda/proxy/upkeep/log-backlog.ts";
import { MemoryRecordLog } from "../../support/memory-record-log.ts";
import { SetClock } from "../../support/set-clock.ts";

const module = (i: number): ModuleVersion => ({
  path: `example.com/m${String(i).padStart(4, "0")}`,
  version: "v1.0.0",
});
const hashes = { zip: "h1:a=", goMod: "h1:b=", proof: undefined };

/** `count` stored versions; of every tenth the hashes are in its files only, of every hundredth not all files are there. */
function world(count: number, log = new MemoryRecordLog()) {
  const all = Array.from({ length: count }, (_, i) => module(i));
  const failures: string[] = [];
  const stop = new AbortController();
  const seen = { pages: 0, byFiles: 0, batches: [] as number[] };
  const append = log.append.bind(log);
  const parts = {
    stored: async (after: ModuleVersion | undefined, limit: number) => {
      seen.pages++;
      const from = after === undefined ? 0 : all.findIndex(({ path }) => path === after.path) + 1;
      return all.slice(from, from + limit);
    },
    numbers: async (modules: readonly ModuleVersion[]) => {
      assert.ok(modules.length <= 100);
      return modules.map(({ path }) => (log.records.has(`${path}@v1.0.0`) ? 0n : undefined));
    },
    known: async (each: ModuleVersion) => (/0$/.test(each.path) ? undefined : { module: each, ...hashes }),
    logByFiles: async (each: ModuleVersion) => {
      if (/00$/.test(each.path)) return false;
      seen.byFiles++;
      await append([{ module: each, ...hashes }]);
      return true;
    },
    log: {
      append: (records: Parameters<typeof append>[0]) => {
        seen.batches.push(records.length);
        return append(records);
      },
    },
    clock: new SetClock(),
    failed: ({ path }: ModuleVersion, error: unknown) => failures.push(`${path}: ${(error as Error).message}`),
    signal: stop.signal,
  };
  return { parts, log, failures, seen, stop };
}

test("all that is stored is logged, page by page, and the next time only what is missing", async () => {
  const { parts, log, seen, failures } = world(250);
  assert.equal(await logStored(parts), 247);
  assert.deepEqual([log.records.size, seen.byFiles, failures], [247, 22, []]);
  assert.ok(seen.batches.every((size) => size <= 25) && seen.batches.length <= 12);
  const again = world(253, log);
  assert.equal(await logStored(again.parts), 3);
  assert.deepEqual(again.seen.batches, [2]);
});

test("a stop ends it between two goes, and the next start goes on", async () => {
  const { parts, log, stop } = world(250);
  const { append } = parts.log;
  parts.log.append = async (records) => {
    const numbers = await append(records);
    if (log.records.size > 60) stop.abort();
    return numbers;
  };
  const logged = await logStored(parts);
  assert.ok(logged > 60 && logged < 120, `${logged}`);
  assert.equal(await logStored(world(250, log).parts), 247 - logged);
});

test("what fails is told and the rest is logged: a record that contradicts, a database that is down, a damaged file", async () => {
  const log = new MemoryRecordLog();
  await log.append([{ module: module(3), ...hashes, zip: "h1:first=" }]);
  const { parts, failures } = world(50, log);
  const { known, logByFiles } = parts;
  // As if another process had logged it since it was looked up.
  parts.numbers = async (modules) => modules.map(() => undefined);
  parts.known = async (each) => {
    if (each.path.endsWith("7")) throw new Error("the database is down");
    return known(each);
  };
  parts.logByFiles = async (each) => {
    if (each.path.endsWith("20")) throw new Error("damaged");
    return logByFiles(each);
  };
  await logStored(parts);
  assert.deepEqual(failures.map((line) => line.replace("example.com/m00", "")).toSorted(), [
    "03: example.com/m0003@v1.0.0 is h1:first=, not h1:a=",
    ...["07", "17"].map((i) => `${i}: the database is down`),
    "20: damaged",
    ...["27", "37", "47"].map((i) => `${i}: the database is down`),
  ]);
  assert.equal(log.records.size, 50 - 5 - 1 - 1);
});
