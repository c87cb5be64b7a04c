// Port of golang.org/x/mod/sumdb's client (client.go): follows a checksum database without trusting who serves it.
//
// Differences by design: the newest head is kept with compare-and-swap for all processes and read anew for each
// question; the proofs of head and record share one batch of tiles, so a lookup costs two round trips; a record of
// another module is refused; damaged kept tiles are fetched again; a fork is an error that carries its evidence.

import { CodedError, isCodedError } from "./coded-error.ts";
import { escapePath, escapeVersion } from "./module.ts";
import { open, type Verifier } from "./note.ts";
import { badTile, isWhole, remember, SumdbTiles, shareInFlight, type TileOps, tileHeight } from "./sumdb-tiles.ts";
import { parseDataTile, parseTilePath, type Tile, tileHashReader, tilePath } from "./tile.ts";
import {
  equalHashes,
  formatRecord,
  hashSize,
  parseRecord,
  parseTree,
  recordHash,
  storedHashIndex,
  subTreeIndex,
  type Tree,
  treeHash,
} from "./tlog.ts";

/** What can go wrong beside what `readRemote`, the store and the heads' keeper throw themselves. */
export type SumdbErrorCode =
  | "sumdb-not-found"
  | "sumdb-fork"
  | "sumdb-bad-note"
  | "sumdb-bad-record"
  | "sumdb-bad-tile"
  | "sumdb-beyond-head"
  | "sumdb-damaged-head"
  | "sumdb-head-contended";

/** What the client needs of the world. All calls may run at the same time as others. */
export interface SumdbOps extends TileOps {
  /** The newest verified signed head that replaceHead kept, or undefined. */
  readHead(): Promise<Uint8Array | undefined>;

  /** Compare and swap: keeps `next` in place of `old` (undefined: none yet); false when the kept head is not `old`. */
  replaceHead(old: Uint8Array | undefined, next: Uint8Array): Promise<boolean>;
}

/** A signed head: the note's bytes and the tree in it. */
export interface SumdbHead {
  readonly tree: Tree;
  readonly signedNote: Uint8Array;
}

/** A verified record: its number, its go.sum lines, and the newest head, under which it and all before it are proven. */
export interface SumdbLookup {
  readonly id: bigint;
  readonly record: Uint8Array;
  readonly head: SumdbHead;
}

/**
 * The database signed two heads of which one should be the beginning of the other and is not.
 *
 * Both notes are the evidence, to be kept and shown to an operator; nothing of the newer one was stored.
 */
export class SumdbForkError extends CodedError<"sumdb-fork"> {
  readonly olderNote: Uint8Array;
  readonly newerNote: Uint8Array;

  constructor(name: string, older: SumdbHead, newer: SumdbHead) {
    super(
      "sumdb-fork",
      `checksum database ${name} forked: its signed log of ${older.tree.n} records is not the beginning of its signed log of ${newer.tree.n}`,
    );
    this.olderNote = older.signedNote;
    this.newerNote = newer.signedNote;
  }
}

/** The most bytes of a lookup answer or a head. */
export const maxLookup = 1_000_000;
const maxDataTile = 4_000_000;
const maxHeadAttempts = 20;
const maxOpenedNotes = 20;
const maxOpenedNote = 2000;

/** Splits a lookup answer into record number, record text and signed note. Throws "sumdb-bad-record". */
export function parseLookup(answer: Uint8Array): {
  readonly id: bigint;
  readonly record: Uint8Array;
  readonly signedNote: Uint8Array;
} {
  if (answer.length > maxLookup) throw badRecord("the checksum database's answer is too large");
  try {
    const { id, text, rest } = parseRecord(answer);
    return { id, record: text, signedNote: rest };
  } catch (cause) {
    throw badRecord("the checksum database's answer is not a record and a signed note", cause);
  }
}

/** Returns the lookup answer for a verified record under a head that proves it: the inverse of parseLookup. */
export function composeLookup(
  { id, record }: Pick<SumdbLookup, "id" | "record">,
  head: Pick<SumdbHead, "signedNote">,
): Uint8Array {
  return Buffer.concat([formatRecord(id, record), head.signedNote]);
}

/**
 * Returns the `h1:` hashes that a record has for a module's zip and go.mod, each list empty where it has none.
 *
 * `"m v1.0.0 h1:a=\nm v1.0.0/go.mod h1:b=\n"` becomes `{ zip: ["h1:a="], mod: ["h1:b="] }` for m at v1.0.0.
 */
export function recordedHashes(record: Uint8Array, path: string, version: string) {
  const lines = new TextDecoder("utf-8", { ignoreBOM: true }).decode(record).split("\n");
  const after = (prefix: string) =>
    lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length));
  return { zip: after(`${path} ${version} `), mod: after(`${path} ${version}/go.mod `) };
}

/** Looks up modules in one checksum database and verifies every byte against the newest head ever seen of it. */
export class SumdbClient {
  readonly #verifier: Verifier;
  readonly #ops: SumdbOps;
  readonly #tiles: SumdbTiles;
  /** Heads whose signature was checked, by the note's bytes: the kept one comes with every question. */
  readonly #opened = new Map<string, SumdbHead>();
  readonly #lookups = new Map<string, Promise<SumdbLookup>>();
  readonly #tileReads = new Map<string, Promise<Uint8Array>>();

  constructor({ verifier, ops }: { readonly verifier: Verifier; readonly ops: SumdbOps }) {
    this.#verifier = verifier;
    this.#ops = ops;
    this.#tiles = new SumdbTiles(ops);
  }

  /**
   * Returns the database's record of a module version, proven to be in the log under the newest head kept.
   *
   * When it returns, that head is kept and all tiles are stored that an empty client needs to verify this record and,
   * under the same head, every record returned before. Throws "sumdb-not-found" as readRemote does, "sumdb-bad-note",
   * "sumdb-bad-record", "sumdb-bad-tile", and a SumdbForkError; ModuleError for a path or version that is none.
   */
  lookup(path: string, version: string): Promise<SumdbLookup> {
    return shareInFlight(this.#lookups, `${path}@${version}`, async () => {
      const remotePath = `/lookup/${escapePath(path)}@${escapeVersion(version)}`;
      const [answer, kept] = await Promise.all([this.#ops.readRemote(remotePath, maxLookup), this.head()]);
      const { id, record, signedNote } = parseLookup(answer);
      const { zip, mod } = recordedHashes(record, path, version);
      if (zip.length + mod.length === 0) throw badRecord("the checksum database sent the record of another module");
      return { id, record, head: await this.#merge(this.#openRemote(signedNote), kept, { id, record }) };
    });
  }

  /** Fetches the database's newest head and returns the newest verified one, which may be one kept before. */
  async latest(): Promise<SumdbHead> {
    const [signedNote, kept] = await Promise.all([this.#ops.readRemote("/latest", maxLookup), this.head()]);
    return this.#merge(this.#openRemote(signedNote), kept);
  }

  /** Returns the newest head kept, or undefined when there is none yet. Asks nobody. */
  async head(): Promise<SumdbHead | undefined> {
    const signedNote = await this.#ops.readHead();
    if (signedNote === undefined) return undefined;
    try {
      return this.#open(signedNote);
    } catch (cause) {
      throw new CodedError("sumdb-damaged-head", "the kept head of the checksum database is not a signed one", {
        cause,
      });
    }
  }

  /**
   * Returns the verified data of a tile, `"tile/8/0/x001/234"` or `"tile/8/data/000.p/7"`, stored or fetched.
   *
   * Throws "sumdb-beyond-head" for what is not in the newest head kept, without asking the database; "sumdb-not-found"
   * for heights other than 8 and for records that the database does not have in tiles; "tile-malformed-path";
   * "sumdb-bad-tile".
   */
  tile(path: string): Promise<Uint8Array> {
    return shareInFlight(this.#tileReads, path, async () => {
      const tile = parseTilePath(path);
      if (tile.h !== tileHeight) throw new CodedError("sumdb-not-found", `only tiles of height ${tileHeight} are kept`);
      const head = await this.head();
      if (head === undefined || !isWithin(tile, head.tree)) {
        throw new CodedError("sumdb-beyond-head", "the tile is not in the newest verified head");
      }
      const stored = await this.#tiles.readStored(tile);
      if (stored !== undefined) return stored;
      return tile.l < 0 ? this.#readDataTile(tile, head) : this.#readHashTile(tile, head);
    });
  }

  async #readHashTile(tile: Tile, head: SumdbHead): Promise<Uint8Array> {
    const first = storedHashIndex(tile.l * tileHeight, tile.n << BigInt(tileHeight));
    return this.#withTiles(async (proof) => {
      await tileHashReader(head.tree, proof)([first]);
      await proof.commit();
      const data = proof.provenData(tile);
      if (data === undefined) throw badTile(`${tilePath(tile)} is not in the newest verified head`);
      return data;
    });
  }

  async #readDataTile(tile: Tile, head: SumdbHead): Promise<Uint8Array> {
    const [data, hashes] = await Promise.all([
      this.#tiles.readRemote(tile, maxDataTile),
      this.#readHashTile({ ...tile, l: 0 }, head),
    ]);
    if (!isWhole(tile, data)) throw badTile(`the checksum database sent ${tilePath(tile)} in a wrong form`);
    const inLog = (text: Uint8Array, i: number) =>
      equalHashes(recordHash(text), hashes.subarray(i * hashSize, (i + 1) * hashSize));
    if (!parseDataTile(tile, data).every(inLog))
      throw badTile(`a record in ${tilePath(tile)} is not the one in the log`);
    await this.#ops.writeTile(tilePath(tile), data);
    return data;
  }

  #openRemote(signedNote: Uint8Array): SumdbHead {
    try {
      return this.#open(signedNote);
    } catch (cause) {
      throw new CodedError("sumdb-bad-note", "the checksum database's head is not signed by its key", { cause });
    }
  }

  #open(signedNote: Uint8Array): SumdbHead {
    const key = Buffer.from(signedNote.buffer, signedNote.byteOffset, signedNote.byteLength).toString("latin1");
    const opened = this.#opened.get(key);
    if (opened !== undefined) return opened;
    const note = open(signedNote, [this.#verifier]);
    const head = { tree: parseTree(note.text), signedNote };
    if (key.length <= maxOpenedNote) remember(this.#opened, key, head, maxOpenedNotes);
    return head;
  }

  /** Brings a head that just came in together with the one kept, proves `record` under the newer, and returns that. */
  async #merge(incoming: SumdbHead, read: SumdbHead | undefined, record?: ProvenRecord): Promise<SumdbHead> {
    let kept = read;
    for (let attempt = 0; attempt < maxHeadAttempts; attempt++) {
      if (kept !== undefined && incoming.tree.n <= kept.tree.n) {
        await this.#prove(kept, incoming, record);
        return kept;
      }
      await this.#prove(incoming, kept, record);
      // Tiles first, then the head: whoever sees the head finds everything below it.
      if (await this.#ops.replaceHead(kept?.signedNote, incoming.signedNote)) return incoming;
      kept = await this.head();
    }
    throw new CodedError("sumdb-head-contended", "the kept head of the checksum database changes too often");
  }

  /** Proves that `older` is the beginning of `newer` and that `record` is in it, in one batch; then stores the tiles. */
  async #prove(newer: SumdbHead, older: SumdbHead | undefined, record: ProvenRecord | undefined): Promise<void> {
    const fork = (evidence: SumdbHead) => new SumdbForkError(this.#verifier.name, evidence, newer);
    const same = older?.tree.n === newer.tree.n;
    if (same && !equalHashes(older.tree.hash, newer.tree.hash)) throw fork(older);
    if (same && record === undefined) return;
    if (record !== undefined && record.id >= newer.tree.n) throw badRecord("the record is not in the signed log");

    const unproven = same ? undefined : older;
    const prefix = unproven === undefined ? [] : subTreeIndex(0n, unproven.tree.n);
    const leaf = record === undefined ? [] : [storedHashIndex(0, record.id)];
    await this.#withTiles(async (proof) => {
      const hashes = await tileHashReader(newer.tree, proof)([...prefix, ...leaf]);
      if (unproven !== undefined) {
        const hash = await treeHash(unproven.tree.n, async () => hashes.slice(0, prefix.length));
        if (!equalHashes(hash, unproven.tree.hash)) throw fork(unproven);
      }
      const recorded = hashes[prefix.length];
      if (record !== undefined && (recorded === undefined || !equalHashes(recorded, recordHash(record.record)))) {
        throw badRecord("the record is not the one in the signed log");
      }
      await proof.commit();
    });
  }

  /**
   * Runs a proof; when tiles do not fit although some were kept ones, again with the database's own only.
   *
   * That mends a damaged store, and it tells a fork from a forged tile: tiles kept of the log we followed never fit a
   * head of another one, the database's own do.
   */
  async #withTiles<T>(prove: (proof: ReturnType<SumdbTiles["proof"]>) => Promise<T>): Promise<T> {
    for (const fresh of [false, true]) {
      const proof = this.#tiles.proof({ fresh });
      try {
        return await prove(proof);
      } catch (cause) {
        if (!isCodedError(cause, "tile-inconsistent", "tile-malformed-data")) throw cause;
        if (!proof.usedKept) throw badTile("the checksum database's tiles do not lead to its signed head", cause);
      }
    }
    throw badTile("the checksum database's tiles do not lead to its signed head");
  }
}

interface ProvenRecord {
  readonly id: bigint;
  readonly record: Uint8Array;
}

/** True when all hashes, or records, of the tile are in the tree. */
function isWithin({ h, l, n, w }: Tile, tree: Tree): boolean {
  return (n << BigInt(h)) + BigInt(w) <= tree.n >> BigInt(h * Math.max(l, 0));
}

function badRecord(message: string, cause?: unknown): CodedError<"sumdb-bad-record"> {
  return new CodedError("sumdb-bad-record", message, { cause });
}
