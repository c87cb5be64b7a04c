import { sendJobs } from "./aws/background-queue.ts";
import { knownModules, readPreheatFiles } from "./aws/preheat-sources.ts";
import { reportLine, writeLine } from "./aws/report-line.ts";
import { functionVersion, readEnvironment, readSettings, traceId } from "./config/env.ts";
import { preheatJobs, preheatPrefix } from "./proxy/upkeep/preheat.ts";
import { systemClock as clock } from "./runtime/system-clock.ts";

const environment = readEnvironment("preheat");
const { preheat } = readSettings("preheat");

export async function handler(): Promise<void> {
  const unreadable: string[] = [];
  const jobs = preheatJobs({
    modules: preheat.modules,
    files: () => readPreheatFiles(environment.MODFRONT_BUCKET, preheatPrefix),
    known: () => knownModules(environment.MODFRONT_TABLE),
    refresh: preheat.refresh,
    unreadable: (name) => void unreadable.push(name),
  });
  // Not of preheating: but this is what runs by itself. One that finds nothing to do any more is one read.
  const backlog = await sendJobs(environment.MODFRONT_QUEUE, [{ kind: "backlog" }]);
  const sent = backlog + (await sendJobs(environment.MODFRONT_QUEUE, jobs));
  const fields = { unreadable: unreadable.join(" ") || undefined };
  const context = { handler: "preheat", now: clock.now(), traceId: traceId(), version: functionVersion() };
  writeLine(reportLine({ message: "preheat", fields, metrics: { SentJobs: sent } }, context));
}
