// Port of golang.org/x/mod/sumdb/tlog (tile.go): a log's hashes in files of fixed size.

import { CodedError } from "./coded-error.ts";
import { parseDecimal } from "./encoding.ts";
import {
  emptyHash,
  equalHashes,
  type HashReader,
  hashSize,
  isValidRecordText,
  nodeHash,
  type Subtree,
  splitStoredHashIndex,
  storedHashIndex,
  subtrees,
  type Tree,
  writeNodeHash,
} from "./tlog.ts";

/** What can be wrong with tiles: the path, the data's size, the coordinates asked for, the hashes inside. */
export type TileErrorCode = "tile-malformed-path" | "tile-malformed-data" | "tile-invalid-input" | "tile-inconsistent";

/**
 * The place of `w` consecutive hashes at level h·l of the log's tree, from hash n·2^h of that level on.
 *
 * `h` is 1 to 30, `w` is 1 to 2^h (a full tile), `l` counts from 0; level -1 holds the records themselves.
 */
export interface Tile {
  readonly h: number;
  readonly l: number;
  readonly n: bigint;
  readonly w: number;
}

/** Returns the narrowest tile of height `h` in which the hash at a stored hash index is, or can be computed from. */
export function tileForIndex(h: number, index: bigint): Tile {
  return locate(h, splitStoredHashIndex(index)).tile;
}

/** The tile of a subtree's hash and which of its own hashes, start (inclusive) to end (exclusive), are the leaves below it. */
function locate(h: number, subtree: Subtree): { readonly tile: Tile; readonly start: number; readonly end: number } {
  checkInput(h >= 1 && h <= 30);
  const l = Math.floor(subtree.level / h);
  const level = subtree.level - l * h;
  const n = subtree.n >> BigInt(h - level);
  const inTile = Number(BigInt.asUintN(h - level, subtree.n));
  const end = (inTile + 1) * 2 ** level;
  return { tile: { h, l, n, w: end }, start: inTile * 2 ** level, end };
}

/**
 * Returns the hash at a stored hash index out of the data of its tile (tileForIndex, or a wider one).
 *
 * Throws "tile-malformed-data" for data shorter than the tile, "tile-invalid-input" when the hash is elsewhere.
 */
export function hashFromTile(tile: Tile, data: Uint8Array, index: bigint): Uint8Array {
  checkInput(tile.h >= 1 && tile.h <= 30 && tile.l >= 0 && tile.l < 64 && tile.w >= 1 && tile.w <= 2 ** tile.h);
  if (data.length < tile.w * hashSize) throw malformedData(tile);
  const { tile: own, start, end } = locate(tile.h, splitStoredHashIndex(index));
  checkInput(tile.l === own.l && tile.n === own.n && tile.w >= own.w);
  return tileHash(data.subarray(start * hashSize, end * hashSize));
}

/** The hash of the subtree whose leaves are in data; their number is a power of two. */
function tileHash(data: Uint8Array): Uint8Array {
  const hashes = Buffer.from(data);
  for (let end = data.length; end > hashSize; end /= 2) {
    for (let at = 0; at < end; at += 2 * hashSize) writeNodeHash(hashes, at, at / 2);
  }
  return new Uint8Array(hashes.subarray(0, hashSize));
}

const rememberedHashes = new WeakMap<Uint8Array, Map<string, Uint8Array>>();

/**
 * tileHash of the leaves start (inclusive) to end (exclusive) of data that does not change.
 *
 * A proof walks the same edge and parent tiles as the one before: some 1,100 hashes in a log of the size of
 * sum.golang.org's, most of what a lookup costs, if they are not remembered.
 */
function rememberedTileHash(data: Uint8Array, start: number, end: number): Uint8Array {
  const hashes = rememberedHashes.get(data) ?? new Map<string, Uint8Array>();
  rememberedHashes.set(data, hashes);
  const key = `${start} ${end}`;
  const hash = hashes.get(key) ?? tileHash(data.subarray(start * hashSize, end * hashSize));
  hashes.set(key, hash);
  return hash;
}

/** Returns the tiles of height `h` to publish when the log grows from one size to another. */
export function newTiles(h: number, oldTreeSize: bigint, newTreeSize: bigint): Tile[] {
  checkInput(h >= 1 && h <= 30);
  const height = BigInt(h);
  const tiles: Tile[] = [];
  for (let l = 0; newTreeSize >> (height * BigInt(l)) > 0n; l++) {
    const oldN = oldTreeSize >> (height * BigInt(l));
    const newN = newTreeSize >> (height * BigInt(l));
    if (oldN === newN) continue;
    for (let n = oldN >> height; n < newN >> height; n++) tiles.push({ h, l, n, w: 2 ** h });
    const n = newN >> height;
    const w = Number(newN - (n << height));
    if (w > 0) tiles.push({ h, l, n, w });
  }
  return tiles;
}

/** Returns the data of a hash tile, every hash of it read with one call. */
export async function readTileData(tile: Tile, read: HashReader): Promise<Uint8Array> {
  checkInput(tile.l >= 0);
  const start = tile.n << BigInt(tile.h);
  const indexes = Array.from({ length: tile.w }, (_, i) => storedHashIndex(tile.h * tile.l, start + BigInt(i)));
  const hashes = await read(indexes);
  checkInput(hashes.length === indexes.length);
  const data = new Uint8Array(tile.w * hashSize);
  for (const [i, hash] of hashes.entries()) data.set(hash, i * hashSize);
  return data;
}

/**
 * Returns the path of a tile, without a leading slash.
 *
 * Three digits of `n` to an element, all but the last with an x, so that no directory gets many entries: n = 1234067 at
 * height 3 and level 4 is `"tile/3/4/x001/x234/067"`, with 1 hash only `"tile/3/4/x001/x234/067.p/1"`.
 */
export function tilePath(tile: Tile): string {
  let path = (tile.n % 1000n).toString().padStart(3, "0");
  for (let n = tile.n / 1000n; n > 0n; n /= 1000n) path = `x${(n % 1000n).toString().padStart(3, "0")}/${path}`;
  const partial = tile.w === 2 ** tile.h ? "" : `.p/${tile.w}`;
  return `tile/${tile.h}/${tile.l === -1 ? "data" : tile.l}/${path}${partial}`;
}

// An int64 in groups of three digits has at most 7 groups; the rest is far longer than any height, level and width.
const maxTilePath = 100;
const tilePathParts = /^tile\/([0-9]+)\/(data|[0-9]+)\/((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/([0-9]+))?$/;

/** Returns the tile that a path names; only the form that tilePath writes is one. Throws "tile-malformed-path". */
export function parseTilePath(path: string): Tile {
  const [, height = "", level = "", groups = "", width] =
    (path.length <= maxTilePath && tilePathParts.exec(path)) || [];
  const h = Number(height);
  const n = parseDecimal(groups.replaceAll(/[x/]/g, "").replace(/^0+(?=[0-9])/, ""));
  if (n === undefined || h < 1 || h > 30) throw malformedPath();
  const tile = { h, l: level === "data" ? -1 : Number(level), n, w: width === undefined ? 2 ** h : Number(width) };
  if (tile.w < 1 || tile.w > 2 ** h || tilePath(tile) !== path) throw malformedPath();
  return tile;
}

/**
 * Returns the data of `tile` cut out of the data of a tile at the same place that is at least as wide.
 *
 * Of a data tile it is the first `w` records. Throws "tile-malformed-data" when there is less.
 */
export function cutTile(tile: Tile, wider: Uint8Array): Uint8Array {
  if (tile.l >= 0) {
    if (wider.length < tile.w * hashSize) throw malformedData(tile);
    return wider.slice(0, tile.w * hashSize);
  }
  const bytes = Buffer.from(wider.buffer, wider.byteOffset, wider.byteLength);
  let end = 0;
  for (let i = 0; i < tile.w; i++) {
    const blankLine = bytes.indexOf("\n\n", end);
    if (blankLine < 0) throw malformedData(tile);
    end = blankLine + 2;
  }
  return wider.slice(0, end);
}

/** Returns the texts of the records in a data tile, of which there are exactly `w`. Throws "tile-malformed-data". */
export function parseDataTile(tile: Tile, data: Uint8Array): Uint8Array[] {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const texts: Uint8Array[] = [];
  let start = 0;
  while (start < data.length && texts.length < tile.w) {
    const blankLine = bytes.indexOf("\n\n", start);
    const text = data.subarray(start, blankLine + 1);
    if (blankLine < 0 || !isValidRecordText(text)) throw malformedData(tile);
    texts.push(text);
    start = blankLine + 2;
  }
  if (start !== data.length || texts.length !== tile.w) throw malformedData(tile);
  return texts;
}

/** Where tileHashReader gets tiles from, and where they go when they proved right. */
export interface TileReader {
  /** The height of the tiles. */
  readonly height: number;

  /**
   * Returns the data of each tile, in their order and of exactly their size, or throws. It may be wrong: it is checked.
   * The arrays are not changed afterwards: what was computed from them is remembered as long as they live.
   */
  readTiles(tiles: readonly Tile[]): Promise<readonly Uint8Array[]>;

  /** Told of tiles that readTiles returned, once all of them are proven to belong to the tree. */
  saveTiles(tiles: readonly Tile[], data: readonly Uint8Array[]): Promise<void>;
}

/**
 * Returns a reader of the tree's hashes that fetches tiles, all in one call, and proves them right before it uses them.
 *
 * Beside the tiles of the hashes these are the tiles at the right edge, from which the tree's own hash is computed, and
 * the parents in between. The reader throws "tile-inconsistent" when they do not lead to the tree's hash,
 * "tile-malformed-data" for data of a wrong size and "tile-invalid-input" for an index outside the tree.
 */
export function tileHashReader(tree: Tree, tiles: TileReader): HashReader {
  return async (indexes) => {
    const plan = planTiles(tree, tiles.height, indexes);
    if (plan.tiles.length === 0) {
      if (!equalHashes(tree.hash, emptyHash)) throw inconsistent();
      return [];
    }
    const data = await tiles.readTiles(plan.tiles);
    checkInput(data.length === plan.tiles.length);
    for (const [i, tile] of plan.tiles.entries()) {
      if (data[i]?.length !== tile.w * hashSize) throw malformedData(tile);
    }
    authenticate(tree, plan, data);
    await tiles.saveTiles(plan.tiles, data);
    return plan.asked.map((subtree) => plan.hash(subtree, data));
  };
}

/** The tiles to fetch: the first `edge` of them prove the tree's hash, each other one is proven by an earlier one. */
interface TilePlan {
  readonly tiles: readonly Tile[];
  readonly edge: number;
  /** What the tree consists of, from left to right. */
  readonly whole: readonly Subtree[];
  /** What is at the indexes, in their order. */
  readonly asked: readonly Subtree[];
  /** The hash of a subtree that is in or above one of the tiles. */
  hash(subtree: Subtree, data: readonly Uint8Array[]): Uint8Array;
}

function planTiles(tree: Tree, h: number, indexes: readonly bigint[]): TilePlan {
  const tiles: Tile[] = [];
  const order = new Map<string, number>();
  const add = (tile: Tile) => {
    order.set(placeOf(tile), tiles.length);
    tiles.push(tile);
  };
  const whole = subtrees(0n, tree.n);
  for (const subtree of whole) {
    const tile = tileParent(locate(h, subtree).tile, 0, tree.n);
    if (tile !== undefined && !order.has(placeOf(tile))) add(tile);
  }
  const edge = tiles.length;
  const end = storedHashIndex(0, tree.n);
  const asked = indexes.map((index) => {
    checkInput(index >= 0n && index < end);
    return splitStoredHashIndex(index);
  });
  for (const subtree of asked) {
    const own = locate(h, subtree).tile;
    const missing: Tile[] = [];
    for (let k = 0; ; k++) {
      const tile = tileParent(own, k, tree.n);
      if (tile === undefined || order.has(placeOf(tile))) break;
      missing.push(tile);
    }
    // Parents first: a tile is proven by its parent.
    for (const tile of missing.reverse()) add(tile);
  }
  const hash = (subtree: Subtree, data: readonly Uint8Array[]) => {
    const { tile, start, end } = locate(h, subtree);
    const tileData = data[order.get(placeOf(tile)) ?? -1];
    if (tileData === undefined || tileData.length < end * hashSize) throw inconsistent();
    return rememberedTileHash(tileData, start, end);
  };
  return { tiles, edge, whole, asked, hash };
}

function authenticate(tree: Tree, plan: TilePlan, data: readonly Uint8Array[]): void {
  const hashes = plan.whole.map((subtree) => plan.hash(subtree, data));
  const root = hashes.reduceRight((right, left) => nodeHash(left, right));
  if (!equalHashes(root, tree.hash)) throw inconsistent();
  for (let i = plan.edge; i < plan.tiles.length; i++) {
    const tile = plan.tiles[i] as Tile;
    const inParent = plan.hash({ level: (tile.l + 1) * tile.h, n: tile.n }, data);
    // It is full, or it would be at the edge and proven with it.
    if (!equalHashes(rememberedTileHash(data[i] as Uint8Array, 0, tile.w), inParent)) throw inconsistent();
  }
}

/** In one tree a place has one tile, so level and number name it. */
function placeOf(tile: Tile): string {
  return `${tile.l}/${tile.n}`;
}

/** The k'th tile above `tile`, as wide as a tree of `size` records makes it; undefined when it is not there at all. */
function tileParent(tile: Tile, k: number, size: bigint): Tile | undefined {
  const { h } = tile;
  const l = tile.l + k;
  const n = tile.n >> BigInt(k * h);
  const available = (size >> BigInt(l * h)) - (n << BigInt(h));
  if (available <= 0n) return undefined;
  const full = 2 ** h;
  return { h, l, n, w: available >= BigInt(full) ? full : Number(available) };
}

function checkInput(valid: boolean): void {
  if (!valid) throw new CodedError("tile-invalid-input", "the tile and the hashes asked of it do not fit each other");
}

function malformedPath(): CodedError<TileErrorCode> {
  return new CodedError("tile-malformed-path", "the tile's path is malformed");
}

function malformedData(tile: Tile): CodedError<TileErrorCode> {
  return new CodedError("tile-malformed-data", `the data of ${tilePath(tile)} has a wrong size or form`);
}

function inconsistent(): CodedError<TileErrorCode> {
  return new CodedError("tile-inconsistent", "the tiles do not lead to the hash of the tree");
}
