import { isCodedError } from "../../../golang/coded-error.ts";
import type { Commit } from "../pack/commit.ts";
import type { GitLimits } from "../pack/git-limits.ts";
import type { ObjectId } from "../pack/object-id.ts";
import type { GitServer } from "./git-server.ts";
import { HeldCommit, PackHold } from "./held-commit.ts";
import type { KeptPack, KeptPacks } from "./kept-packs.ts";
import type { PackReceiver } from "./pack-receiver.ts";
import type { PackThreads } from "./pack-threads.ts";

export interface CommitFilesParts {
  readonly server: GitServer;
  readonly receiver: PackReceiver;
  readonly kept: KeptPacks;
  readonly threads: PackThreads;
  readonly limits: GitLimits;
}

/** A commit and the packfiles that have of it what is known to be there, unless one of them is gone by now. */
interface KnownCommit {
  readonly commit: Commit;
  readonly packs: readonly KeptPack[];
}

/** Packfiles that a commit may be spread over; beyond that all of it is fetched anew. */
const mostPacks = 16;

/** Files that are wanted one by one; of a commit that lacks more all are fetched. */
const mostSingleFiles = 2_000;

/** Commits of one repository that are remembered of each kind. */
const mostKnown = 64;

/** The commits of one repository of which trees or files are on disk, and what it takes to have more of them. */
export class CommitFiles {
  readonly #parts: CommitFilesParts;
  /** With all files; the newest last. */
  readonly #whole = new Map<ObjectId, KnownCommit>();
  /** With all trees and perhaps some files. */
  readonly #trees = new Map<ObjectId, KnownCommit>();

  constructor(parts: CommitFilesParts) {
    this.#parts = parts;
  }

  /** The commit with all its files: one round trip, or none. */
  whole(id: ObjectId, signal: AbortSignal): Promise<HeldCommit> {
    return this.#held(async (hold) => this.#wholeIn(hold, id, signal));
  }

  /** The commit with the files at or below some paths: two round trips at most, or one where the server cannot filter. */
  some(id: ObjectId, paths: readonly string[], signal: AbortSignal): Promise<HeldCommit> {
    return this.#held(async (hold) => {
      const whole = this.#known(hold, this.#whole, id);
      if (whole !== undefined) return whole;
      const { filter } = await this.#parts.server.abilities(signal);
      return filter ? this.#someIn(hold, id, paths, signal) : this.#wholeIn(hold, id, signal);
    });
  }

  async #held(work: (hold: PackHold) => Promise<KnownCommit>): Promise<HeldCommit> {
    const hold = new PackHold(this.#parts.kept);
    try {
      const { commit, packs } = await work(hold);
      return new HeldCommit(commit, packs, hold);
    } catch (error) {
      hold.release();
      throw error;
    }
  }

  async #wholeIn(hold: PackHold, id: ObjectId, signal: AbortSignal): Promise<KnownCommit> {
    return this.#known(hold, this.#whole, id) ?? this.#fetch(hold, this.#whole, id, signal);
  }

  async #someIn(hold: PackHold, id: ObjectId, paths: readonly string[], signal: AbortSignal): Promise<KnownCommit> {
    const { server, threads, receiver, limits } = this.#parts;
    const known = this.#known(hold, this.#trees, id) ?? (await this.#fetch(hold, this.#trees, id, signal));
    // What other commits have of the files is not asked for again.
    const packs = [...known.packs];
    for (const other of [...this.#whole.values(), ...this.#trees.values()].reverse()) addPacks(packs, other, hold);
    const { objectFormat: format } = await server.abilities(signal);
    const place = { format, limits, packs: places(packs), tree: known.commit.tree };
    const { blobs: wants } = await threads.run("missing", { ...place, paths, most: mostSingleFiles }, signal);
    if (wants === undefined) return this.#wholeIn(hold, id, signal);
    if (wants.length === 0) return { commit: known.commit, packs };
    const check = { commit: id, needed: "files", paths } as const;
    const { pack } = await receiver.receive({ wants }, check, packs, signal);
    hold.add(pack);
    return remember(this.#trees, { commit: known.commit, packs: [pack, ...packs] });
  }

  /** Fetches a commit, without what the newest ones that are here have already. */
  async #fetch(
    hold: PackHold,
    known: Map<ObjectId, KnownCommit>,
    id: ObjectId,
    signal: AbortSignal,
  ): Promise<KnownCommit> {
    const { server, receiver } = this.#parts;
    const { shallow } = await server.abilities(signal);
    const bases = shallow ? this.#bases(hold, known) : { ids: [], packs: [] };
    const filter = known === this.#trees ? ("blob:none" as const) : undefined;
    const check = { commit: id, needed: filter === undefined ? "files" : "trees" } as const;
    const fetch = async ({
      ids,
      packs,
    }: {
      readonly ids: readonly ObjectId[];
      readonly packs: readonly KeptPack[];
    }) => {
      const request = { wants: [id], haves: ids, shallow: ids, onlyTips: shallow, filter, thin: ids.length > 0 };
      const { pack, commit } = await receiver.receive(request, check, packs, signal);
      hold.add(pack);
      return remember(known, { commit, packs: [pack, ...packs] });
    };
    try {
      return await fetch(bases);
    } catch (error) {
      // Some servers do not do what they should with what is here.
      if (bases.ids.length === 0 || !isCodedError(error, "missing-object", "bad-answer", "refused")) throw error;
      return fetch({ ids: [], packs: [] });
    }
  }

  #bases(hold: PackHold, known: ReadonlyMap<ObjectId, KnownCommit>) {
    const ids: ObjectId[] = [];
    const packs: KeptPack[] = [];
    for (const [id, base] of [...known].reverse()) {
      if (addPacks(packs, base, hold)) ids.push(id);
    }
    return { ids, packs };
  }

  #known(hold: PackHold, known: Map<ObjectId, KnownCommit>, id: ObjectId): KnownCommit | undefined {
    const commit = known.get(id);
    if (commit !== undefined && hold.use(commit.packs)) return remember(known, commit);
    known.delete(id);
    return undefined;
  }
}

/** Adds a commit's packfiles to others, unless that would be too many or one is gone. */
function addPacks(packs: KeptPack[], { packs: all }: KnownCommit, hold: PackHold): boolean {
  const more = all.filter((pack) => !packs.includes(pack));
  if (packs.length + more.length >= mostPacks || !hold.use(more)) return false;
  packs.push(...more);
  // As `SnapshotPlace` has them.
  packs.sort((a, b) => b.number - a.number);
  return true;
}

function places(packs: readonly KeptPack[]) {
  return packs.map(({ path, index }) => ({ path, index }));
}

function remember(known: Map<ObjectId, KnownCommit>, commit: KnownCommit): KnownCommit {
  known.delete(commit.commit.id);
  known.set(commit.commit.id, commit);
  for (const oldest of known.keys()) {
    if (known.size <= mostKnown) break;
    known.delete(oldest);
  }
  return commit;
}
