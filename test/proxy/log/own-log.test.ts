import assert from "node:assert/strict";
import { test } from "node:test";
import { tileHeight } from "../../../lambda/golang/sumdb-tiles.ts";
import { newTiles, parseDataTile, readTileData } from "../../../lambda/golang/tile.ts";
import { checkTree, type HashReader, proveTree, storedHashes, treeHash } from "../../../lambda/golang/tlog.ts";
import { recordText } from "../../../lambda/proxy/log/record-text.ts";
import type { LogSigner } from "../../../lambda/proxy/store/log-signer.ts";
import type { LogRecord } from "../../../lambda/proxy/store/log-store.ts";
import { hashOf, recordOf, recordsOf } from "../../support/log-records.ts";
import { LogWorld } from "../../support/log-world.ts";
import { faultKinds, withFailpoints } from "../../support/with-failpoints.ts";

/** The same records in x/mod's own way: all hashes in one dense array. */
async function denseLog(records: readonly LogRecord[]): Promise<HashReader> {
  const stored: Uint8Array[] = [];
  const read: HashReader = async (indexes) => indexes.map((index) => stored[Number(index)] as Uint8Array);
  for (const [i, record] of records.entries())
    stored.push(...(await storedHashes(BigInt(i), recordText(record), read)));
  return read;
}

/** The log's records in their order, out of the rows; each is there once. */
function logged(world: LogWorld): string[] {
  const texts = Array.from({ length: Number(world.memory.kept?.size ?? 0n) }, (_, i) =>
    Buffer.from(world.memory.placed.get(`0 ${i}`)?.text ?? []).toString(),
  );
  assert.equal(new Set(texts).size, texts.length);
  return texts;
}

test("records are numbered in their order, covered by a signed head, and appended once", async () => {
  const world = new LogWorld();
  const log = world.open();
  assert.deepEqual(await log.append(recordsOf(3)), [0n, 1n, 2n]);
  assert.equal((await world.signedTree())?.n, 3n);
  assert.deepEqual(await log.append([recordOf(2), recordOf(3), recordOf(0)]), [2n, 3n, 0n]);
  assert.deepEqual(await world.open().append(recordsOf(4)), [0n, 1n, 2n, 3n]);
  assert.deepEqual(
    logged(world),
    recordsOf(4).map((record) => Buffer.from(recordText(record)).toString()),
  );
  assert.deepEqual(await log.append([]), []);
  assert.equal(world.memory.waiting.size, 0);
  assert.equal(world.signer.signed.length, 2, "what is signed is not signed again");
});

for (const size of [0, 1, 2, 255, 256, 257, 600]) {
  test(`a log of ${size} has the hashes and tiles of x/mod's, and its heads extend each other`, async () => {
    const world = new LogWorld();
    const log = world.open();
    const records = recordsOf(size);
    const heads = [];
    for (let from = 0; from < size; from += 97) {
      await log.append(records.slice(from, from + 97));
      heads.push(await world.signedTree());
    }
    await log.sign();
    const read = await denseLog(records);
    const tree = await world.signedTree();
    assert.ok(tree);
    assert.deepEqual([tree.n, Buffer.from(tree.hash)], [BigInt(size), Buffer.from(await treeHash(BigInt(size), read))]);
    for (const older of heads) {
      assert.ok(older);
      checkTree(await proveTree(tree.n, older.n, read), tree.n, tree.hash, older.n, older.hash);
    }
    const reads = world.reads();
    for (const tile of newTiles(tileHeight, 0n, BigInt(size))) {
      assert.deepEqual(
        await reads.tile(tile),
        await readTileData(tile, read),
        JSON.stringify(tile, (_, v) => String(v)),
      );
      const narrow = { ...tile, w: 1 };
      assert.deepEqual(await reads.tile(narrow), await readTileData(narrow, read));
      if (tile.l > 0) continue;
      const texts = parseDataTile(tile, (await reads.tile({ ...tile, l: -1 })) ?? new Uint8Array());
      const from = Number(tile.n) * 256;
      assert.deepEqual(
        texts.map((text) => Buffer.from(text)),
        records.slice(from, from + tile.w).map(recordText),
      );
    }
    for (const [i, record] of records.entries()) {
      const found = await reads.lookup(record.module);
      assert.equal(found?.number, BigInt(i));
      assert.deepEqual(Buffer.from(found.text), recordText(record));
      assert.ok(found.head.size > found.number);
    }
    const beyond = [
      { h: 8, l: 0, n: BigInt(size >> 8), w: (size % 256) + 1 },
      { h: 8, l: -1, n: BigInt(size >> 8) + 1n, w: 1 },
      { h: 8, l: 7, n: 0n, w: 1 },
      { h: 8, l: 0, n: 2n ** 60n, w: 256 },
      { h: 7, l: 0, n: 0n, w: 1 },
    ];
    for (const tile of beyond) assert.equal(await reads.tile(tile), undefined);
    assert.equal(await reads.lookup(recordOf("other").module), undefined);
    const full = [...world.files.files.keys()].filter((key) => key.includes("/tile/"));
    assert.equal(full.length, 2 * (size >> 8), "each full tile of hashes and of records is kept, and nothing else");
  });
}

test("other bytes under a version that has a record are refused, and both hashes are named", async () => {
  const world = new LogWorld();
  await world.open().append(recordsOf(2));
  const moved = { ...recordOf(1), zip: hashOf("moved") };
  for (const log of [world.open(), world.open()]) {
    await assert.rejects(log.append([recordOf(5), moved]), (error: Error & { code?: string }) => {
      assert.equal(error.code, "record-mismatch");
      for (const hash of [moved.zip, recordOf(1).zip, recordOf(1).goMod]) assert.ok(error.message.includes(hash));
      return true;
    });
  }
  assert.equal(world.memory.waiting.size, 0);
  // Both at once, of which the first becomes the record.
  const log = world.open();
  const [one, other] = await Promise.allSettled([
    log.append([recordOf(6)]),
    log.append([{ ...recordOf(6), goMod: hashOf("x") }]),
  ]);
  assert.deepEqual([one?.status, other?.status], ["fulfilled", "rejected"]);
  assert.equal(logged(world).length, 4);
});

test("200 at the same moment from 8 processes: each once, in few commits and few signatures", async () => {
  const world = new LogWorld();
  const processes = Array.from({ length: 8 }, () => world.open());
  const records = recordsOf(200);
  const numbers = await Promise.all(records.map((record, i) => processes[i % 8]?.append([record])));
  assert.deepEqual(
    numbers
      .flat()
      .map(Number)
      .toSorted((a, b) => a - b),
    records.map((_, i) => i),
  );
  assert.equal(logged(world).length, 200);
  assert.ok(world.memory.outcomes.committed < 20, JSON.stringify(world.memory.outcomes));
  assert.ok(world.signer.signed.length <= world.memory.outcomes.committed);
  assert.equal((await world.signedTree())?.n, 200n);
});

test("of 20 processes with a record each, those who were taken along do not sign", async () => {
  const world = new LogWorld();
  // It takes a while, in which the others come.
  const sign = async (message: Uint8Array) => {
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    return await world.signer.sign(message);
  };
  const signer = Object.assign(Object.create(world.signer) as LogSigner, { sign });
  // A turn for each millisecond.
  const sleep = async (milliseconds: number) => {
    for (let turn = 0; turn <= milliseconds; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  await Promise.all(recordsOf(20).map((record) => world.open({ signer, clock: { sleep } }).append([record])));
  assert.ok(world.memory.outcomes.committed < 5, JSON.stringify(world.memory.outcomes));
  assert.ok(world.signer.signed.length <= world.memory.outcomes.committed, String(world.signer.signed.length));
});

test("who was taken along signs when who appended does not", async () => {
  const world = new LogWorld();
  const dead = world.open({ signer: { ...world.signer, sign: () => new Promise<never>(() => {}) } as never });
  await world.open().enqueue([recordOf(0)]);
  void dead.append([recordOf(1)]);
  while (world.memory.kept === undefined) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(world.memory.waiting.size, 0, "it was taken along");
  assert.equal((await world.open().append([recordOf(0)])).length, 1);
  assert.equal((await world.signedTree())?.n, 2n);
});

test("what was left pending is taken along by the next who appends, or moved in the background", async () => {
  const world = new LogWorld();
  const log = world.open();
  await log.enqueue(recordsOf(60));
  assert.deepEqual(await log.append([recordOf("own")]), [0n]);
  assert.equal(world.memory.kept?.size, 25n);
  assert.equal(await world.open().drain(), 36);
  assert.equal(await log.drain(), 0);
  assert.equal(logged(world).length, 61);
  assert.equal((await world.signedTree())?.n, 61n);
  await log.enqueue([recordOf(3), recordOf(70)]);
  assert.equal(await log.drain(), 1, "what is logged already waits no longer");
  assert.equal(world.memory.waiting.size, 0);
});

test("what waits and contradicts a record is refused by the background, and keeps nobody else out", async () => {
  const world = new LogWorld();
  const log = world.open();
  await log.append(recordsOf(2));
  const moved = { ...recordOf(1), zip: hashOf("moved") };
  await log.enqueue([moved, recordOf(0), recordOf(5), recordOf(6)]);
  assert.deepEqual(await log.append([recordOf(3)]), [2n]);
  assert.equal(world.memory.waiting.get("corp.example/Upper/m1@v1.0.0")?.zip, moved.zip, "nobody here could be told");
  await log.enqueue([recordOf(7)]);
  await assert.rejects(log.drain(), (error: Error & { code?: string }) => {
    assert.equal(error.code, "record-mismatch");
    for (const hash of [moved.zip, recordOf(1).zip]) assert.ok(error.message.includes(hash));
    return true;
  });
  assert.equal(logged(world).length, 6);
  assert.equal((await world.signedTree())?.n, 6n);
  assert.deepEqual([world.memory.waiting.size, await log.drain()], [0, 0]);
});

test("what is no record does not enter", async () => {
  const world = new LogWorld();
  const log = world.open();
  const right = recordOf(1);
  const wrong: readonly LogRecord[] = [
    { ...right, zip: "h1:short=" },
    { ...right, goMod: `${hashOf("a")}\n` },
    { ...right, zip: `${hashOf("a")}\n\n${hashOf("b")}` },
    { ...right, module: { path: "corp.example/a\nb", version: "v1.0.0" } },
    { ...right, module: { path: "corp.example/a b", version: "v1.0.0" } },
    { ...right, module: { path: "corp.example/a", version: "v2.0.0" } },
    { ...right, module: { path: "corp.example/a", version: "main" } },
  ];
  for (const record of wrong) {
    await assert.rejects(log.append([record]), { code: "internal" });
    await assert.rejects(log.enqueue([record]), { code: "internal" });
  }
  assert.deepEqual([world.memory.kept, world.memory.waiting.size], [undefined, 0]);
  world.memory.waiting.set("hand", { ...recordOf("hand"), zip: "junk" });
  await assert.rejects(log.drain(), { code: "log-damaged" });
  assert.deepEqual(await log.append([right]), [0n], "and what somebody else made wait does not keep others out");
});

for (const kind of faultKinds) {
  for (const method of ["commit", "add", "grow", "head", "numbers", "rows", "first"]) {
    test(`${method} ${kind} once: appending again gives each record its one number`, async () => {
      const world = new LogWorld();
      await world.open().append(recordsOf(3));
      const failing = withFailpoints(world.memory, [{ method, kind, call: 1 }]);
      const log = world.open({ store: failing, pending: failing, heads: failing });
      const first = await log.append([recordOf(3), recordOf(1)]).catch((error) => error.code);
      if (method === "commit") assert.deepEqual(first, [3n, 1n], "a lost answer of a commit is decided by looking");
      else assert.ok(first === "store-failed" || Array.isArray(first), String(first));
      assert.deepEqual(await log.append([recordOf(3), recordOf(1)]), [3n, 1n]);
      assert.equal(logged(world).length, 4);
      assert.equal((await world.signedTree())?.n, 4n);
    });
  }
}

test("a commit that fails again and again is told, and the record waits for the next who appends", async () => {
  const world = new LogWorld();
  const failing = withFailpoints(world.memory, [{ method: "commit", kind: "failed" }]);
  await assert.rejects(world.open({ store: failing }).append([recordOf(0)]), { code: "store-failed" });
  assert.deepEqual(await world.open().append([recordOf(1)]), [0n]);
  assert.equal(logged(world).length, 2);
});

test("who never wins gives up, and leaves its record to the winner", async () => {
  const world = new LogWorld();
  const store = { ...bound(world), commit: async () => "outgrown" as const };
  await assert.rejects(world.open({ store }).append([recordOf(0)]), { code: "log-busy" });
  await world.open().append([recordOf(1)]);
  assert.equal(logged(world).length, 2);
});

/** The methods of the memory's log, to replace some of them. */
function bound({ memory }: LogWorld) {
  return {
    head: () => memory.head(),
    commit: memory.commit.bind(memory),
    numbers: memory.numbers.bind(memory),
    rows: memory.rows.bind(memory),
    range: memory.range.bind(memory),
  };
}

test("a row that comes after its head is read again, and never makes a shorter tile", async () => {
  const world = new LogWorld();
  await world.open().append(recordsOf(5));
  let late = 2;
  const store = {
    ...bound(world),
    range: async (level: number, from: bigint, to: bigint) => {
      const rows = [...(await world.memory.range(level, from, to))];
      if (late-- > 0) rows[3] = undefined;
      return rows;
    },
  };
  const tile = { h: 8, l: 0, n: 0n, w: 5 };
  assert.deepEqual(await world.reads({ store }).tile(tile), await world.reads().tile(tile));
  assert.ok(late < 0);
  late = 100;
  await assert.rejects(world.reads({ store }).tile(tile), { code: "log-damaged" });
});

test("lookups have a head above the record's number, or nothing until it is signed", async () => {
  const world = new LogWorld();
  const log = world.open();
  await log.append([recordOf(0)]);
  const unsigned = world.open({
    signer: { ...world.signer, sign: () => Promise.reject(new Error("throttled")) } as never,
  });
  await assert.rejects(unsigned.append([recordOf(1)]), { code: "log-unsigned" });
  assert.equal(await world.reads().lookup(recordOf(1).module), undefined);
  assert.equal((await world.reads().lookup(recordOf(0).module))?.head.size, 1n);
  assert.deepEqual(await log.append([recordOf(1)]), [1n]);
  assert.equal((await world.reads().lookup(recordOf(1).module))?.head.size, 2n);
});

test("there is a signed head of the empty log for who asks before the first record", async () => {
  const world = new LogWorld();
  assert.equal(await world.reads().head(), undefined);
  assert.equal(await world.reads().tile({ h: 8, l: 0, n: 0n, w: 1 }), undefined);
  await world.open().sign();
  assert.equal((await world.reads().head())?.size, 0n);
  await world.open().append(recordsOf(2));
  assert.equal((await world.reads().head())?.size, 2n);
});
