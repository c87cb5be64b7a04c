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
