import assert from "node:assert/strict";
import { test } from "node:test";
import type { ModuleVersion } from "../../../lambda/proxy/store/layout.ts";
import { ServedError, type ServedErrorCode } from "../../../lambda/proxy/store/served-error.ts";
import { takeBacklogTurn } from "../../../lambda/proxy/upkeep/backlog-turn.ts";
import { MemoryLeaseStore, MemoryTreeHeadStore } from "../../support/memory-adapters.ts";
import { MemoryRecordLog } from "../../support/memory-record-log.ts";
import { SetClock } from "../../support/set-clock.ts";

const hashes = { zip: "h1:a=", goMod: "h1:b=", proof: undefined };

/** So many stored versions, of which a page takes a while. */
function world(count: number, minutesOfPage = 0) {
  const all = Array.from({ length: count }, (_, i) => ({ path: `example.com/m${1000 + i}`, version: "v1.0.0" }));
  const log = new MemoryRecordLog();
  const clock = new SetClock();
  const pages: (string | undefined)[] = [];
  const failures: string[] = [];
  const broken = new Map<string, ServedErrorCode>();
  const parts = {
    stored: async (after: ModuleVersion | undefined, limit: number) => {
      pages.push(after?.path);
      clock.time += minutesOfPage * 60_000;
      return all.slice(after === undefined ? 0 : all.findIndex(({ path }) => path === after.path) + 1).slice(0, limit);
    },
    numbers: async (modules: readonly ModuleVersion[]) =>
      modules.map(({ path }) => (log.records.has(`${path}@v1.0.0`) ? 0n : undefined)),
    known: async (module: ModuleVersion) => {
      const code = broken.get(module.path);
      if (code !== undefined) throw new ServedError(code, "planned");
      return { module, ...hashes };
    },
    logByFiles: async () => false,
    log,
    clock,
    failed: ({ path }: ModuleVersion) => failures.push(path),
    leases: new MemoryLeaseStore(),
    heads: new MemoryTreeHeadStore(),
  };
  return { parts, log, clock, pages, failures, broken };
}

test("what was stored before there was a log is logged once, and then nothing is looked at any more", async () => {
  const { parts, log, pages } = world(250);
  assert.equal(await takeBacklogTurn(parts), "done");
  assert.deepEqual([log.records.size, pages.length], [250, 4]);
  assert.equal(await takeBacklogTurn(parts), "done");
  assert.equal(pages.length, 4);
});

test("a turn ends after eight minutes, and the next one begins behind the page before", async () => {
  const { parts, log, pages } = world(250, 5);
  assert.equal(await takeBacklogTurn(parts), "more");
  assert.deepEqual([log.records.size, pages], [200, [undefined, "example.com/m1099"]]);
  assert.equal(await takeBacklogTurn(parts), "done");
  assert.deepEqual([log.records.size, pages.slice(2)], [250, ["example.com/m1199", "example.com/m1249"]]);
});

test("a turn that dies is taken again from the page that it was at, by whoever comes after its time", async () => {
  const { parts, log, clock, pages } = world(250);
  const { stored } = parts;
  const dying = {
    ...parts,
    leases: { acquire: parts.leases.acquire.bind(parts.leases), release: async () => {} },
    stored: async (after: ModuleVersion | undefined, limit: number) => {
      if (after !== undefined) throw new Error("killed");
      return await stored(after, limit);
    },
  };
  await assert.rejects(takeBacklogTurn(dying), /killed/);
  assert.equal(await takeBacklogTurn(parts), "elsewhere");
  clock.time += 900_000;
  assert.equal(await takeBacklogTurn(parts), "done");
  assert.deepEqual([log.records.size, pages[1]], [250, "example.com/m1099"]);
});

for (const code of ["store-failed", "log-busy", "log-unsigned", "log-shorter", "checksum-unavailable"] as const) {
  test(`after ${code} a turn ends, and the page is gone through again`, async () => {
    const { parts, log, broken, failures } = world(150);
    broken.set("example.com/m1120", code);
    assert.equal(await takeBacklogTurn(parts), "failed");
    assert.deepEqual(failures, ["example.com/m1120"]);
    broken.clear();
    assert.equal(await takeBacklogTurn(parts), "done");
    assert.equal(log.records.size, 150);
  });
}

test("a version that contradicts what stands is told and passed over", async () => {
  const { parts, log, broken, failures } = world(150);
  broken.set("example.com/m1120", "claim-mismatch");
  assert.equal(await takeBacklogTurn(parts), "done");
  assert.deepEqual([failures, log.records.size], [["example.com/m1120"], 149]);
});
