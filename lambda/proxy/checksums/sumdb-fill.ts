import { CodedError, isCodedError } from "../../golang/coded-error.ts";
import { escapePath, escapeVersion } from "../../golang/module.ts";
import type { Verifier } from "../../golang/note.ts";
import {
  composeLookup,
  parseLookup,
  recordedHashes,
  SumdbClient,
  type SumdbErrorCode,
  SumdbForkError,
  type SumdbLookup,
} from "../../golang/sumdb.ts";
import { parseTilePath } from "../../golang/tile.ts";
import type { Clock } from "../store/clock.ts";
import type { FillAnswer } from "../store/fill-plane.ts";
import { type ModuleVersion, policies, sumdbKey, tilePolicy } from "../store/layout.ts";
import type { ModuleStore } from "../store/module-store.ts";
import { ServedError, type ServedErrorCode } from "../store/served-error.ts";
import { SingleFlight } from "../store/single-flight.ts";
import type { TreeHeadStore } from "../store/tree-head-store.ts";
import type { ChecksumDatabase, Checksums, VersionHashes } from "./checksums.ts";
import { readFork, rememberFork } from "./fork-evidence.ts";
import type { SumdbRemote } from "./sumdb-reach.ts";

/** Milliseconds for which the head we serve may be older than the database's. */
const headAge = 60_000;

export interface SumdbFillParts {
  readonly verifier: Verifier;
  readonly remote: SumdbRemote;
  readonly store: ModuleStore;
  readonly heads: TreeHeadStore;
  readonly isPrivate: (module: string) => boolean;
  readonly clock: Pick<Clock, "now">;
}

/** The checksum database as this proxy verified it: what fills are held against, and what `/sumdb/<name>/` answers. */
export class SumdbFill implements Checksums, ChecksumDatabase {
  readonly #parts: SumdbFillParts;
  readonly #name: string;
  readonly #client: SumdbClient;
  /** A zip and its two small files want the same record at the same moment: it is stored once for them. */
  readonly #records = new SingleFlight<SumdbLookup>();
  #headAsked = Number.NEGATIVE_INFINITY;
  #marked = false;
  #advanced = { at: Number.NEGATIVE_INFINITY, done: Promise.resolve(false) };

  constructor(parts: SumdbFillParts) {
    this.#parts = parts;
    this.#name = parts.verifier.name;
    const { store, heads, remote } = parts;
    this.#client = new SumdbClient({
      verifier: parts.verifier,
      ops: {
        readRemote: (path, limit) => remote.get(path, { limit }).catch(forClient),
        readTile: (path) => store.read(sumdbKey(this.#name, path)),
        writeTile: async (path, data) =>
          void (await store.create(sumdbKey(this.#name, path), data, policies[tilePolicy(parseTilePath(path))])),
        readHead: () => heads.read(this.#name),
        replaceHead: (old, next) => heads.replace(this.#name, old, next),
      },
    });
  }

  async hashes(module: ModuleVersion): Promise<VersionHashes | undefined> {
    if (this.#parts.isPrivate(module.path)) return undefined;
    await this.#refuseAfterFork();
    const stored = await this.#stored(module);
    const found = hashesOf(module, stored ?? (await this.#ask(module, "checksum-unknown")));
    if (found !== undefined) return found;
    throw new ServedError(
      "checksum-unknown",
      `the checksum database has no hashes of ${module.path}@${module.version}`,
    );
  }

  async kept(module: ModuleVersion): Promise<VersionHashes | undefined> {
    if (this.#parts.isPrivate(module.path)) return undefined;
    const stored = await this.#stored(module);
    return stored && hashesOf(module, stored);
  }

  /** A lookup answer: the verified record under the newest verified head, whose proofs need no tile we do not have. */
  async lookup(module: ModuleVersion): Promise<Uint8Array> {
    // Those who serve refuse it before, in more words: here it must not get past whoever forgets to.
    if (this.#parts.isPrivate(module.path)) throw new ServedError("forbidden", `${module.path} is private`);
    const { id, record } = (await this.#stored(module)) ?? (await this.#askUnlessForked(module));
    const head = await this.#guard(async () => (await this.#client.head()) ?? (await this.#client.latest()));
    return composeLookup({ id, record }, head);
  }

  /**
   * A tile within the newest verified head; "not-found" beyond it, without asking the database for it.
   *
   * A client may know a newer head than we do, from another proxy or straight from the database, and needs tiles of that
   * to see that ours is its beginning: so a newer head is looked for first, once a minute at most.
   */
  tile(path: string): Promise<Uint8Array> {
    return this.#guard(async () => {
      try {
        return await this.#client.tile(path);
      } catch (error) {
        if (!isCodedError(error, "sumdb-beyond-head") || !(await this.#advance())) throw error;
        return this.#client.tile(path);
      }
    }, "not-found");
  }

  /** Follows the database to its newest head, once for all who want it; false when that did not work a moment ago. */
  #advance(): Promise<boolean> {
    const now = this.#parts.clock.now();
    if (now >= this.#advanced.at + headAge) this.#advanced = { at: now, done: this.#followNewest() };
    return this.#advanced.done;
  }

  async #followNewest(): Promise<boolean> {
    // Nothing of a log that nobody used yet is fetched because somebody asks for a tile of it.
    if ((await this.#client.head()) === undefined) return false;
    try {
      await this.#client.latest();
      return true;
    } catch (error) {
      if (error instanceof SumdbForkError) throw error;
      return false;
    }
  }

  /** The newest verified head, at most a minute older than the database's while that can be reached. */
  async head(): Promise<FillAnswer> {
    const now = this.#parts.clock.now();
    const kept = await this.#guard(() => this.#client.head());
    if (kept !== undefined && now < this.#headAsked + headAge) return { body: kept.signedNote };
    try {
      const newest = await this.#guard(() => this.#client.latest());
      this.#headAsked = now;
      return { body: newest.signedNote };
    } catch (error) {
      const unavailable = error instanceof ServedError && error.code === "checksum-unavailable";
      if (kept === undefined || !unavailable) throw error;
      return { body: kept.signedNote, stale: true };
    }
  }

  async #stored(module: ModuleVersion) {
    const stored = await this.#parts.store.read(this.#lookupKey(module));
    if (stored === undefined) return undefined;
    const { id, record, signedNote } = parseLookup(stored);
    return { id, record, head: { signedNote } };
  }

  async #askUnlessForked(module: ModuleVersion) {
    await this.#refuseAfterFork();
    return this.#ask(module, "not-found");
  }

  /** The record of a module version, verified now and stored, with all its proofs need. */
  #ask(module: ModuleVersion, absent: ServedErrorCode) {
    return this.#guard(() => this.#records.run(this.#lookupKey(module), () => this.#askAndStore(module)), absent);
  }

  async #askAndStore(module: ModuleVersion): Promise<SumdbLookup> {
    const found = await this.#client.lookup(module.path, module.version);
    await this.#markSupported();
    await this.#parts.store.create(this.#lookupKey(module), composeLookup(found, found.head), policies.lookup);
    return found;
  }

  /** Over `file://` it is this empty file that makes `go` look up records here instead of at the database itself. */
  async #markSupported(): Promise<void> {
    if (this.#marked) return;
    await this.#parts.store.create(sumdbKey(this.#name, "supported"), new Uint8Array(), policies.supported);
    this.#marked = true;
  }

  #lookupKey({ path, version }: ModuleVersion): string {
    return sumdbKey(this.#name, `lookup/${escapePath(path)}@${escapeVersion(version)}`);
  }

  /** After a fork nobody can say which of the two logs is the true one: only an operator may go on. */
  async #refuseAfterFork(): Promise<void> {
    const fork = await readFork(this.#parts.heads, this.#name);
    if (fork === undefined || fork.decided) return;
    throw new ServedError(
      "checksum-fork",
      `SECURITY ERROR: the checksum database ${this.#name} has shown two logs that contradict each other; ` +
        "no public module is fetched until an operator runs: modfront log fork",
    );
  }

  async #guard<T>(work: () => Promise<T>, absent: ServedErrorCode = "checksum-unknown"): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof SumdbForkError) await rememberFork(this.#parts.heads, this.#name, error);
      throw servedError(error, this.#name, absent);
    }
  }
}

/**
 * Puts a 404 into the client's words: it then asks for the full tile in place of a partial one, and takes a database that
 * lacks a tile of its own log for a liar. As a 404 of ours it would send `go` to the next proxy.
 */
function forClient(error: unknown): never {
  if (!isCodedError(error, "not-found")) throw error;
  throw new CodedError("sumdb-not-found" satisfies SumdbErrorCode, error.message, { cause: error });
}

function hashesOf(
  { path, version }: ModuleVersion,
  { id, record, head }: Pick<SumdbLookup, "id" | "record"> & { readonly head: Pick<SumdbLookup["head"], "signedNote"> },
): VersionHashes | undefined {
  const { zip, mod } = recordedHashes(record, path, version);
  const proof = { number: id, head: head.signedNote };
  return zip[0] === undefined || mod[0] === undefined ? undefined : { zip: zip[0], goMod: mod[0], proof };
}

const forged: readonly SumdbErrorCode[] = ["sumdb-bad-note", "sumdb-bad-record", "sumdb-bad-tile"];

function servedError(error: unknown, name: string, absent: ServedErrorCode): unknown {
  if (error instanceof ServedError) {
    return error.code === "checksum-unknown" ? new ServedError(absent, error.message, { cause: error }) : error;
  }
  if (!isCodedError<string>(error)) return error;
  if (isCodedError(error, "sumdb-fork"))
    return new ServedError("checksum-fork", `SECURITY ERROR: ${error.message}`, { cause: error });
  if (isCodedError(error, ...forged))
    return new ServedError("checksum-forged", `SECURITY ERROR: ${error.message} (${name})`, { cause: error });
  if (isCodedError(error, "sumdb-beyond-head", "sumdb-not-found", "tile-malformed-path"))
    return new ServedError("not-found", error.message, { cause: error });
  return new ServedError("checksum-unavailable", error.message, { cause: error });
}
