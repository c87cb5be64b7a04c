import type { FailpointName } from "../../lambda/local/data/failpoints.ts";
import { openLocalLog } from "./local-log.ts";
import type { LogChildTask } from "./log-process.ts";
import { recordOf } from "./log-records.ts";

// Another process with the log of a data folder: opens it, says "ready", waits for a line, appends as it was told, each
// record by a caller of its own, and prints what came of it. At its failpoint it dies as kill -9 would have it.

const task = JSON.parse(process.argv[2] ?? "") as LogChildTask;
let reached = 0;
const failpoint = (name: FailpointName) => {
  if (name === task.dieAt && ++reached === (task.dieOn ?? 1)) process.kill(process.pid, "SIGKILL");
};

const { log, counts, database } = await openLocalLog(task.data, { failpoint });
process.stdout.write("ready\n");
await new Promise((resolve) => process.stdin.once("data", resolve));
if (task.enqueue !== undefined) await log.enqueue(task.enqueue.map((i) => recordOf(i)));
const appended = await Promise.all(task.append.map((i) => log.append([recordOf(i)])));
process.stdin.destroy();
database.close();
process.stdout.write(`${JSON.stringify({ numbers: appended.flat().map(Number), counts, key: log.verifierKey })}\n`);
