import type { ObjectId } from "./object-id.ts";

export interface Commit {
  readonly id: ObjectId;
  readonly tree: ObjectId;
  readonly parents: readonly ObjectId[];
  /** The committer's time, seconds since 1970 UTC. */
  readonly time: number;
}
