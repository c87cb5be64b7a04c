import { isCodedError } from "../../golang/coded-error.ts";
import { tileHeight } from "../../golang/sumdb-tiles.ts";
import { cutTile, type Tile, type TileReader, tileHashReader, tilePath } from "../../golang/tile.ts";
import { equalHashes, hashSize, recordHash, storedHashIndex, type Tree } from "../../golang/tlog.ts";
import { logKey, policies } from "../store/layout.ts";
import type { ModuleStore } from "../store/module-store.ts";
import { ServedError } from "../store/served-error.ts";
import { damaged, type LogRows } from "./log-rows.ts";

const full = 2 ** tileHeight;

/**
 * The tiles of our log: a pure function of its rows, proved to belong to a signed tree when they are first asked for.
 *
 * Full ones are kept then among the files; a partial one, which is outgrown, is made and proved each time.
 */
export class LogTiles {
  readonly #rows: LogRows;
  readonly #files: Pick<ModuleStore, "read" | "create">;
  readonly #name: string;

  constructor(rows: LogRows, files: Pick<ModuleStore, "read" | "create">, name: string) {
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
    const data = (await this.#kept(whole)) ?? (await this.#proved(whole, tree));
    return cutTile(tile, data);
  }

  async #proved(tile: Tile, tree: Tree): Promise<Uint8Array> {
    if (tile.l >= 0) return await this.#hashes(tile, tree);
    const hashes = await this.#hashes({ ...tile, l: 0 }, tree);
    const from = tile.n * BigInt(full);
    const rows = await this.#rows.range(0, from, from + BigInt(tile.w));
    const lines = rows.flatMap(({ text = new Uint8Array() }, i) => {
      const isProved = equalHashes(recordHash(text), hashes.subarray(i * hashSize, (i + 1) * hashSize));
      if (!isProved) throw damaged({ level: 0, number: from + BigInt(i) }, "is not what was signed");
      return [text, Buffer.from("\n")];
    });
    const data = new Uint8Array(Buffer.concat(lines));
    await this.#keep(tile, data);
    return data;
  }

  /** With the tiles that lead from it to the root of the tree, all in one go. */
  async #hashes(tile: Tile, tree: Tree): Promise<Uint8Array> {
    let data: Uint8Array | undefined;
    const reader: TileReader = {
      height: tileHeight,
      readTiles: (tiles) =>
        Promise.all(tiles.map(async (each) => (await this.#kept(each)) ?? (await this.#read(each)))),
      saveTiles: async (tiles, datas) => {
        data = datas[tiles.findIndex(({ l, n }) => l === tile.l && n === tile.n)];
        await Promise.all(tiles.map((each, i) => this.#keep(each, datas[i] as Uint8Array)));
      },
    };
    try {
      await tileHashReader(tree, reader)([storedHashIndex(tileHeight * tile.l, tile.n * BigInt(full))]);
    } catch (cause) {
      if (!isCodedError(cause, "tile-inconsistent")) throw cause;
      throw new ServedError(
        "log-damaged",
        "SECURITY ERROR: the rows of the log do not lead to the head that was signed",
        { cause },
      );
    }
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

  /** Where it cannot be kept, on a full disk, it is made again for the next who asks. */
  async #keep(tile: Tile, data: Uint8Array): Promise<void> {
    if (tile.w !== full) return;
    try {
      await this.#files.create(this.#key(tile), data, policies.internal);
    } catch (error) {
      if (!isCodedError(error, "store-failed")) throw error;
    }
  }

  #key(tile: Tile): string {
    return logKey(this.#name, tilePath(tile));
  }
}

/** The tile at the same place as wide as the tree makes it; `undefined` when that is not as wide as asked for. */
function widest(tile: Tile, tree: Tree): Tile | undefined {
  const available = (tree.n >> BigInt(tileHeight * Math.max(tile.l, 0))) - tile.n * BigInt(full);
  if (tile.h !== tileHeight || available < BigInt(tile.w)) return undefined;
  return { ...tile, w: available < BigInt(full) ? Number(available) : full };
}
