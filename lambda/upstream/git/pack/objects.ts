import type { ObjectId } from "./object-id.ts";
import type { TreeFile } from "./tree-files.ts";

/**
 * Verified objects on disk, read synchronously: for threads.
 *
 * `openObjects(place, limits)` of this file makes one of a snapshot's `place`.
 */
export interface Objects {
  /**
   * The files of a tree, sorted as git sorts them, folder by folder; of several paths, those at or below one of them.
   * "missing-object", "bad-answer" (a tree that is malformed or holds names that are dangerous), "too-large".
   */
  files(tree: ObjectId, paths?: readonly string[]): Iterable<TreeFile>;

  /** A blob as it is stored. "missing-object", "wrong-type", "too-large" above `limit` bytes. */
  blob(id: ObjectId, limit: number): Buffer;

  /** The same in pieces of at most 1 MiB, which are the caller's: memory does not depend on the size of a blob that is no delta. */
  blobChunks(id: ObjectId): Iterable<Uint8Array>;

  close(): void;
}
