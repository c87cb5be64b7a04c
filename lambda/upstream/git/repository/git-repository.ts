import type { Commit } from "../pack/commit.ts";
import type { ObjectId } from "../pack/object-id.ts";
import type { RefListing } from "./ref-listing.ts";
import type { Snapshot } from "./snapshot.ts";

/** Throws the signal's reason when it is aborted. What is under way for others as well goes on for them. */
export interface GitCall {
  readonly signal?: AbortSignal | undefined;
}

/**
 * A repository behind a git server's smart HTTP protocol.
 *
 * Objects are asked for by hash and verified by hash: a server can withhold one, never forge one. That it hands one out
 * does not mean that a branch or tag reaches it (a pull request's head is handed out as well): `History` proves that.
 * Calls for the same thing at the same time are one request. Throws `GitFailure`, `UpstreamFailure`, or the signal's reason.
 */
export interface GitRepository {
  /** What tells it from all others of the process: its URL as it was opened (not where redirects lead), and who it is opened for. */
  readonly key: string;

  /**
   * HEAD, branches and tags: two round trips the first time, one while the server's capabilities are known.
   *
   * With `tagPrefix` (`"sub/dir/v"`) tags that do not begin with it may be missing; branches and HEAD are always there.
   */
  refs(options?: GitCall & { readonly tagPrefix?: string }): Promise<RefListing>;

  /** One commit; a round trip when it is not known. "missing-object", "wrong-type" (a tag on a tree or blob, say). */
  commit(id: ObjectId, options?: GitCall): Promise<Commit>;

  /**
   * The content of some paths of a commit, without the rest of its files where the server can filter: two round trips at
   * most, none when a snapshot of the commit is kept. Of a symlink it is where that leads, as git
   * shows it. Paths that are no file (nothing, a folder, a submodule) are absent from the answer. "too-large" for more than
   * `limit` bytes in one of them.
   */
  files(
    commit: ObjectId,
    paths: readonly string[],
    options: GitCall & { readonly limit: number },
  ): Promise<ReadonlyMap<string, Buffer>>;

  /**
   * All files of a commit, or what lies at or below some paths of it (`["sub/dir", "LICENSE", ".gitattributes"]`): one
   * round trip for all, two or three for paths. What earlier snapshots of this repository have is not sent again.
   * To be closed; the bytes stay on disk until then.
   */
  snapshot(commit: ObjectId, options?: GitCall & { readonly paths?: readonly string[] }): Promise<Snapshot>;

  /**
   * The commits that HEAD, branches and tags of `refs` reach, fetched without trees and files where the server can filter,
   * and kept: later calls fetch what is new. None when `refs` has no tip that is not known.
   */
  history(refs: RefListing, options?: GitCall): Promise<History>;
}

/** The commits of a repository and which comes from which. Answers are exact; walks take turns with everybody else. */
export interface History {
  /** The commit, without its tree; undefined when no tip of the listing reaches it. */
  commit(id: ObjectId): Promise<Omit<Commit, "tree"> | undefined>;

  /** True when HEAD, a branch or a tag of the listing reaches the commit. */
  isReachable(id: ObjectId): Promise<boolean>;

  /** Those of `candidates` that are ancestors of `id`, itself included: one walk for any number. None that is not known. */
  ancestorsAmong(candidates: Iterable<ObjectId>, id: ObjectId): Promise<ReadonlySet<ObjectId>>;

  /**
   * The commit whose id begins with 7 or more lower-case hex digits; undefined when none that the listing reaches does.
   * "ambiguous" when several do.
   */
  resolve(abbreviated: string): Promise<ObjectId | undefined>;
}
