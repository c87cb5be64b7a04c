import type { ObjectId } from "./object-id.ts";

/** What a path of a tree is: `submodule` is a commit of another repository (a gitlink), of which there is no object here. */
export type TreeFileKind = "file" | "executable" | "symlink" | "submodule";

/** One path of a commit's tree that is no folder. */
export interface TreeFile {
  /**
   * From the root, with "/" between folders, never empty, absolute, or with "." or ".." or ".git" in it. Bytes that are
   * not UTF-8 are U+FFFD, which no rule of Go lets pass.
   */
  readonly path: string;
  readonly kind: TreeFileKind;
  readonly id: ObjectId;
  /** Bytes of the blob; 0 of a submodule; undefined in a snapshot without blobs whose blob is not there. */
  readonly size: number | undefined;
}
