import { createHash } from "node:crypto";
import type { HashReader } from "../../lambda/golang/tlog.ts";

/** A log of any size without a record: the hash stored at an index is that of the index in decimal. As in test/xmod. */
export const syntheticLog: HashReader = async (indexes) => indexes.map(syntheticHash);

export function syntheticHash(index: bigint): Uint8Array {
  return new Uint8Array(createHash("sha256").update(String(index)).digest());
}

/** Sizes and numbers around every power of two up to 2^61: where carries, widths of numbers and tiles change. */
export const edges: readonly bigint[] = [
  ...new Set(Array.from({ length: 62 }, (_, bit) => [-1n, 0n, 1n, 77n].map((d) => (1n << BigInt(bit)) + d)).flat()),
].filter((n) => n >= 0n);
