import { parentPort } from "node:worker_threads";
import { CodedError } from "../golang/coded-error.ts";
import { inspectZip } from "../golang/inspect-zip.ts";
import type { InspectionAnswer, InspectionRequest } from "./worker-zip-inspector.ts";

// The thread behind WorkerZipInspector: one zip after the other, synchronously, away from the event loop.

async function inspect({ module, path }: InspectionRequest): Promise<InspectionAnswer> {
  try {
    const { hash, goMod, checked } = await inspectZip(module, path);
    return { facts: { hash, goMod }, files: checked.valid.length };
  } catch (error) {
    if (error instanceof CodedError) return { refusal: error.message };
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on("message", async (request: InspectionRequest) => parentPort?.postMessage(await inspect(request)));
