import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { openConsumer, sendJobs } from "./aws/background-queue.ts";
import { openFill } from "./aws/deployed-fill.ts";
import { openPurges } from "./aws/lambda-purges.ts";
import { reportLine, writeLine } from "./aws/report-line.ts";
import { smallMemory } from "./aws/temporary-space.ts";
import { functionVersion, readEnvironment, readSettings, traceId } from "./config/env.ts";
import { explain } from "./proxy/store/explain.ts";
import { asServedError, isFault } from "./proxy/store/served-error.ts";
import { runJob } from "./proxy/upkeep/background.ts";
import { takeBacklogTurn } from "./proxy/upkeep/backlog-turn.ts";
import { sweepJobs } from "./proxy/upkeep/repository-sweep.ts";
import { systemClock as clock } from "./runtime/system-clock.ts";

// The fill plane for what nobody waits for. Most of its time goes by in waiting for upstreams, so that it has less memory, and
// with it less of a CPU, than the one that is invoked for misses.

const environment = readEnvironment("background");
const settings = readSettings("background");
const { fill, stores, begin } = await openFill({
  environment,
  settings,
  repositories: smallMemory,
  threadOf: (name) => new URL(`./${name}.mjs`, import.meta.url),
  clock,
  elapsed: () => performance.now(),
});
const purges = openPurges(environment.MODFRONT_PURGE, purgeFailed);
const consume = openConsumer(
  environment.MODFRONT_QUEUE,
  (job) =>
    runJob(
      {
        ...{ fill, ...stores, clock, logBacklog, purges },
        reveal: (kind, module) => fill.reveal(kind, module),
        sweep: async () => void (await sendJobs(environment.MODFRONT_QUEUE, sweepJobs(settings.followed))),
      },
      job,
    ),
  (outcome, messageId, error) => {
    const failed = outcome !== "done";
    const served = failed ? asServedError(error) : undefined;
    const metrics = {
      Jobs: 1,
      FailedJobs: failed ? 1 : 0,
      Alarming: served?.traits.alarming ? 1 : 0,
    };
    const fields = { outcome, messageId, error: failed ? explain(error) : undefined };
    writeLine(reportLine({ message: "background", fields, metrics, isFault: isFault(served) }, context()));
  },
);

function purgeFailed(error: unknown): void {
  const metrics = { FailedPurges: 1 };
  writeLine(reportLine({ message: "purge", fields: { error: explain(error) }, metrics }, context()));
}

function context() {
  return { handler: "background", now: clock.now(), traceId: traceId(), version: functionVersion() };
}

/** One turn; when there is more, the next one is a job of its own. */
async function logBacklog(): Promise<void> {
  const { ownLog, leases, heads, stored, numbers } = stores;
  const turn = await takeBacklogTurn({
    ...{ leases, heads, stored, numbers, clock, log: ownLog.log },
    known: (module) => fill.logging.known(module),
    logByFiles: (module) => fill.logging.logByFiles(module),
    failed: ({ path, version }, error) => {
      const served = asServedError(error);
      const fields = { module: path, version, code: served.code, error: explain(error) };
      const metrics = { Alarming: served.traits.alarming ? 1 : 0 };
      writeLine(reportLine({ message: "backlog", fields, metrics }, context()));
    },
  });
  if (turn === "more") await sendJobs(environment.MODFRONT_QUEUE, [{ kind: "backlog" }]);
}

export async function handler(event: SQSEvent): Promise<SQSBatchResponse> {
  await begin();
  return consume(event);
}
