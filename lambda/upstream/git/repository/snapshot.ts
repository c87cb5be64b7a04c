import type { Commit } from "../pack/commit.ts";
import type { ObjectFormat, ObjectId } from "../pack/object-id.ts";
import type { PackIndex } from "../pack/pack-index.ts";

/** Where a snapshot's objects are: plain data, which a thread can be given (`openObjects` reads it). */
export interface SnapshotPlace {
  readonly objectFormat: ObjectFormat;
  readonly tree: ObjectId;
  /** Every object that the snapshot promises is in one of them. */
  readonly packs: readonly PackPlace[];
}

/** A packfile on disk, verified, with what is in it. */
export interface PackPlace {
  readonly path: string;
  readonly index: PackIndex;
}

/** The files of one commit, on disk. */
export interface Snapshot {
  readonly commit: Commit;
  /** For a thread: `openObjects(snapshot.place)` there has the same files, synchronously. Valid until `close`. */
  readonly place: SnapshotPlace;

  /** Lets the bytes go. Calling it again does nothing. */
  close(): void;
}
