import { parentPort } from "node:worker_threads";
import { writeModuleZip, type ZipJob, type ZipResult } from "./module-zip.ts";

// The thread behind ThreadZips: one zip after the other, away from the event loop.

/** What goes to the thread, and what comes back. */
export interface NumberedJob {
  readonly id: number;
  readonly job: ZipJob;
}

export interface NumberedResult {
  readonly id: number;
  readonly result: ZipResult;
}

let last: Promise<unknown> = Promise.resolve();

parentPort?.on("message", ({ id, job }: NumberedJob) => {
  last = last.then(async () => parentPort?.postMessage({ id, result: await writeModuleZip(job) }));
});
