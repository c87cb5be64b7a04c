import assert from "node:assert/strict";
import { test } from "node:test";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import { SumdbTiles, type TileOps } from "../../lambda/golang/sumdb-tiles.ts";
import { parseTilePath, tilePath } from "../../lambda/golang/tile.ts";

/** A database that has the tiles at `paths`, filled with 1s, and a store; `log` has every call. */
function world(paths: readonly string[]) {
  const log: string[] = [];
  const stored = new Map<string, Uint8Array>();
  const ops: TileOps = {
    async readRemote(path) {
      log.push(`get ${path}`);
      if (!paths.includes(path.slice(1))) throw new CodedError("sumdb-not-found", "404");
      return new Uint8Array(parseTilePath(path.slice(1)).w * 32).fill(1);
    },
    async readTile(path) {
      log.push(`read ${path}`);
      return stored.get(path);
    },
    async writeTile(path, data) {
      log.push(`write ${path}`);
      stored.set(path, data);
    },
  };
  const tiles = new SumdbTiles(ops);
  /** What a proof does with tiles that turn out right. */
  const prove = async (path: string, fresh = false) => {
    log.length = 0;
    const proof = tiles.proof({ fresh });
    const [data] = await proof.readTiles([parseTilePath(path)]);
    await proof.saveTiles([parseTilePath(path)]);
    await proof.commit();
    return { log: [...log], data, kept: proof.usedKept };
  };
  return { log, stored, tiles, prove, ops };
}

const part = "tile/8/0/001.p/2";
const full = "tile/8/0/001";

test("a tile is fetched and stored once, then found in memory", async () => {
  const { prove } = world([part]);
  assert.deepEqual((await prove(part)).log.sort(), [`get /${part}`, `read ${full}`, `read ${part}`, `write ${part}`]);
  const again = await prove(part);
  assert.deepEqual([again.log, again.kept], [[], true]);
});

test("a stored tile is not written again", async () => {
  const { prove, stored } = world([]);
  stored.set(full, new Uint8Array(8192).fill(2));
  assert.deepEqual((await prove(full)).log, [`read ${full}`]);
});

test("a partial tile is cut from the stored full one, and then stored under its own path", async () => {
  const { prove, stored } = world([]);
  stored.set(full, new Uint8Array(8192).fill(2));
  const { data, log } = await prove(part);
  assert.deepEqual(data, new Uint8Array(64).fill(2));
  assert.deepEqual(log.sort(), [`read ${full}`, `read ${part}`, `write ${part}`]);
});

test("stored tiles of a wrong size count as none", async () => {
  const { prove, stored } = world([part]);
  stored.set(full, new Uint8Array(8191));
  stored.set(part, new Uint8Array(63));
  assert.equal((await prove(part)).kept, false);
  assert.equal(stored.get(part)?.length, 64);
});

test("the full tile is asked for when a partial one is gone, and nothing more when the full one is", async () => {
  const { prove, log } = world([full]);
  assert.deepEqual((await prove(part)).data, new Uint8Array(64).fill(1));
  const other = "tile/8/0/002";
  await assert.rejects(prove(other), { code: "sumdb-bad-tile" });
  assert.deepEqual(log, [`read ${other}`, `get /${other}`]);
});

test("a fresh proof asks the database whatever is kept, and writes over it", async () => {
  const { prove, stored } = world([full]);
  stored.set(full, new Uint8Array(8192).fill(2));
  await prove(full);
  const { log, kept, data } = await prove(full, true);
  assert.deepEqual([log, kept], [[`get /${full}`, `write ${full}`], false]);
  assert.deepEqual([stored.get(full), (await prove(full)).data], [data, data]);
});

test("nothing is stored before it is proven and committed", async () => {
  const { tiles, stored } = world([full]);
  const proof = tiles.proof({ fresh: false });
  await proof.readTiles([parseTilePath(full)]);
  await proof.commit();
  assert.equal(stored.size, 0);
});

test("memory keeps the 2,000 tiles used last", async () => {
  const paths = Array.from({ length: 2001 }, (_, n) => tilePath({ h: 8, l: 0, n: BigInt(n), w: 1 }));
  const { prove } = world(paths);
  for (const path of paths.slice(0, 2000)) await prove(path);
  assert.deepEqual((await prove(paths[0] as string)).log, []); // used: now the second is the oldest
  await prove(paths[2000] as string);
  assert.deepEqual((await prove(paths[0] as string)).log, []);
  assert.notDeepEqual((await prove(paths[1] as string)).log, []);
});

test("what readStored returns can be changed without harm", async () => {
  const { prove, tiles } = world([full]);
  await prove(full);
  (await tiles.readStored(parseTilePath(full)))?.fill(9);
  assert.deepEqual((await prove(full)).data, new Uint8Array(8192).fill(1));
});
