import { Worker } from "node:worker_threads";
import { UpstreamFailure } from "../../../proxy/sources/upstream.ts";
import { Turns } from "../../http/turns.ts";
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

/** Threads at once; further tasks wait. */
const mostThreads = 2;

/**
 * Threads that work on packfiles, started when they are needed; one is kept for the next task.
 *
 * A task that is aborted ends at once, with its thread, wherever it is: nothing that a packfile holds can outlast that.
 */
export class PackThreads {
  readonly #script: URL;
  readonly #turns = new Turns(mostThreads);
  readonly #busy = new Set<Worker>();
  #idle: Worker | undefined;
  #closed = false;

  /** `script` is the thread's entry: lambda/upstream/git/repository/pack-worker.ts, or its bundle. */
  constructor(script: URL) {
    this.#script = script;
  }

  /** Throws `GitFailure` for what is wrong with the packfile, and the signal's reason. */
  async run<Name extends keyof PackTasks>(
    name: Name,
    task: PackTasks[Name]["task"],
    signal: AbortSignal,
  ): Promise<PackTasks[Name]["result"]> {
    const end = await this.#turns.take("", signal);
    try {
      if (this.#closed) throw new UpstreamFailure("unreachable", "cannot be reached any more");
      return (await this.#carryOut({ name, task }, signal)) as PackTasks[Name]["result"];
    } finally {
      end();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const workers = [...this.#busy, ...(this.#idle === undefined ? [] : [this.#idle])];
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  async #carryOut(order: PackOrder, signal: AbortSignal): Promise<unknown> {
    signal.throwIfAborted();
    const worker = this.#take();
    try {
      const answer = await ask(worker, order, signal);
      this.#keep(worker);
      if ("result" in answer) return answer.result;
      if ("refusal" in answer) throw new GitFailure(answer.refusal.code, answer.refusal.message);
      throw new Error("a packfile could not be read", { cause: answer.failure });
    } finally {
      this.#busy.delete(worker);
      if (this.#idle !== worker) void worker.terminate();
    }
  }

  #take(): Worker {
    const worker = this.#idle ?? this.#start();
    this.#idle = undefined;
    this.#busy.add(worker);
    worker.ref();
    return worker;
  }

  #start(): Worker {
    const worker = new Worker(this.#script, {
      resourceLimits: { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 512 },
    });
    // Whoever waits for it hears of its end; nobody does of an idle one.
    worker
      .on("error", () => {})
      .on("exit", () => {
        if (this.#idle === worker) this.#idle = undefined;
      });
    return worker;
  }

  #keep(worker: Worker): void {
    if (this.#idle !== undefined || this.#closed) return;
    worker.unref();
    this.#idle = worker;
  }
}

function ask(worker: Worker, order: PackOrder, signal: AbortSignal): Promise<PackAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<PackAnswer>();
  const onAbort = () => reject(signal.reason);
  // Out of memory, say: what the server sent is too much for the room that there is.
  const onError = (cause: unknown) =>
    reject(new GitFailure("too-large", "sent a packfile that takes too much memory", { cause }));
  const onExit = () => onError(undefined);
  signal.addEventListener("abort", onAbort, { once: true });
  worker.once("message", resolve).once("error", onError).once("exit", onExit);
  worker.postMessage(order);
  return promise.finally(() => {
    signal.removeEventListener("abort", onAbort);
    worker.off("message", resolve).off("error", onError).off("exit", onExit);
  });
}
