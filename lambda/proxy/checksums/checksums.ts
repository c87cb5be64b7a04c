import type { ModuleVersion } from "../store/layout.ts";

/** The hashes that a checksum database has for a module version, both `"h1:…"`. */
export interface VersionHashes {
  readonly zip: string;
  readonly goMod: string;
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
}

/** What stands in where no checksum database is configured: nothing is asked, nothing is known. */
export const noChecksums: Checksums = { hashes: async () => undefined };
