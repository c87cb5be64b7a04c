import type { Commit } from "../pack/commit.ts";
import type { SnapshotPlace } from "../pack/objects.ts";

/** The files of one commit, on disk. */
export interface Snapshot {
  readonly commit: Commit;
  /** For a thread: `new Objects(snapshot.place, limits)` there reads them, synchronously. Valid until `close`. */
  readonly place: SnapshotPlace;

  /** Lets the bytes go. Calling it again does nothing. */
  close(): void;
}
