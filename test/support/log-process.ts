import { join } from "node:path";
import type { FailpointName } from "../../lambda/local/data/failpoints.ts";
import { runScripts } from "./local-process.ts";

/** What a process does with the log of a data folder; records are those of `recordOf`. */
export interface LogChildTask {
  readonly data: string;
  readonly enqueue?: readonly number[];
  readonly append: readonly number[];
  readonly dieAt?: FailpointName;
  /** At which time it gets there; the first when absent. */
  readonly dieOn?: number;
}

export interface LogChildResults {
  /** Of the appended records, in their order. */
  readonly numbers: readonly number[];
  readonly counts: { readonly committed: number; readonly lost: number; readonly signed: number };
  readonly key: string;
}

/** Runs each task in a process of its own; they begin when all have opened the folder. */
export async function runLogProcesses(tasks: readonly LogChildTask[]) {
  const ends = await runScripts(join(import.meta.dirname, "log-child.ts"), tasks);
  return ends.map(({ signal, results, errors }) => ({
    signal,
    errors,
    results: results as LogChildResults | undefined,
  }));
}
