import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeBase64 } from "../../lambda/golang/encoding.ts";
import {
  cutTile,
  hashFromTile,
  newTiles,
  parseDataTile,
  parseTilePath,
  readTileData,
  type Tile,
  tileForIndex,
  tileHashReader,
  tilePath,
} from "../../lambda/golang/tile.ts";
import {
  proveRecord,
  proveTree,
  recordHash,
  splitStoredHashIndex,
  storedHashCount,
  storedHashes,
  storedHashIndex,
  treeHash,
} from "../../lambda/golang/tlog.ts";
import { assertAgrees, type Question } from "../support/agree.ts";
import { edges, syntheticHash, syntheticLog } from "../support/synthetic-log.ts";
import { skipWithoutGo } from "../support/xmod.ts";

const bytes = (text: string) => new Uint8Array(Buffer.from(text));

const paths: readonly (readonly [path: string, tile: Tile | undefined])[] = [
  ["tile/4/0/001", { h: 4, l: 0, n: 1n, w: 16 }],
  ["tile/4/0/001.p/5", { h: 4, l: 0, n: 1n, w: 5 }],
  ["tile/3/5/x123/x456/078", { h: 3, l: 5, n: 123456078n, w: 8 }],
  ["tile/3/5/x123/x456/078.p/2", { h: 3, l: 5, n: 123456078n, w: 2 }],
  ["tile/1/data/x003/x057/500", { h: 1, l: -1, n: 3057500n, w: 2 }],
  ["tile/8/0/x009/x223/x372/x036/x854/x775/807", { h: 8, l: 0, n: 2n ** 63n - 1n, w: 256 }],
  ["tile/8/0/x009/x223/x372/x036/x854/x775/808", undefined],
  ["tile/30/63/000.p/1073741823", { h: 30, l: 63, n: 0n, w: 2 ** 30 - 1 }],
  ["tile/3/5/123/456/078", undefined],
  ["tile/3/-1/x123/x456/078", undefined],
  ["tile/8/0/x000/001", undefined], // one element would do
  ["tile/8/0/x001/x002/x003", undefined],
  ["tile/8/0/1", undefined],
  ["tile/8/0/0001", undefined],
  ["tile/8/0/", undefined],
  ["tile/8/0", undefined],
  ["/tile/8/0/001", undefined],
  ["tile/8/0/001/", undefined],
  ["tile/8/0/001\n", undefined],
  ["tile/08/0/001", undefined],
  ["tile/8/00/001", undefined],
  ["tile/+8/0/001", undefined],
  ["tile/0/0/001", undefined],
  ["tile/31/0/001", undefined],
  ["tile/8/0/001.p/0", undefined],
  ["tile/8/0/001.p/01", undefined],
  ["tile/8/0/001.p/256", undefined], // a full tile has no width
  ["tile/8/0/001.p/257", undefined],
  ["tile/8/0/001.p/", undefined],
  ["tile/8/0/001.p", undefined],
  ["tile/8/0.p/1", undefined],
  ["tile/8/data/x001/..", undefined],
  ["lookup/8/0/001", undefined],
  [`tile/8/0/${"x001/".repeat(100_000)}001`, undefined],
  ["", undefined],
];

test("tilePath and parseTilePath are inverse; nothing else is a path", () => {
  for (const [path, tile] of paths) {
    if (tile === undefined)
      assert.throws(() => parseTilePath(path), { code: "tile-malformed-path" }, path.slice(0, 99));
    else assert.deepEqual([parseTilePath(path), tilePath(tile)], [tile, path]);
  }
});

/** A log of `size` records read from tiles of height 2, as it is published: newTiles after each record. */
async function publish(size: number) {
  const stored: Uint8Array[] = [];
  const read = async (indexes: readonly bigint[]) => indexes.map((index) => stored[Number(index)] as Uint8Array);
  const tiles = new Map<string, Uint8Array>();
  const roots = [await treeHash(0n, read)];
  for (let i = 0; i < size; i++) {
    stored.push(...(await storedHashes(BigInt(i), bytes(`leaf ${i}`), read)));
    for (const tile of newTiles(2, BigInt(i), BigInt(i + 1))) tiles.set(tilePath(tile), await readTileData(tile, read));
    roots.push(await treeHash(BigInt(i + 1), read));
  }
  const saved = new Set<string>();
  const reader = {
    height: 2,
    readTiles: async (asked: readonly Tile[]) => asked.map((tile) => tiles.get(tilePath(tile)) as Uint8Array),
    saveTiles: async (list: readonly Tile[]) => {
      for (const tile of list) saved.add(tilePath(tile));
    },
  };
  return { stored, read, tiles, roots, reader, saved };
}

test("everything can be read and proven from published tiles, at every size", async () => {
  const { stored, read, roots, reader } = await publish(50);
  for (let size = 1; size <= 50; size++) {
    const n = BigInt(size);
    const fromTiles = tileHashReader({ n, hash: roots[size] as Uint8Array }, reader);
    const all = Array.from({ length: Number(storedHashCount(n)) }, (_, i) => BigInt(i));
    assert.deepEqual(await fromTiles(all), stored.slice(0, all.length), `size ${size}`);
    for (const older of [1n, n / 2n, n].filter((older) => older > 0n)) {
      assert.deepEqual(await treeHash(older, fromTiles), roots[Number(older)]);
      assert.deepEqual(await proveTree(n, older, fromTiles), await proveTree(n, older, read));
      assert.deepEqual(await proveRecord(n, older - 1n, fromTiles), await proveRecord(n, older - 1n, read));
    }
    await assert.rejects(fromTiles([storedHashCount(n)]), { code: "tile-invalid-input" });
  }
});

test("the empty tree needs no tile and has one hash", async () => {
  const { roots, reader } = await publish(0);
  assert.deepEqual(await tileHashReader({ n: 0n, hash: roots[0] as Uint8Array }, reader)([]), []);
  await assert.rejects(tileHashReader({ n: 0n, hash: new Uint8Array(32) }, reader)([]), { code: "tile-inconsistent" });
});

test("a changed byte or a wrong size of any tile is noticed and nothing is saved", async () => {
  const { roots, reader, tiles, saved } = await publish(23);
  const fromTiles = tileHashReader({ n: 23n, hash: roots[23] as Uint8Array }, reader);
  const asked = ["tile/2/2/000.p/1", "tile/2/1/001.p/1", "tile/2/0/005.p/3", "tile/2/1/000", "tile/2/0/000"];
  for (const path of asked) {
    const right = tiles.get(path) as Uint8Array;
    for (let at = 0; at < right.length; at += 31) {
      tiles.set(
        path,
        right.map((byte, i) => (i === at ? byte ^ 4 : byte)),
      );
      await assert.rejects(fromTiles([0n]), { code: "tile-inconsistent" }, `${path} byte ${at}`);
    }
    for (const wrong of [right.subarray(1), Buffer.concat([right, bytes("x")]), bytes("")]) {
      tiles.set(path, wrong);
      await assert.rejects(fromTiles([0n]), { code: "tile-malformed-data" }, path);
    }
    tiles.set(path, right);
  }
  assert.equal(saved.size, 0);
  await fromTiles([0n]);
  assert.deepEqual([...saved], asked);
});

test("hashFromTile refuses data that is too short and indexes of other tiles", () => {
  const tile = { h: 2, l: 0, n: 1n, w: 3 };
  const data = new Uint8Array(96).fill(7);
  assert.deepEqual(hashFromTile(tile, data, storedHashIndex(0, 6n)), new Uint8Array(32).fill(7));
  assert.throws(() => hashFromTile(tile, data.subarray(1), storedHashIndex(0, 6n)), { code: "tile-malformed-data" });
  for (const index of [storedHashIndex(0, 3n), storedHashIndex(0, 7n), storedHashIndex(2, 1n)]) {
    assert.throws(() => hashFromTile(tile, data, index), { code: "tile-invalid-input" }, String(index));
  }
});

test("cutTile takes the narrower tile out of a wider one", () => {
  const hashes = Uint8Array.from({ length: 4 * 32 }, (_, i) => i);
  assert.deepEqual(cutTile({ h: 2, l: 1, n: 9n, w: 3 }, hashes), hashes.slice(0, 96));
  assert.throws(() => cutTile({ h: 2, l: 1, n: 9n, w: 3 }, hashes.subarray(0, 95)), { code: "tile-malformed-data" });
  const records = bytes("a\nb\n\nc\n\nd\n\n");
  assert.deepEqual(cutTile({ h: 2, l: -1, n: 9n, w: 2 }, records), bytes("a\nb\n\nc\n\n"));
  assert.throws(() => cutTile({ h: 2, l: -1, n: 9n, w: 4 }, records), { code: "tile-malformed-data" });
});

test("parseDataTile takes exactly w records", () => {
  const tile = { h: 2, l: -1, n: 0n, w: 2 };
  const rows: readonly (readonly [data: string, texts: readonly string[] | undefined])[] = [
    ["a\nb\n\nc\n\n", ["a\nb\n", "c\n"]],
    ["a\n\n", undefined],
    ["a\n\nb\n\nc\n\n", undefined],
    ["a\n\nb\n", undefined],
    ["a\n\nb\n\n\n", undefined],
    ["a\n\nb\tc\n\n", undefined],
    ["", undefined],
  ];
  for (const [data, texts] of rows) {
    if (texts === undefined)
      assert.throws(() => parseDataTile(tile, bytes(data)), { code: "tile-malformed-data" }, data);
    else assert.deepEqual(parseDataTile(tile, bytes(data)), texts.map(bytes));
  }
});

test("places and paths of tiles agree with x/mod beyond 2^53", { skip: skipWithoutGo }, async () => {
  const heights = [1, 2, 7, 8, 10, 30];
  const indexes = [...Array.from({ length: 100 }, (_, i) => BigInt(i)), ...edges, ...edges.map((n) => n / 3n)];
  const part = fc.constantFrom("tile", "8", "0", "x001", "001", "data", "000.p", "001.p", "7", "-1", "", "1");
  const likely = fc
    .sample(fc.array(part, { minLength: 2, maxLength: 5 }), 200)
    .map((parts) => `tile/${parts.join("/")}`);
  const inLine = ({ h, l, n, w }: Tile) => `${h} ${l} ${n} ${w}`;
  await assertAgrees([
    ...heights.flatMap((h) =>
      indexes.map((index) => ({
        fn: "tile.tileForIndex",
        args: [String(h), String(index)],
        ours: () => `${inLine(tileForIndex(h, index))} ${tilePath(tileForIndex(h, index))}`,
      })),
    ),
    ...[...paths.map(([path]) => path), ...likely].map((path) => ({
      fn: "tile.parseTilePath",
      args: [path],
      ours: () => inLine(parseTilePath(path)),
    })),
    ...edges.flatMap((n) =>
      [0n, 1n, 300n].map((grown) => ({
        fn: "tile.newTiles",
        args: ["8", String(n), String(n + grown)],
        ours: () => newTiles(8, n, n + grown).map(tilePath),
      })),
    ),
  ]);
});

test("tiles' contents agree with x/mod, and the tiles that reading asks for", { skip: skipWithoutGo }, async () => {
  const questions: Question[] = [];
  for (const n of edges) {
    const index = storedHashIndex(0, n);
    const tile = tileForIndex(8, index);
    const data = await readTileData(tile, syntheticLog);
    questions.push(
      { fn: "tile.readTileData", args: [tilePath(tile)], ours: () => encodeBase64(data) },
      {
        fn: "tile.hashFromTile",
        args: [tilePath(tile), encodeBase64(data), String(index)],
        ours: () => encodeBase64(hashFromTile(tile, data, index)),
      },
    );
    assert.deepEqual(hashFromTile(tile, data, index), syntheticHash(index));
    const asked = [n / 2n, n - 1n].filter((record) => record >= 0n).map((record) => storedHashIndex(0, record));
    questions.push({
      fn: "tile.tilesAsked",
      args: [String(n), ...asked.map(String)],
      ours: () => (n === 0n ? [] : tilesAsked(n, asked)),
    });
  }
  await assertAgrees(questions);
});

async function tilesAsked(n: bigint, indexes: readonly bigint[]): Promise<string[]> {
  const asked: string[] = [];
  const readTiles = async (tiles: readonly Tile[]) => {
    asked.push(...tiles.map(tilePath));
    return [];
  };
  const reader = { height: 8, readTiles, saveTiles: async () => {} };
  // No tile is what was asked for.
  const hashes = tileHashReader({ n, hash: new Uint8Array(32) }, reader);
  await assert.rejects(hashes(indexes), { code: "tile-invalid-input" });
  return asked;
}

test("a hash in the middle of a tile is computed from the leaves below it", async () => {
  const { tiles, stored } = await publish(8);
  const index = storedHashIndex(1, 3n);
  assert.deepEqual(splitStoredHashIndex(index), { level: 1, n: 3n });
  const tile = { h: 2, l: 0, n: 1n, w: 4 };
  assert.deepEqual(hashFromTile(tile, tiles.get("tile/2/0/001") as Uint8Array, index), stored[Number(index)]);
  assert.deepEqual(tiles.get("tile/2/0/001")?.slice(96), recordHash(bytes("leaf 7")));
});
