import { Worker } from "node:worker_threads";
import { Turns } from "./turns.ts";

export interface ThreadLimits {
  /** Megabytes that JavaScript's heap of a thread may have; what the process may, without. */
  readonly heap?: number;
  /** Threads at once; further tasks wait. */
  readonly most: number;
}

/** How a task is carried out. */
export interface TaskWay<Answer> {
  readonly signal: AbortSignal;
  /** Megabytes of heap that its thread may have, which is then a thread of its own; without, any will do. */
  readonly heap?: number | undefined;
  /** Whether the thread is kept for the next task: what a large one took in memory goes with its thread. */
  readonly keeps: (answer: Answer) => boolean;
}

/** What `TaskThreads.run` throws where a thread ended before it answered, out of memory say. */
export class ThreadEnded extends Error {}

/** What it throws when nothing is begun any more. */
export class ThreadsClosed extends Error {}

/**
 * Threads of one script, which answers each message by one, started when they are needed; one is kept for the next task.
 *
 * A task that is aborted ends at once, with its thread, wherever it is: nothing that a server sent can outlast that.
 */
export class TaskThreads<Task, Answer> {
  readonly #script: URL;
  readonly #heap: number | undefined;
  readonly #turns: Turns;
  readonly #busy = new Set<Worker>();
  #idle: Worker | undefined;
  #closed = false;

  /** `script` is the thread's entry, or its bundle. */
  constructor(script: URL, { heap, most }: ThreadLimits) {
    this.#script = script;
    this.#heap = heap;
    this.#turns = new Turns(most);
  }

  /** Says that a task will come, so that a thread's start and what comes before the task take their time side by side. */
  prepare(): void {
    if (this.#busy.size === 0 && this.#idle === undefined && !this.#closed) this.#keep(this.#start(this.#heap));
  }

  /** Rejects with the signal's reason, `ThreadEnded` and `ThreadsClosed`; then no thread works on it any more. */
  async run(task: Task, way: TaskWay<Answer>): Promise<Answer> {
    const end = await this.#turns.take("", way.signal);
    try {
      way.signal.throwIfAborted();
      if (this.#closed) throw new ThreadsClosed("the threads are ended");
      return await this.#carryOut(task, way);
    } finally {
      end();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const workers = [...this.#busy, ...(this.#idle === undefined ? [] : [this.#idle])];
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  async #carryOut(task: Task, { signal, heap, keeps }: TaskWay<Answer>): Promise<Answer> {
    const worker = this.#take(heap);
    try {
      const answer = (await ask(worker, task, signal)) as Answer;
      if (heap === undefined && keeps(answer)) this.#keep(worker);
      return answer;
    } finally {
      this.#busy.delete(worker);
      if (this.#idle !== worker) await worker.terminate();
    }
  }

  #take(heap: number | undefined): Worker {
    const idle = heap === undefined ? this.#idle : undefined;
    const worker = idle ?? this.#start(heap ?? this.#heap);
    if (worker === idle) this.#idle = undefined;
    this.#busy.add(worker);
    worker.ref();
    return worker;
  }

  #start(heap: number | undefined): Worker {
    const limits = { maxYoungGenerationSizeMb: 8, ...(heap !== undefined && { maxOldGenerationSizeMb: heap }) };
    const worker = new Worker(this.#script, { resourceLimits: limits });
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

function ask(worker: Worker, task: unknown, signal: AbortSignal): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const onAbort = () => reject(signal.reason);
  const onEnd = (cause: unknown) => reject(new ThreadEnded("a thread ended before it answered", { cause }));
  signal.addEventListener("abort", onAbort, { once: true });
  worker.once("message", resolve).once("error", onEnd).once("exit", onEnd);
  worker.postMessage(task);
  return promise.finally(() => {
    signal.removeEventListener("abort", onAbort);
    worker.off("message", resolve).off("error", onEnd).off("exit", onEnd);
  });
}
