import { Worker } from "node:worker_threads";
import type { ZipJob, ZipResult } from "./module-zip.ts";
import type { NumberedJob, NumberedResult } from "./zip-thread.ts";

/** Makes the zips of modules. */
export interface ModuleZips {
  /** Rejects only when nothing can be said of the zip at all. */
  make(job: ZipJob): Promise<ZipResult>;
}

interface Waiting {
  readonly resolve: (result: ZipResult) => void;
  readonly reject: (error: unknown) => void;
}

/** One thread, started for the first zip and kept; zips are made one after the other. */
export class ThreadZips implements ModuleZips {
  readonly #script: URL;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #next = 0;

  /** `script`: zip-thread.ts of this room, or its bundle. */
  constructor(script: URL) {
    this.#script = script;
  }

  make(job: ZipJob): Promise<ZipResult> {
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const numbered: NumberedJob = { id: this.#next++, job };
    worker.ref();
    return new Promise((resolve, reject) => {
      this.#waiting.set(numbered.id, { resolve, reject });
      worker.postMessage(numbered);
    });
  }

  #start(): Worker {
    const worker = new Worker(this.#script);
    worker.on("message", (answer: NumberedResult) => this.#settle(worker, answer));
    worker.on("error", (cause) => this.#abandon(worker, cause));
    worker.on("exit", () => this.#abandon(worker, undefined));
    return worker;
  }

  #settle(worker: Worker, { id, result }: NumberedResult): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) worker.unref();
    waiting?.resolve(result);
  }

  /** A thread that died takes its zips with it; the next one gets a new thread. */
  #abandon(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const abandoned = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of abandoned) reject(new Error("the thread that makes zips ended", { cause }));
  }
}
