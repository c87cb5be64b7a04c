import { UpstreamFailure } from "../../../proxy/sources/upstream.ts";
import { TaskThreads, ThreadEnded, ThreadsClosed } from "../../../runtime/task-threads.ts";
import { GitFailure, type GitFailureCode } from "../pack/git-failure.ts";
import type { PackTasks } from "./pack-tasks.ts";

/** What goes to a thread, one at a time. */
export interface PackOrder {
  readonly name: keyof PackTasks;
  readonly task: unknown;
}

export type PackAnswer =
  | { readonly result: PackTasks[keyof PackTasks]["result"] }
  | { readonly refusal: { readonly code: GitFailureCode; readonly message: string } }
  | { readonly failure: string };

/** Megabytes of JavaScript's heap that a thread may have. */
const heap = 512;

/** A thread that had more objects and commits than that in its memory is not kept. */
const mostKept = 10_000;

/** Threads that work on packfiles; one is kept for the next task, unless its packfile was a large one. */
export class PackThreads {
  readonly #threads: TaskThreads<PackOrder, PackAnswer>;

  /** `script` is the thread's entry: lambda/upstream/git/repository/pack-worker.ts, or its bundle. */
  constructor(script: URL) {
    this.#threads = new TaskThreads(script, { heap, most: 2 });
  }

  /** Throws `GitFailure` for what is wrong with the packfile, and the signal's reason. */
  async run<Name extends keyof PackTasks>(
    name: Name,
    task: PackTasks[Name]["task"],
    signal: AbortSignal,
  ): Promise<PackTasks[Name]["result"]> {
    const given = task.packs.reduce((sum, { index }) => sum + index.types.length, 0);
    const keeps = (answer: PackAnswer) => given + sizeOf(answer) <= mostKept;
    const answer = await this.#threads.run({ name, task }, { signal, keeps }).catch((error: unknown) => {
      throw failureOf(error);
    });
    if ("result" in answer) return answer.result as PackTasks[Name]["result"];
    if ("refusal" in answer) throw new GitFailure(answer.refusal.code, answer.refusal.message);
    throw new Error("a packfile could not be read", { cause: answer.failure });
  }

  close(): Promise<void> {
    return this.#threads.close();
  }
}

/** How many objects or commits an answer is of. */
function sizeOf(answer: PackAnswer): number {
  if (!("result" in answer)) return 0;
  const { result } = answer;
  if ("index" in result) return result.index.types.length;
  return "graph" in result ? result.graph.times.length : 0;
}

/** Out of memory, say: what the server sent is too much for the room that there is. */
function failureOf(error: unknown): unknown {
  if (error instanceof ThreadEnded)
    return new GitFailure("too-large", "sent a packfile that takes too much memory", { cause: error });
  return error instanceof ThreadsClosed ? new UpstreamFailure("unreachable", "cannot be reached any more") : error;
}
