import { Worker } from "node:worker_threads";
import { Turns } from "../../http/turns.ts";
import type { ZipJob, ZipResult } from "./module-zip.ts";

/** Makes the zips of modules. */
export interface ModuleZips {
  /** Rejects with the signal's reason, or when nothing can be said of the zip at all; then nobody writes to its file any more. */
  make(job: ZipJob, signal?: AbortSignal): Promise<ZipResult>;
}

/** Threads at once; further zips wait. */
const mostThreads = 2;

/**
 * Threads that make zips, started when they are needed; one is kept for the next zip.
 *
 * A zip that nobody waits for any more ends at once, with its thread.
 */
export class ThreadZips implements ModuleZips {
  readonly #script: URL;
  readonly #turns = new Turns(mostThreads);
  readonly #busy = new Set<Worker>();
  #idle: Worker | undefined;
  #closed = false;

  /** `script`: zip-thread.ts of this room, or its bundle. */
  constructor(script: URL) {
    this.#script = script;
  }

  async make(job: ZipJob, signal: AbortSignal = new AbortController().signal): Promise<ZipResult> {
    const end = await this.#turns.take("", signal);
    try {
      signal.throwIfAborted();
      if (this.#closed) return { kind: "failed", why: "the threads that make zips are ended" };
      return await this.#carryOut(job, signal);
    } finally {
      end();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const workers = [...this.#busy, ...(this.#idle === undefined ? [] : [this.#idle])];
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  async #carryOut(job: ZipJob, signal: AbortSignal): Promise<ZipResult> {
    const worker = this.#take();
    try {
      const result = await ask(worker, job, signal);
      this.#keep(worker);
      return result;
    } finally {
      this.#busy.delete(worker);
      if (this.#idle !== worker) await worker.terminate();
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
    const limits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 512 };
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

function ask(worker: Worker, job: ZipJob, signal: AbortSignal): Promise<ZipResult> {
  const { promise, resolve, reject } = Promise.withResolvers<ZipResult>();
  const onAbort = () => reject(signal.reason);
  // Out of memory, say.
  const onEnd = () => resolve({ kind: "failed", why: "it takes too much memory" });
  signal.addEventListener("abort", onAbort, { once: true });
  worker.once("message", resolve).once("error", onEnd).once("exit", onEnd);
  worker.postMessage(job);
  return promise.finally(() => {
    signal.removeEventListener("abort", onAbort);
    worker.off("message", resolve).off("error", onEnd).off("exit", onEnd);
  });
}
