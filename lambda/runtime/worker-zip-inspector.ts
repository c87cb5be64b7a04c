import { Worker } from "node:worker_threads";
import type { ZipFacts, ZipInspector } from "../proxy/intake/zip-inspector.ts";
import type { ModuleVersion } from "../proxy/store/layout.ts";
import { ServedError } from "../proxy/store/served-error.ts";

/** What goes to the worker and what comes back. */
export interface InspectionRequest {
  readonly id: number;
  readonly module: ModuleVersion;
  readonly path: string;
}

export type InspectionAnswer =
  | { readonly id: number; readonly facts: ZipFacts }
  | { readonly id: number; readonly refusal: string }
  | { readonly id: number; readonly failure: string };

interface Waiting {
  readonly resolve: (facts: ZipFacts) => void;
  readonly reject: (error: unknown) => void;
}

/** One worker thread, started for the first zip and kept; zips are inspected one after the other. */
export class WorkerZipInspector implements ZipInspector {
  readonly #script: URL;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #next = 0;

  /** `script` is the worker's entry: lambda/runtime/zip-worker.ts, or its bundle. */
  constructor(script: URL) {
    this.#script = script;
  }

  prepare(): void {
    this.#worker ??= this.#start();
    if (this.#waiting.size === 0) this.#worker.unref();
  }

  inspect(module: ModuleVersion, path: string): Promise<ZipFacts> {
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const request: InspectionRequest = { id: this.#next++, module, path };
    worker.ref();
    return new Promise((resolve, reject) => {
      this.#waiting.set(request.id, { resolve, reject });
      worker.postMessage(request);
    });
  }

  #start(): Worker {
    const worker = new Worker(this.#script, { resourceLimits: { maxYoungGenerationSizeMb: 8 } });
    worker.on("message", (answer: InspectionAnswer) => this.#settle(worker, answer));
    worker.on("error", (cause) => this.#abandon(worker, cause));
    worker.on("exit", () => this.#abandon(worker, undefined));
    return worker;
  }

  #settle(worker: Worker, answer: InspectionAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0) worker.unref();
    if ("facts" in answer) waiting?.resolve(answer.facts);
    else if ("refusal" in answer) waiting?.reject(new ServedError("invalid-module", `its zip: ${answer.refusal}`));
    else waiting?.reject(new ServedError("internal", "the zip could not be read", { cause: answer.failure }));
  }

  /** A worker that died (out of memory, say) takes its zips with it; the next zip gets a new one. */
  #abandon(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const abandoned = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const waiting of abandoned)
      waiting.reject(new ServedError("internal", "the zip could not be inspected", { cause }));
  }
}
