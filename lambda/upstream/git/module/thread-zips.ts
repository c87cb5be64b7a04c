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

/** Megabytes of JavaScript's heap that a thread may have, at least and at most. */
const leastHeap = 128;
const mostHeap = 512;

/**
 * What the heap may have for so many objects. Far more than it takes, but the collector lets a heap grow by what it may
 * have: with 512 MB the thread of 50,000 files takes 30 MB more than with 256.
 */
function heapFor({ place: { packs } }: ZipJob): number {
  const objects = packs.reduce((count, { index }) => count + index.types.length, 0);
  return Math.min(mostHeap, Math.max(leastHeap, Math.ceil(64 + objects / 340)));
}

/**
 * Threads that make zips, started when they are needed. One with a small heap is kept for the next small zip; what a large
 * one took in memory goes with its thread.
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
    const heap = heapFor(job);
    const worker = this.#take(heap);
    try {
      const result = await ask(worker, job, signal);
      if (heap === leastHeap) this.#keep(worker);
      return result;
    } finally {
      this.#busy.delete(worker);
      if (this.#idle !== worker) await worker.terminate();
    }
  }

  #take(heap: number): Worker {
    const idle = heap === leastHeap ? this.#idle : undefined;
    const worker = idle ?? this.#start(heap);
    if (worker === idle) this.#idle = undefined;
    this.#busy.add(worker);
    worker.ref();
    return worker;
  }

  #start(heap: number): Worker {
    const limits = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: heap };
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
