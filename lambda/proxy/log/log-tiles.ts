import { isCodedError } from "../../golang/coded-error.ts";
import { remember, tileHeight } from "../../golang/sumdb-tiles.ts";
import { cutTile, parseDataTile, type Tile, type TileReader, tileHashReader, tilePath } from "../../golang/tile.ts";
import { equalHashes, hashSize, recordHash, storedHashIndex, type Tree } from "../../golang/tlog.ts";
import { logKey, policies } from "../store/layout.ts";
import type { ModuleStore } from "../store/module-store.ts";
import { ServedError } from "../store/served-error.ts";
import { damaged, type LogRows } from "./log-rows.ts";

const full = 2 ** tileHeight;

/** Tiles of which is remembered what they are: those of four million records, in about 2 MB. */
const remembered = 1 << 14;

type TileFiles = Pick<ModuleStore, "read" | "create" | "remove">;

/**
 * The tiles of our log: a pure function of its rows, proved to belong to a signed tree when they are first asked for.
 *
 * Full ones are kept then among the files; a partial one, which is outgrown, is made and proved each time. A kept one is
 * proved once in each process, and after that known by its hash; one that is damaged is made anew.
 */
export class LogTiles {
  readonly #rows: LogRows;
  readonly #files: TileFiles;
  readonly #name: string;
  /** The hashes of kept tiles that were proved, by their keys. */
  readonly #proved = new Map<string, Uint8Array>();

  constructor(rows: LogRows, files: TileFiles, name: string) {
    this.#rows = rows;
    this.#files = files;
    this.#name = name;
  }

  /**
   * The data of a tile of hashes or (level -1) records; `undefined` where the tree has none of that width.
   *
   * Throws `ServedError` "log-damaged" when the rows do not lead to the tree, "store-failed".
   */
  async tile(tile: Tile, tree: Tree): Promise<Uint8Array | undefined> {
    const whole = widest(tile, tree);
    if (whole === undefined) return undefined;
    const kept = await this.#kept(whole);
    if (kept !== undefined && this.#isProved(whole, kept)) return cutTile(tile, kept);
    return cutTile(tile, await (whole.l < 0 ? this.#records(whole, tree, kept) : this.#hashes(whole, tree)));
  }

  async #records(tile: Tile, tree: Tree, kept: Uint8Array | undefined): Promise<Uint8Array> {
    const hashes = await this.#hashes({ ...tile, l: 0 }, tree);
    if (kept !== undefined && isDataOf(tile, kept, hashes)) {
      this.#remember(tile, kept);
      return kept;
    }
    const from = tile.n * BigInt(full);
    const rows = await this.#rows.range(0, from, from + BigInt(tile.w));
    const lines = rows.flatMap(({ text = new Uint8Array() }, i) => {
      if (!equalHashes(recordHash(text), hashAt(hashes, i)))
        throw damaged({ level: 0, number: from + BigInt(i) }, "is not what was signed");
      return [text, Buffer.from("\n")];
    });
    const data = new Uint8Array(Buffer.concat(lines));
    await this.#keep(tile, data);
    return data;
  }

  async #hashes(tile: Tile, tree: Tree): Promise<Uint8Array> {
    try {
      return await this.#lead(tile, tree, (each) => this.#kept(each));
    } catch (error) {
      if (!isWrongTile(error)) throw error;
    }
    try {
      return await this.#lead(tile, tree, async () => undefined);
    } catch (cause) {
      if (!isWrongTile(cause)) throw cause;
      throw new ServedError(
        "log-damaged",
        "SECURITY ERROR: the rows of the log do not lead to the head that was signed",
        { cause },
      );
    }
  }

  /** A tile with those that lead from it to the root of the tree, all in one go; made of rows where `kept` has none. */
  async #lead(tile: Tile, tree: Tree, kept: (tile: Tile) => Promise<Uint8Array | undefined>): Promise<Uint8Array> {
    let data: Uint8Array | undefined;
    const found = new Set<Tile>();
    const read = async (each: Tile) => {
      const bytes = await kept(each);
      if (bytes !== undefined) found.add(each);
      return bytes ?? (await this.#read(each));
    };
    const reader: TileReader = {
      height: tileHeight,
      readTiles: (tiles) => Promise.all(tiles.map(read)),
      saveTiles: async (tiles, datas) => {
        data = datas[tiles.findIndex(({ l, n }) => l === tile.l && n === tile.n)];
        const save = (each: Tile, bytes: Uint8Array) =>
          found.has(each) ? this.#remember(each, bytes) : this.#keep(each, bytes);
        await Promise.all(tiles.map((each, i) => save(each, datas[i] as Uint8Array)));
      },
    };
    await tileHashReader(tree, reader)([storedHashIndex(tileHeight * tile.l, tile.n * BigInt(full))]);
    return data as Uint8Array;
  }

  async #read({ l, n, w }: Tile): Promise<Uint8Array> {
    const from = n * BigInt(full);
    const rows = await this.#rows.range(l, from, from + BigInt(w));
    return new Uint8Array(Buffer.concat(rows.map(({ hashes }) => hashes[0] as Uint8Array)));
  }

  async #kept(tile: Tile): Promise<Uint8Array | undefined> {
    return tile.w === full ? await this.#files.read(this.#key(tile)) : undefined;
  }

  /** In place of a damaged one. Where it cannot be kept, on a full disk, it is made again for the next who asks. */
  async #keep(tile: Tile, data: Uint8Array): Promise<void> {
    if (tile.w !== full) return;
    const key = this.#key(tile);
    try {
      if (!(await this.#files.create(key, data, policies.internal))) {
        const other = await this.#files.read(key);
        if (other !== undefined && Buffer.compare(other, data) !== 0) {
          await this.#files.remove(key);
          await this.#files.create(key, data, policies.internal);
        }
      }
      this.#remember(tile, data);
    } catch (error) {
      if (!isCodedError(error, "store-failed")) throw error;
    }
  }

  #isProved(tile: Tile, data: Uint8Array): boolean {
    const known = this.#proved.get(this.#key(tile));
    return known !== undefined && equalHashes(known, recordHash(data));
  }

  #remember(tile: Tile, data: Uint8Array): void {
    remember(this.#proved, this.#key(tile), recordHash(data), remembered);
  }

  #key(tile: Tile): string {
    return logKey(this.#name, tilePath(tile));
  }
}

function hashAt(hashes: Uint8Array, i: number): Uint8Array {
  return hashes.subarray(i * hashSize, (i + 1) * hashSize);
}

/** True for the records that these are the hashes of. */
function isDataOf(tile: Tile, data: Uint8Array, hashes: Uint8Array): boolean {
  try {
    return parseDataTile(tile, data).every((text, i) => equalHashes(recordHash(text), hashAt(hashes, i)));
  } catch (error) {
    if (isWrongTile(error)) return false;
    throw error;
  }
}

function isWrongTile(error: unknown): boolean {
  return isCodedError(error, "tile-inconsistent") || isCodedError(error, "tile-malformed-data");
}

/** The tile at the same place as wide as the tree makes it; `undefined` when that is not as wide as asked for. */
function widest(tile: Tile, tree: Tree): Tile | undefined {
  const available = (tree.n >> BigInt(tileHeight * Math.max(tile.l, 0))) - tile.n * BigInt(full);
  if (tile.h !== tileHeight || available < BigInt(tile.w)) return undefined;
  return { ...tile, w: available < BigInt(full) ? Number(available) : full };
}
