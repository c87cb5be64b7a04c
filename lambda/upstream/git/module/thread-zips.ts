import { TaskThreads, ThreadEnded, ThreadsClosed } from "../../../runtime/task-threads.ts";
import type { ZipJob, ZipResult } from "./module-zip.ts";

/** Makes the zips of modules. */
export interface ModuleZips {
  /** Rejects with the signal's reason, or when nothing can be said of the zip at all; then nobody writes to its file any more. */
  make(job: ZipJob, signal?: AbortSignal): Promise<ZipResult>;
}

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
 * Threads that make zips. One with a small heap is kept for the next small zip; a large one has its own.
 *
 * A zip that nobody waits for any more ends at once, with its thread.
 */
export class ThreadZips implements ModuleZips {
  readonly #threads: TaskThreads<ZipJob, ZipResult>;

  /** `script`: zip-thread.ts of this room, or its bundle. */
  constructor(script: URL) {
    this.#threads = new TaskThreads(script, { heap: leastHeap, most: 2 });
  }

  async make(job: ZipJob, signal: AbortSignal = new AbortController().signal): Promise<ZipResult> {
    const heap = heapFor(job);
    try {
      return await this.#threads.run(job, { signal, heap: heap > leastHeap ? heap : undefined, keeps: () => true });
    } catch (error) {
      if (error instanceof ThreadEnded) return { kind: "failed", why: "it takes too much memory" };
      if (error instanceof ThreadsClosed) return { kind: "failed", why: "the threads that make zips are ended" };
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#threads.close();
  }
}
