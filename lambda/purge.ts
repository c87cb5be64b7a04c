import { randomUUID } from "node:crypto";
import { invalidate, openCloudFront } from "./aws/invalidations.ts";
import type { PurgeEvent } from "./aws/lambda-purges.ts";
import { reportLine, writeLine } from "./aws/report-line.ts";
import { functionVersion, readEnvironment, traceId } from "./config/env.ts";
import { systemClock as clock } from "./runtime/system-clock.ts";

// Has CloudFront forget what it keeps of modules: what alone may, and all that it may. Lambda tries again what fails.

const { MODFRONT_DISTRIBUTION: distribution } = readEnvironment("purge");
const client = openCloudFront();

export async function handler({ modules }: PurgeEvent): Promise<void> {
  await invalidate(client, distribution, modules, randomUUID());
  const context = { handler: "purge", now: clock.now(), traceId: traceId(), version: functionVersion() };
  writeLine(reportLine({ message: "purge", fields: {}, metrics: { PurgedModules: modules.length } }, context));
}
