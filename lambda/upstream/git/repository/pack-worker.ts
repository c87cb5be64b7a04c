import { parentPort } from "node:worker_threads";
import { GitFailure } from "../pack/git-failure.ts";
import { packTasks, transferable } from "./pack-tasks.ts";
import type { PackAnswer, PackOrder } from "./pack-threads.ts";

// The thread behind PackThreads: one task after the other, away from the event loop.

async function carryOut({ name, task }: PackOrder): Promise<PackAnswer> {
  try {
    const work = packTasks[name] as (task: unknown) => Promise<PackAnswer extends { result: infer R } ? R : never>;
    return { result: await work(task) };
  } catch (error) {
    if (error instanceof GitFailure) return { refusal: { code: error.code, message: error.message } };
    return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

parentPort?.on("message", async (order: PackOrder) => {
  const answer = await carryOut(order);
  parentPort?.postMessage(answer, "result" in answer ? transferable(answer.result) : []);
});
