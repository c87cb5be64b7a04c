// The tiles of golang.org/x/mod/sumdb's client (client.go): memory, store and database behind one TileReader.

import { CodedError, isCodedError } from "./coded-error.ts";
import { cutTile, parseDataTile, type Tile, type TileReader, tilePath } from "./tile.ts";
import { hashSize } from "./tlog.ts";

/** The height of the tiles that the go command asks for. */
export const tileHeight = 8;

/** Where tiles come from and go to. */
export interface TileOps {
  /**
   * GETs `path` (such as "/tile/8/0/x001/234.p/7") below the database's base URL, one attempt or several.
   *
   * Rejects with a CodedError "sumdb-not-found" when the database says 404 or 410; every other rejection, also of more
   * than `limit` bytes, reaches the caller of the client as it is.
   */
  readRemote(path: string, limit: number): Promise<Uint8Array>;

  /** The stored tile at `path` ("tile/8/0/x001/234.p/7", no leading slash), or undefined. The array stays as it is. */
  readTile(path: string): Promise<Uint8Array | undefined>;

  /** Stores a verified tile so that no reader sees a part of it, in place of a damaged one; durable when it returns. */
  writeTile(path: string, data: Uint8Array): Promise<void>;
}

/** Runs `work` once for all who ask for `key` while it runs. */
export function shareInFlight<T>(inFlight: Map<string, Promise<T>>, key: string, work: () => Promise<T>): Promise<T> {
  const running = inFlight.get(key);
  if (running !== undefined) return running;
  const started = work().finally(() => inFlight.delete(key));
  inFlight.set(key, started);
  return started;
}

/** Sets `key` as the most recent of a map that keeps its `limit` most recent keys. */
export function remember<V>(map: Map<string, V>, key: string, value: V, limit: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= limit) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}

/** The full tile at the place of `tile`. */
export function fullTile(tile: Tile): Tile {
  return { ...tile, w: 2 ** tile.h };
}

/** True when the data has the form of the tile; the hashes and records in it may still be wrong. */
export function isWhole(tile: Tile, data: Uint8Array): boolean {
  if (tile.l >= 0) return data.length === tile.w * hashSize;
  try {
    parseDataTile(tile, data);
    return true;
  } catch {
    return false;
  }
}

/** A tile's data, and whether the store has it under the tile's own path. */
interface FoundTile {
  readonly data: Uint8Array;
  readonly stored: boolean;
  /** False for what the database just sent. */
  readonly kept: boolean;
}

// A tile has 8 KB at most: 16 MB.
const maxTilesInMemory = 2000;

/** Finds hash tiles in memory, in the store, at the database; what several proofs want at one moment is fetched once. */
export class SumdbTiles {
  readonly #ops: TileOps;
  /** Verified and stored tiles by path, least recently used first. */
  readonly #memory = new Map<string, Uint8Array>();
  readonly #inFlight = new Map<string, Promise<FoundTile>>();

  constructor(ops: TileOps) {
    this.#ops = ops;
  }

  /** Returns a reader for one proof. A `fresh` one believes the database only, not what was kept before. */
  proof(options: { readonly fresh: boolean }): ProofTiles {
    return new ProofTiles({
      find: (tile) => this.#find(tile, options.fresh),
      store: (tile, found) => this.#store(tile, found),
    });
  }

  /** Returns a stored tile, also when only the full tile at its place is stored, or undefined. */
  async readStored(tile: Tile): Promise<Uint8Array | undefined> {
    // A copy of what is in memory: that must not change.
    return this.#memory.get(tilePath(tile))?.slice() ?? (await this.#findStored(tile))?.data;
  }

  /** Returns a tile as the database sends it, unverified, where need be cut out of the full one. */
  async readRemote(tile: Tile, limit: number): Promise<Uint8Array> {
    try {
      return await this.#ops.readRemote(`/${tilePath(tile)}`, limit);
    } catch (error) {
      const full = fullTile(tile);
      if (tile.w === full.w || !isCodedError(error, "sumdb-not-found")) throw error;
      // A database may drop a partial tile once the full one is there.
      const wider = await this.#ops.readRemote(`/${tilePath(full)}`, tile.l < 0 ? limit : full.w * hashSize);
      if (!isWhole(full, wider)) throw badTile(`the checksum database sent ${tilePath(full)} in a wrong form`);
      return cutTile(tile, wider);
    }
  }

  #find(tile: Tile, fresh: boolean): Promise<FoundTile> {
    const path = tilePath(tile);
    if (fresh) return shareInFlight(this.#inFlight, `fresh ${path}`, () => this.#findRemote(tile));
    const data = this.#memory.get(path);
    if (data !== undefined) {
      remember(this.#memory, path, data, maxTilesInMemory);
      return Promise.resolve({ data, stored: true, kept: true });
    }
    const find = async () => (await this.#findStored(tile)) ?? (await this.#findRemote(tile));
    return shareInFlight(this.#inFlight, path, find);
  }

  async #findStored(tile: Tile): Promise<FoundTile | undefined> {
    const full = fullTile(tile);
    const [exact, wider] = await Promise.all([
      this.#ops.readTile(tilePath(tile)),
      tile.w === full.w ? undefined : this.#ops.readTile(tilePath(full)),
    ]);
    // A stored tile of a wrong form is damaged: as good as none.
    if (exact !== undefined && isWhole(tile, exact)) return { data: exact, stored: true, kept: true };
    if (wider === undefined || !isWhole(full, wider)) return undefined;
    return { data: cutTile(tile, wider), stored: false, kept: true };
  }

  async #findRemote(tile: Tile): Promise<FoundTile> {
    const data = await this.readRemote(tile, tile.w * hashSize).catch((cause) => {
      if (!isCodedError(cause, "sumdb-not-found")) throw cause;
      throw badTile(`the checksum database lacks ${tilePath(tile)} of its own log`, cause);
    });
    if (!isWhole(tile, data)) throw badTile(`the checksum database sent ${tilePath(tile)} with a wrong size`);
    // A copy: a view would keep the whole buffer it was received in.
    return { data: data.slice(), stored: false, kept: false };
  }

  async #store(tile: Tile, { data, stored }: FoundTile): Promise<void> {
    const path = tilePath(tile);
    if (!stored) await this.#ops.writeTile(path, data);
    remember(this.#memory, path, data, maxTilesInMemory);
  }
}

interface TileSource {
  find(tile: Tile): Promise<FoundTile>;
  store(tile: Tile, found: FoundTile): Promise<void>;
}

/** The tiles of one proof. Proven tiles are stored by `commit`, when their log is known to be the one we follow. */
export class ProofTiles implements TileReader {
  readonly height = tileHeight;
  readonly #source: TileSource;
  readonly #found = new Map<string, FoundTile>();
  readonly #proven = new Map<string, { readonly tile: Tile; readonly found: FoundTile }>();

  constructor(source: TileSource) {
    this.#source = source;
  }

  /** True when a tile came from memory or store, and so could be wrong without the database's doing. */
  get usedKept(): boolean {
    return [...this.#found.values()].some(({ kept }) => kept);
  }

  async readTiles(tiles: readonly Tile[]): Promise<readonly Uint8Array[]> {
    // All settle before one failure is told, so that none is left to fail unheard.
    const found = await Promise.allSettled(tiles.map((tile) => this.#source.find(tile)));
    return found.map((result, i) => {
      if (result.status === "rejected") throw result.reason;
      this.#found.set(tilePath(tiles[i] as Tile), result.value);
      return result.value.data;
    });
  }

  async saveTiles(tiles: readonly Tile[]): Promise<void> {
    for (const tile of tiles) {
      const found = this.#found.get(tilePath(tile));
      if (found !== undefined) this.#proven.set(`${tile.l}/${tile.n}`, { tile, found });
    }
  }

  /** Stores every proven tile that is not stored yet. */
  async commit(): Promise<void> {
    await Promise.all([...this.#proven.values()].map(({ tile, found }) => this.#source.store(tile, found)));
  }

  /** The data of `tile` out of the proven tile at its place; undefined when there is none as wide. */
  provenData(tile: Tile): Uint8Array | undefined {
    const proven = this.#proven.get(`${tile.l}/${tile.n}`);
    return proven === undefined || proven.tile.w < tile.w ? undefined : cutTile(tile, proven.found.data);
  }
}

/** What a tile that cannot be right becomes. */
export function badTile(message: string, cause?: unknown): CodedError<"sumdb-bad-tile"> {
  return new CodedError("sumdb-bad-tile", message, { cause });
}
