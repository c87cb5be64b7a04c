import { open, type Verifier } from "../../golang/note.ts";
import { tileHeight } from "../../golang/sumdb-tiles.ts";
import { parseDataTile, type Tile, tilePath } from "../../golang/tile.ts";
import { equalHashes, hashSize, parseTree, recordHash, type Tree } from "../../golang/tlog.ts";
import { explain } from "../store/explain.ts";
import type { ModuleVersion } from "../store/layout.ts";
import { fullTileHash, GrowingTree, hashesOf } from "./growing-tree.ts";
import { SeenVersions } from "./seen-versions.ts";

/** Public reads of a checksum database. */
export interface LogReads {
  /** The bytes under `"/latest"` or `"/tile/…"`, or `undefined` where whoever asks may not read them. Throws otherwise. */
  get(path: string): Promise<Uint8Array | undefined>;
}

/** What one record says. */
export interface LoggedVersion extends ModuleVersion {
  readonly id: number;
  readonly text: Uint8Array;
  /** `"h1:…"`. */
  readonly zip: string;
  readonly goMod: string;
}

/** How the log's head stands to the one of the last check; a log shrinks or changes only where somebody lies. */
export type Continuation = "first" | "same" | "extends" | "rollback" | "fork";

export interface LogFindings {
  /** The head that was checked, and its signed note. */
  readonly tree: Tree;
  readonly note: Uint8Array;
  readonly continuation: Continuation;
  /** Records that were read, and those of tiles that whoever asked may not read. */
  readonly records: number;
  readonly unreadable: number;
  readonly tiles: number;
}

export interface LogCheckParts {
  readonly verifier: Verifier;
  readonly reads: LogReads;
  /** The note of the head that the last check kept. */
  readonly kept: Uint8Array | undefined;
  /** Told of what is wrong, in a line each. */
  readonly fault: (line: string) => void;
  /** Given each record that could be read. */
  readonly visit: (record: LoggedVersion) => Promise<void>;
}

/** Tiles on their way at once, so that no answer is waited for alone. */
const readAhead = 8;

const tileSize = 2 ** tileHeight;

/**
 * Reads a whole log as anyone can, and checks that its tiles lead to its signed head, that each record is in it once and in
 * the form of go.sum, and that it continues the log of the last check.
 *
 * Streams: memory is that of some tiles, and 64 bytes at most for each record, by which it is known again. Throws
 * `CodedError` where the head cannot be had or is not signed, and what `reads` throws of a tile that there must be.
 */
export async function checkLog(parts: LogCheckParts): Promise<LogFindings> {
  const { verifier, reads, kept } = parts;
  const note = await needed(reads, "/latest");
  const tree = parseTree(open(note, [verifier]).text);
  const before = kept && parseTree(open(kept, [verifier]).text);
  const walk = new Walk(parts, before);
  for await (const { tile, hashes, records } of readTiles(reads, tree.n)) await walk.tile(tile, hashes, records);
  await walk.end();
  if (!equalHashes(walk.tree.root(), tree.hash)) parts.fault("the tiles do not lead to the signed head");
  return { tree, note, continuation: continuationOf(tree, before, walk.rootBefore), ...walk.counts };
}

function continuationOf(tree: Tree, before: Tree | undefined, rootBefore: Uint8Array | undefined): Continuation {
  if (before === undefined) return "first";
  if (tree.n < before.n) return "rollback";
  if (before.n > 0n && (rootBefore === undefined || !equalHashes(rootBefore, before.hash))) return "fork";
  return tree.n === before.n ? "same" : "extends";
}

async function needed(reads: LogReads, path: string): Promise<Uint8Array> {
  const bytes = await reads.get(path);
  if (bytes === undefined) throw new Error(`${path} may not be read with this token`);
  return bytes;
}

interface ReadTile {
  readonly tile: Tile;
  readonly hashes: Uint8Array;
  /** `undefined` where they may not be read. */
  readonly records: Uint8Array | undefined;
}

/** The tiles of the lowest level with their records, in their order. */
async function* readTiles(reads: LogReads, size: bigint): AsyncIterable<ReadTile> {
  const tiles = lowestTiles(size);
  const read = async (tile: Tile): Promise<ReadTile> => {
    const [hashes, records] = await Promise.all([
      needed(reads, `/${tilePath(tile)}`),
      reads.get(`/${tilePath({ ...tile, l: -1 })}`),
    ]);
    return { tile, hashes, records };
  };
  const ahead: Promise<ReadTile>[] = [];
  const begin = () => {
    const next = tiles.next();
    if (next.done) return;
    const reading = read(next.value);
    // It may fail before its turn comes, and is waited for then.
    reading.catch(() => {});
    ahead.push(reading);
  };
  for (let i = 0; i < readAhead; i++) begin();
  for (let next = ahead.shift(); next !== undefined; next = ahead.shift()) {
    begin();
    yield await next;
  }
}

function* lowestTiles(size: bigint): Generator<Tile, void> {
  for (let n = 0n; n * BigInt(tileSize) < size; n++) {
    const left = size - n * BigInt(tileSize);
    yield { h: tileHeight, l: 0, n, w: left < BigInt(tileSize) ? Number(left) : tileSize };
  }
}

/** One way through the log, tile by tile. */
class Walk {
  readonly tree = new GrowingTree();
  /** The root at the size of the last check, once the way has come there. */
  rootBefore: Uint8Array | undefined;
  readonly #parts: LogCheckParts;
  readonly #before: Tree | undefined;
  readonly #seen = new SeenVersions();
  /** The hashes of the tile under way at each level above the lowest, and how many tiles of it are complete. */
  readonly #above: { hashes: Uint8Array[]; complete: bigint }[] = [];
  #counts = { records: 0, unreadable: 0, tiles: 0 };

  constructor(parts: LogCheckParts, before: Tree | undefined) {
    this.#parts = parts;
    this.#before = before;
  }

  get counts() {
    return this.#counts;
  }

  async tile(tile: Tile, hashes: Uint8Array, records: Uint8Array | undefined): Promise<void> {
    if (hashes.length !== tile.w * hashSize) throw new Error(`${tilePath(tile)} has not its size`);
    this.#counts.tiles += records === undefined ? 1 : 2;
    const start = tile.n * BigInt(tileSize);
    if (records === undefined) this.#counts.unreadable += tile.w;
    else await this.#records(tile, hashes, records);
    const before = (this.#before?.n ?? 0n) - start;
    if (before > 0n && before <= BigInt(tile.w))
      this.rootBefore = this.tree.rootWith(hashes.subarray(0, Number(before) * hashSize));
    if (tile.w < tileSize) for (const hash of hashesOf(hashes)) this.tree.push(0, hash);
    else await this.#full(1, fullTileHash(hashes));
  }

  /** Compares the tiles that are not full yet. */
  async end(): Promise<void> {
    for (const [i, { hashes, complete }] of this.#above.entries())
      if (hashes.length > 0) await this.#compare({ h: tileHeight, l: i + 1, n: complete, w: hashes.length }, hashes);
  }

  /** Adds the hash of a full tile to the tree, and to the tile above it. */
  async #full(level: number, hash: Uint8Array): Promise<void> {
    if (level === 1) this.tree.push(tileHeight, hash);
    this.#above[level - 1] ??= { hashes: [], complete: 0n };
    const above = this.#above[level - 1] as { hashes: Uint8Array[]; complete: bigint };
    above.hashes.push(hash);
    if (above.hashes.length < tileSize) return;
    const { hashes, complete } = above;
    await this.#compare({ h: tileHeight, l: level, n: complete, w: tileSize }, hashes);
    this.#above[level - 1] = { hashes: [], complete: complete + 1n };
    await this.#full(level + 1, fullTileHash(Buffer.concat(hashes)));
  }

  async #compare(tile: Tile, computed: readonly Uint8Array[]): Promise<void> {
    const path = tilePath(tile);
    this.#counts.tiles++;
    if (Buffer.compare(await needed(this.#parts.reads, `/${path}`), Buffer.concat(computed)) !== 0)
      this.#parts.fault(`${path} does not follow from the tiles below it`);
  }

  async #records(tile: Tile, hashes: Uint8Array, data: Uint8Array): Promise<void> {
    const first = Number(tile.n) * tileSize;
    for (const [i, text] of this.#texts(tile, data).entries()) {
      this.#counts.records++;
      const id = first + i;
      if (!equalHashes(recordHash(text), hashes.subarray(i * hashSize, (i + 1) * hashSize)))
        this.#parts.fault(`record ${id} is not the one in the log`);
      const record = readRecord(id, text);
      if (record === undefined) this.#parts.fault(`record ${id} is not two lines of go.sum`);
      else if (!this.#seen.add(record))
        this.#parts.fault(`record ${id} is the second of ${record.path}@${record.version}`);
      if (record !== undefined) await this.#parts.visit(record);
    }
  }

  #texts(tile: Tile, data: Uint8Array): readonly Uint8Array[] {
    try {
      return parseDataTile(tile, data);
    } catch (error) {
      this.#parts.fault(`${tilePath({ ...tile, l: -1 })} is damaged: ${explain(error)}`);
      return [];
    }
  }
}

const lines = /^(\S+) (\S+) (h1:[A-Za-z0-9+/]{43}=)\n\1 \2\/go\.mod (h1:[A-Za-z0-9+/]{43}=)\n$/;

function readRecord(id: number, text: Uint8Array): LoggedVersion | undefined {
  const [, path, version, zip, goMod] = lines.exec(new TextDecoder().decode(text)) ?? [];
  if (path === undefined || version === undefined || zip === undefined || goMod === undefined) return undefined;
  return { id, text, path, version, zip, goMod };
}
