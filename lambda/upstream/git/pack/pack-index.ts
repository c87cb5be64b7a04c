import { compareIds } from "./id-order.ts";

/**
 * What is in a packfile: one row per object, sorted by id. Plain data that can be given to a thread.
 *
 * Every id was computed from the object's bytes.
 */
export interface PackIndex {
  /** Ids one after the other, sorted. */
  readonly ids: Uint8Array;
  /** Where each entry begins in the file. */
  readonly offsets: Float64Array;
  /** Bytes of each object itself, deltas applied. */
  readonly sizes: Float64Array;
  /** Of each object 1 commit, 2 tree, 3 blob, 4 tag, whatever its entry is. */
  readonly types: Uint8Array;
}

/** The row of an id among ids that stand one after the other and are sorted, or -1. */
export function rowOf({ ids }: { readonly ids: Uint8Array }, id: Uint8Array): number {
  let low = 0;
  for (let high = ids.length / id.length; low < high; ) {
    const middle = (low + high) >>> 1;
    const order = compareIds(ids, middle * id.length, id, 0, id.length);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return -1;
}
