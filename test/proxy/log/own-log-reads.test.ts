import assert from "node:assert/strict";
import { test } from "node:test";
import { tilePath } from "../../../lambda/golang/tile.ts";
import { recordText } from "../../../lambda/proxy/log/record-text.ts";
import type { LogRow, LogStore } from "../../../lambda/proxy/store/log-store.ts";
import { recordOf, recordsOf } from "../../support/log-records.ts";
import { LogWorld } from "../../support/log-world.ts";
import { MemoryModuleStore } from "../../support/memory-adapters.ts";
import { withFailpoints } from "../../support/with-failpoints.ts";

// What readers are told of a table that somebody changed: nothing wrong.

async function worldOf(size: number): Promise<LogWorld> {
  const world = new LogWorld();
  await world.open().append(recordsOf(size));
  return world;
}

function change({ memory }: LogWorld, place: string, changed: Partial<LogRow>): void {
  memory.placed.set(place, { ...(memory.placed.get(place) as LogRow), ...changed });
}

const tileOf = (l: number, w: number, n = 0n) => ({ h: 8, l, n, w });

test("a lookup of a record that somebody changed, or that leads to another's, is an alarm", async () => {
  const world = await worldOf(4);
  const { module } = recordOf(2);
  const right = world.memory.placed.get("0 2") as LogRow;
  change(world, "0 2", { text: Buffer.from(recordText(recordOf(2)).toString().replace("h1:", "h1:A")) });
  await assert.rejects(world.reads().lookup(module), { code: "log-damaged" });
  change(world, "0 2", { text: Buffer.from(recordText({ ...recordOf(2), zip: recordOf(1).zip })) });
  await assert.rejects(world.reads().lookup(module), { code: "log-damaged" });
  world.memory.placed.set("0 2", right);
  world.memory.numbered.set(`${module.path}@${module.version}`, 1n);
  await assert.rejects(world.reads().lookup(module), { code: "log-damaged" });
  world.memory.numbered.set(`${module.path}@${module.version}`, 2n);
  assert.equal((await world.reads().lookup(module))?.number, 2n);
});

test("no tile is made of rows that do not lead to the signed head", async () => {
  for (const [place, changed, tiles] of [
    ["0 3", { text: recordText(recordOf("forged")) }, [tileOf(-1, 256), tileOf(-1, 4)]],
    ["0 3", { hashes: [Buffer.alloc(32)] }, [tileOf(0, 256), tileOf(-1, 4), tileOf(0, 1)]],
    ["0 258", { hashes: [Buffer.alloc(32)] }, [tileOf(0, 3, 1n), tileOf(0, 1, 1n), tileOf(1, 1), tileOf(0, 256)]],
    ["1 0", { hashes: [Buffer.alloc(32)] }, [tileOf(1, 1), tileOf(0, 256)]],
  ] as const) {
    const world = await worldOf(260);
    const { hashes } = world.memory.placed.get(place) as LogRow;
    change(world, place, "hashes" in changed ? { hashes: [Buffer.alloc(32), ...hashes.slice(1)] } : changed);
    for (const tile of tiles)
      await assert.rejects(world.reads().tile(tile), { code: "log-damaged" }, `${place} ${tile.l}`);
    assert.deepEqual(
      [...world.files.files.keys()].filter((key) => key.includes("/tile/8/data/")),
      [],
    );
  }
});

/** The table, with what is read of it. */
function countedRows({ memory }: LogWorld) {
  const read: string[] = [];
  const store: LogStore = Object.assign(Object.create(memory) as LogStore, {
    range: (...place: Parameters<LogStore["range"]>) => {
      read.push(`${place[0]} from ${place[1]}`);
      return memory.range(...place);
    },
  });
  return { store, read };
}

test("a full tile is read once from the rows, then from the files, which each process proves once", async () => {
  const world = await worldOf(256);
  const before = [await world.reads().tile(tileOf(0, 256)), await world.reads().tile(tileOf(-1, 256))];
  const { store, read } = countedRows(world);
  const reads = world.reads({ store });
  assert.deepEqual([await reads.tile(tileOf(0, 256)), await reads.tile(tileOf(-1, 256))], before);
  assert.deepEqual(read, ["1 from 0", "1 from 0"], "what is above them is outgrown");
  assert.deepEqual([await reads.tile(tileOf(0, 256)), await reads.tile(tileOf(-1, 256))], before);
  assert.deepEqual(await reads.tile(tileOf(0, 5)), before[0]?.slice(0, 5 * 32));
  assert.equal(read.length, 2, "and no row after that");
});

for (const [what, damage] of [
  ["another byte", (bytes: Uint8Array) => bytes.with(40, (bytes[40] ?? 0) ^ 1)],
  ["its half", (bytes: Uint8Array) => bytes.subarray(0, bytes.length / 2)],
  ["nothing", () => new Uint8Array()],
] as const) {
  for (const asked of [tileOf(0, 256), tileOf(0, 9), tileOf(-1, 256), tileOf(-1, 9)]) {
    const kept = { ...asked, w: 256 };
    test(`a kept tile of level ${asked.l} with ${what} in it is made anew, for who wants ${asked.w}`, async () => {
      const world = await worldOf(600);
      const before = world.reads();
      const right = await before.tile(asked);
      const key = [...world.files.files.keys()].find((name) => name.endsWith(tilePath(kept))) ?? "";
      const sound = world.files.files.get(key) ?? new Uint8Array();
      // In the process that proved it and in the next.
      for (const reads of [before, world.reads()]) {
        world.files.files.set(key, new Uint8Array(damage(sound)));
        assert.deepEqual(await reads.tile(asked), right);
        assert.deepEqual(world.files.files.get(key), sound);
      }
    });
  }
}

test("a damaged tile that cannot be removed is made all the same", async () => {
  const world = await worldOf(300);
  const right = await world.reads().tile(tileOf(-1, 256));
  const files = withFailpoints(world.files, [{ method: "remove", kind: "failed" }]);
  for (const [key, bytes] of world.files.files)
    if (key.includes("/tile/")) world.files.files.set(key, new Uint8Array(bytes.length));
  assert.deepEqual(await world.reads({ files }).tile(tileOf(-1, 256)), right);
});

test("a tile that cannot be kept is made all the same", async () => {
  const world = await worldOf(300);
  const right = await world.reads().tile(tileOf(0, 256));
  const files = withFailpoints(new MemoryModuleStore(), [{ method: "create", kind: "failed" }]);
  for (let time = 0; time < 2; time++) {
    assert.deepEqual(await world.reads({ files }).tile(tileOf(0, 256)), right);
    assert.ok(await world.reads({ files }).tile(tileOf(-1, 256)));
  }
});

test("within one process appends take turns, and none is lost to another", async () => {
  const world = new LogWorld();
  const log = world.open();
  const waits = recordsOf(120).map(async (record, i) => {
    for (let turn = 0; turn < i; turn++) await new Promise((resolve) => setImmediate(resolve));
    return await log.append([record]);
  });
  assert.equal(new Set((await Promise.all(waits)).flat()).size, 120);
  assert.deepEqual([world.memory.outcomes.outgrown, world.memory.outcomes.logged], [0, 0]);
});
