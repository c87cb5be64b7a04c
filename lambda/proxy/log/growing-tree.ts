import { emptyHash, nodeHash, recordHash, subtrees, type Tree } from "../../golang/tlog.ts";
import type { LogPlace, LogRow } from "../store/log-store.ts";

/** The roots of the complete subtrees that a log consists of, from left to right: all that an append has to know of it. */
export interface Frontier {
  readonly size: bigint;
  readonly hashes: readonly Uint8Array[];
}

export const emptyFrontier: Frontier = { size: 0n, hashes: [] };

/** A row and where it belongs. */
export type PlacedRow = LogPlace & LogRow;

/** Where a hash is kept: the row, and which of the row's hashes it is. */
export interface KeptHash {
  readonly place: LogPlace;
  readonly index: number;
}

/** Rows of one level are as many levels of the tree apart from those of the next. */
const height = 8;

/** Where the hashes of the frontier of a log of `size` records are kept. */
export function frontierPlaces(size: bigint): readonly KeptHash[] {
  return subtrees(0n, size).map(({ level, n }) => {
    const index = level % height;
    // A subtree's hash is kept with the last of those on the row's level that it is made of.
    const number = ((n + 1n) << BigInt(index)) - 1n;
    return { place: { level: Math.floor(level / height), number }, index };
  });
}

/** The tree that a frontier is of. */
export function treeOf({ size, hashes }: Frontier): Tree {
  return {
    n: size,
    hash: hashes.length === 0 ? emptyHash : hashes.reduceRight((right, left) => nodeHash(left, right)),
  };
}

/**
 * Returns the frontier with one more record and the rows to write for it: its own, and one for each subtree of a height
 * that is a multiple of 8 which it completes. The same hashes as x/mod's tlog.StoredHashes.
 */
export function appended(
  { size, hashes }: Frontier,
  { text, proof }: Pick<LogRow, "text" | "proof"> & { readonly text: Uint8Array },
): { readonly frontier: Frontier; readonly rows: readonly PlacedRow[] } {
  const before = [...hashes];
  const completed = [recordHash(text)];
  for (let n = size; n & 1n; n >>= 1n)
    completed.push(nodeHash(before.pop() as Uint8Array, completed.at(-1) as Uint8Array));
  const frontier = { size: size + 1n, hashes: [...before, completed.at(-1) as Uint8Array] };
  const rows: PlacedRow[] = [];
  for (let level = 0; level * height < completed.length; level++) {
    const own = level === 0 ? { text, proof } : { text: undefined, proof: undefined };
    const number = size >> BigInt(level * height);
    rows.push({ level, number, hashes: completed.slice(level * height, (level + 1) * height), ...own });
  }
  return { frontier, rows };
}
