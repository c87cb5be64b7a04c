import type { ZipFacts, ZipInspector } from "../proxy/intake/zip-inspector.ts";
import type { ModuleVersion } from "../proxy/store/layout.ts";
import { ServedError } from "../proxy/store/served-error.ts";
import { TaskThreads } from "./task-threads.ts";

/** What goes to the thread and what comes back. */
export interface InspectionRequest {
  readonly module: ModuleVersion;
  readonly path: string;
}

export type InspectionAnswer =
  | { readonly facts: ZipFacts; readonly files: number }
  | { readonly refusal: string }
  | { readonly failure: string };

/** A thread that had a zip of more files than that in its memory is not kept. */
const mostKept = 10_000;

const never = new AbortController().signal;

/** One thread, started for the first zip and kept; zips are inspected one after the other. */
export class WorkerZipInspector implements ZipInspector {
  readonly #threads: TaskThreads<InspectionRequest, InspectionAnswer>;

  /** `script` is the thread's entry: lambda/runtime/zip-worker.ts, or its bundle. */
  constructor(script: URL) {
    this.#threads = new TaskThreads(script, { most: 1 });
  }

  prepare(): void {
    this.#threads.prepare();
  }

  async inspect(module: ModuleVersion, path: string): Promise<ZipFacts> {
    const keeps = (answer: InspectionAnswer) => "facts" in answer && answer.files <= mostKept;
    const answer = await this.#threads.run({ module, path }, { signal: never, keeps }).catch((cause: unknown) => {
      throw new ServedError("internal", "the zip could not be inspected", { cause });
    });
    if ("facts" in answer) return answer.facts;
    if ("refusal" in answer) throw new ServedError("invalid-module", `its zip: ${answer.refusal}`);
    throw new ServedError("internal", "the zip could not be read", { cause: answer.failure });
  }
}
