import type { FailpointName } from "../../lambda/local/data/failpoints.ts";
import { startProduct } from "./product.ts";
import type { ChildProductTask } from "./product-process.ts";

// The composed product in a process of its own: prints its URL, serves until it is killed, or until it reaches the
// failpoint it was given, where it dies as kill -9 would have it.

const task = JSON.parse(process.argv[2] ?? "") as ChildProductTask;

let reached = 0;

function failpoint(name: FailpointName): void {
  if (name !== task.dieAt) return;
  reached++;
  if (reached === (task.dieOn ?? 1)) process.kill(process.pid, "SIGKILL");
}

const product = await startProduct(task, failpoint);
process.stdout.write(`${product.url}\n`);
