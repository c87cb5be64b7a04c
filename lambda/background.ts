import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { openConsumer } from "./aws/background-queue.ts";
import { openFill } from "./aws/deployed-fill.ts";
import { reportLine, writeLine } from "./aws/report-line.ts";
import { smallMemory } from "./aws/temporary-space.ts";
import { functionVersion, readEnvironment, readSettings, traceId } from "./config/env.ts";
import { explain } from "./proxy/store/explain.ts";
import { asServedError, isFault } from "./proxy/store/served-error.ts";
import { runJob } from "./proxy/upkeep/background.ts";
import { systemClock as clock } from "./runtime/system-clock.ts";

// The fill plane for what nobody waits for. Most of its time goes by in waiting for upstreams, so that it has less memory, and
// with it less of a CPU, than the one that is invoked for misses.

const environment = readEnvironment("background");
const { fill, stores } = await openFill({
  environment,
  settings: readSettings("background"),
  repositories: smallMemory,
  threadOf: (name) => new URL(`./${name}.mjs`, import.meta.url),
  clock,
  elapsed: () => performance.now(),
});
const consume = openConsumer(
  environment.MODFRONT_QUEUE,
  (job) => runJob({ fill, ...stores, reveal: (kind, module) => fill.reveal(kind, module) }, job),
  (outcome, messageId, error) => {
    const failed = outcome !== "done";
    const served = failed ? asServedError(error) : undefined;
    const metrics = {
      Jobs: 1,
      FailedJobs: failed ? 1 : 0,
      Alarming: served?.traits.alarming ? 1 : 0,
    };
    const fields = { outcome, messageId, error: failed ? explain(error) : undefined };
    const context = { handler: "background", now: clock.now(), traceId: traceId(), version: functionVersion() };
    writeLine(reportLine({ message: "background", fields, metrics, isFault: isFault(served) }, context));
  },
);

export function handler(event: SQSEvent): Promise<SQSBatchResponse> {
  return consume(event);
}
