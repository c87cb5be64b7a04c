import type { ModuleVersion } from "./layout.ts";

/** What a private version is, for ever: the hashes of its three files. */
export interface Claim {
  /** `"h1:…"` of the zip's files (x/mod dirhash.HashZip). */
  readonly zip: string;
  /** `"h1:…"` of go.mod. */
  readonly goMod: string;
  /** SHA-256 of the `.info` as it is served, in hex: info has no h1. */
  readonly info: string;
}

/**
 * The claims of private module versions: the first that is written for a version stays.
 *
 * Claims are serialisable and have read-after-write consistency, across processes and restarts; a claim is durable once
 * `claim` returned, and is never changed and never removed: not by eviction, and not by another region. Failures of the
 * medium are `ServedError` "store-failed". All methods may be called concurrently.
 */
export interface ClaimStore {
  /** Claims the version unless it is claimed already; returns the claim that stands, which is the one that came first. */
  claim(module: ModuleVersion, claim: Claim): Promise<Claim>;

  /** The claim that stands, or `undefined`. */
  read(module: ModuleVersion): Promise<Claim | undefined>;
}
