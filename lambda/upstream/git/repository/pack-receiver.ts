import type { TemporaryFiles } from "../../../proxy/store/temporary-files.ts";
import type { Commit } from "../pack/commit.ts";
import type { CommitGraph } from "../pack/commit-graph.ts";
import { GitFailure } from "../pack/git-failure.ts";
import type { GitLimits } from "../pack/git-limits.ts";
import type { ObjectId } from "../pack/object-id.ts";
import type { FetchRequest } from "./fetch-request.ts";
import type { GitServer } from "./git-server.ts";
import type { KeptPack, KeptPacks } from "./kept-packs.ts";
import type { PackTasks } from "./pack-tasks.ts";
import type { PackThreads } from "./pack-threads.ts";

export interface ReceiverParts {
  readonly server: GitServer;
  readonly files: TemporaryFiles;
  readonly kept: KeptPacks;
  readonly threads: PackThreads;
  readonly limits: GitLimits;
}

/** Fetches into files, and has a thread verify them. What fails leaves no file. */
export class PackReceiver {
  readonly #parts: ReceiverParts;

  constructor(parts: ReceiverParts) {
    this.#parts = parts;
  }

  /** A packfile that is verified and in use: it has the commit that `check` names, together with `others`. */
  async receive(
    request: FetchRequest,
    check: PackTasks["receive"]["task"]["check"],
    others: readonly KeptPack[],
    signal: AbortSignal,
  ): Promise<{ readonly pack: KeptPack; readonly commit: Commit }> {
    const { kept, threads } = this.#parts;
    return this.#fetched(request, signal, async ({ path, bytes, place, timed }) => {
      const packs = others.map(({ path, index }) => ({ path, index }));
      const { index, commit } = await threads.run("receive", { ...place, packs, path, check }, timed);
      return { keep: true, value: { pack: kept.add(path, bytes, index), commit } };
    });
  }

  /** The commits of what is fetched, together with those that were known. */
  async graph(
    request: FetchRequest,
    older: CommitGraph,
    signal: AbortSignal,
  ): Promise<{ readonly graph: CommitGraph; readonly others: readonly ObjectId[] }> {
    return this.#fetched(request, signal, async ({ path, place, timed }) => {
      const task = { ...place, packs: [], path, older, isShallow: false };
      return { keep: false, value: await this.#parts.threads.run("graph", task, timed) };
    });
  }

  async #fetched<T>(
    request: FetchRequest,
    signal: AbortSignal,
    work: (file: {
      readonly path: string;
      readonly bytes: number;
      readonly place: Pick<PackTasks["receive"]["task"], "format" | "limits">;
      readonly timed: AbortSignal;
    }) => Promise<{ readonly keep: boolean; readonly value: T }>,
  ): Promise<T> {
    const { server, files, limits } = this.#parts;
    const time = AbortSignal.timeout(limits.fetchTime);
    const timed = AbortSignal.any([signal, time]);
    const path = files.next();
    let keep = false;
    try {
      const bytes = await files.write(path, server.fetch(request, timed));
      const format = (await server.abilities(timed)).objectFormat;
      const done = await work({ path, bytes, place: { format, limits }, timed });
      keep = done.keep;
      return done.value;
    } catch (error) {
      if (time.aborted && !signal.aborted) throw new GitFailure("too-large", "took too long to be fetched");
      throw error;
    } finally {
      if (!keep) await files.remove(path);
    }
  }
}
