import { parentPort } from "node:worker_threads";
import { writeModuleZip, type ZipJob } from "./module-zip.ts";

// The thread behind ThreadZips: one zip at a time, away from the event loop.

parentPort?.on("message", async (job: ZipJob) => parentPort?.postMessage(await writeModuleZip(job)));
