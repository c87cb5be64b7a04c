import { LRUCache } from "lru-cache";
import type { Commit } from "../pack/commit.ts";
import { GitFailure } from "../pack/git-failure.ts";
import type { GitLimits } from "../pack/git-limits.ts";
import { isObjectId, type ObjectFormat, type ObjectId } from "../pack/object-id.ts";
import { CommitFiles } from "./commit-files.ts";
import { graphOf, type KeptGraphs, tipsOf } from "./commit-graphs.ts";
import { CommitHistory } from "./commit-history.ts";
import type { GitCall, GitRepository, History } from "./git-repository.ts";
import type { GitServer } from "./git-server.ts";
import type { HeldCommit } from "./held-commit.ts";
import type { KeptPacks } from "./kept-packs.ts";
import type { PackReceiver } from "./pack-receiver.ts";
import type { PackThreads } from "./pack-threads.ts";
import type { RefListing } from "./ref-listing.ts";
import { SharedCalls } from "./shared-calls.ts";
import type { Snapshot } from "./snapshot.ts";

export interface HttpGitRepositoryParts {
  /** As in `GitRepository`. */
  readonly key: string;
  readonly server: GitServer;
  readonly receiver: PackReceiver;
  readonly threads: PackThreads;
  readonly kept: KeptPacks;
  readonly graphs: KeptGraphs;
  readonly limits: GitLimits;
}

/** Commits of a repository that are remembered. */
const mostCommits = 10_000;

/** A repository over git's smart HTTP protocol. */
export class HttpGitRepository implements GitRepository {
  readonly key: string;
  readonly #parts: HttpGitRepositoryParts;
  readonly #files: CommitFiles;
  readonly #calls = new SharedCalls();
  readonly #commits = new LRUCache<ObjectId, Commit>({ max: mostCommits });

  constructor(parts: HttpGitRepositoryParts) {
    this.key = parts.key;
    this.#parts = parts;
    this.#files = new CommitFiles(parts);
  }

  refs({ signal, tagPrefix = "" }: GitCall & { readonly tagPrefix?: string } = {}): Promise<RefListing> {
    return this.#calls.run(`refs ${tagPrefix}`, signal, (own) => this.#parts.server.refs(tagPrefix, own));
  }

  async commit(id: ObjectId, { signal }: GitCall = {}): Promise<Commit> {
    const known = this.#commits.get(id);
    if (known !== undefined) return known;
    if (this.#calls.has(snapshotKey(id, undefined))) return this.#commitOfSnapshot(id, signal);
    return this.#calls.run(`commit ${id}`, signal, (own) => this.#fetchCommit(id, own));
  }

  async files(
    commit: ObjectId,
    paths: readonly string[],
    { signal, limit }: GitCall & { readonly limit: number },
  ): Promise<ReadonlyMap<string, Buffer>> {
    const held = await this.#held(commit, paths, signal);
    try {
      return await this.#read(held, paths, limit, signal ?? new AbortController().signal);
    } finally {
      held.release();
    }
  }

  async snapshot(
    commit: ObjectId,
    { signal, paths }: GitCall & { readonly paths?: readonly string[] } = {},
  ): Promise<Snapshot> {
    const held = await this.#held(commit, paths, signal);
    const packs = held.packs.map(({ path, index }) => ({ path, index }));
    const objectFormat = formatOf(held.commit.id);
    return {
      commit: held.commit,
      place: { objectFormat, tree: held.commit.tree, packs },
      close: () => held.release(),
    };
  }

  async history(refs: RefListing, { signal }: GitCall = {}): Promise<History> {
    const tips = await tipsOf(refs);
    // One after the other: each builds on what the one before has fetched.
    const graph = await this.#calls.run(`history ${tips.join()}`, signal, (own) =>
      graphOf(refs, { ...this.#parts, signal: own }),
    );
    return new CommitHistory(graph, tips);
  }

  async #fetchCommit(id: ObjectId, signal: AbortSignal): Promise<Commit> {
    const { server, receiver, kept } = this.#parts;
    checkId(id);
    const { filter, shallow } = await server.abilities(signal);
    if (!filter) return this.#commitOfSnapshot(id, signal);
    const request = { wants: [id], onlyTips: shallow, filter: "tree:0" } as const;
    const { commit, pack } = await receiver.receive(request, { commit: id, needed: "commit" }, [], signal);
    kept.drop(pack);
    this.#commits.set(id, commit);
    return commit;
  }

  async #commitOfSnapshot(id: ObjectId, signal: AbortSignal | undefined): Promise<Commit> {
    const held = await this.#held(id, undefined, signal);
    held.release();
    return held.commit;
  }

  async #held(
    commit: ObjectId,
    paths: readonly string[] | undefined,
    signal: AbortSignal | undefined,
  ): Promise<HeldCommit> {
    checkId(commit);
    // What is on its way as a whole is not asked for in parts as well.
    const some = this.#calls.has(snapshotKey(commit, undefined)) ? undefined : paths;
    const held = await this.#calls.runShared(snapshotKey(commit, some), signal, (own) =>
      some === undefined ? this.#files.whole(commit, own) : this.#files.some(commit, some, own),
    );
    this.#commits.set(commit, held.commit);
    return held;
  }

  async #read(
    held: HeldCommit,
    paths: readonly string[],
    limit: number,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Buffer>> {
    const { threads, limits } = this.#parts;
    const packs = held.packs.map(({ path, index }) => ({ path, index }));
    const place = { format: formatOf(held.commit.id), limits, packs, tree: held.commit.tree };
    const contents = await threads.run("read", { ...place, paths, limit }, signal);
    return new Map(
      paths.flatMap((path, i) => {
        const content = contents[i];
        return content === undefined ? [] : [[path, Buffer.from(content)]];
      }),
    );
  }
}

/** By which calls for the same files of a commit are one. */
function snapshotKey(commit: ObjectId, paths: readonly string[] | undefined): string {
  return JSON.stringify([commit, paths]);
}

function formatOf(id: ObjectId): ObjectFormat {
  return id.length === 40 ? "sha1" : "sha256";
}

/** Ids go into what is sent to a server. */
function checkId(id: ObjectId): void {
  if (!isObjectId(id, "sha1") && !isObjectId(id, "sha256")) {
    throw new GitFailure("missing-object", "has no object with such a hash");
  }
}
