import type { FillAnswer } from "../store/fill-plane.ts";
import type { ModuleVersion } from "../store/layout.ts";
import type { RecordProof } from "../store/log-store.ts";

/** The hashes that a checksum database has for a module version, both `"h1:…"`. */
export interface VersionHashes {
  readonly zip: string;
  readonly goMod: string;
  /** How the database's log has proved them. */
  readonly proof?: RecordProof | undefined;
}

/**
 * The checksum database as fills see it.
 *
 * `hashes` is `undefined` for modules it is not asked about: private ones, and all when there is no database. Everything
 * else was verified: the record's inclusion in the newest head, and that head against every head before. Once it
 * returned, an empty client can verify the same from what is stored. Throws `ServedError` "checksum-unknown",
 * "checksum-unavailable", "checksum-fork".
 */
export interface Checksums {
  hashes(module: ModuleVersion): Promise<VersionHashes | undefined>;

  /** The same of what was verified before, without asking anybody; `undefined` of all else. */
  kept(module: ModuleVersion): Promise<VersionHashes | undefined>;
}

/** A checksum database as it is served below `/sumdb/<name>/`. All of them throw `ServedError`. */
export interface ChecksumDatabase {
  /** The record of a module version with its number, and a signed head that includes it. */
  lookup(module: ModuleVersion, waitUntil: number): Promise<Uint8Array>;

  /** The tile at `"tile/8/0/x001/234.p/7"`. */
  tile(path: string): Promise<Uint8Array>;

  /** The newest signed head. */
  head(): Promise<FillAnswer>;
}

/** What stands in where no checksum database is configured: nothing is asked, nothing is known. */
export const noChecksums: Checksums = { hashes: async () => undefined, kept: async () => undefined };
