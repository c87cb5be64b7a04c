import type { CloudFormationCustomResourceEvent } from "aws-lambda";
import { answerCustomResource } from "./aws/custom-resource.ts";
import { openDeployedLog } from "./aws/deployed-log.ts";
import {
  type AppendInvocation,
  type AppendOutcome,
  type drainEvent,
  packLogFailure,
  unpackAppend,
} from "./aws/log-invocation.ts";
import { reportLine, writeLine } from "./aws/report-line.ts";
import { functionVersion, readEnvironment, readSettings, traceId } from "./config/env.ts";
import type { OwnLog } from "./proxy/log/own-log.ts";
import { explain } from "./proxy/store/explain.ts";
import { asServedError, isFault } from "./proxy/store/served-error.ts";
import { systemClock as clock } from "./runtime/system-clock.ts";

// Our own checksum database: the one function that appends to it, and the only one that signs. The fill plane asks it to
// append, a schedule to take along what waits, and CloudFormation what the log is called.

const environment = readEnvironment("log");
const settings = readSettings("log");

/** Milliseconds after which the rest of what waits is left for the next time; the function's own limit is a minute later. */
const drainBudget = 240_000;

/** What a role was given a moment ago is not known everywhere for some seconds. */
const beginnings = 6;

let opening: Promise<OwnLog> | undefined;
/** Since when nothing can be appended and signed. */
let failingSince: number | undefined;

export async function handler(
  event: AppendInvocation | typeof drainEvent | CloudFormationCustomResourceEvent,
): Promise<AppendOutcome | undefined> {
  if ("append" in event) return await append(event);
  if ("drain" in event) return await drain();
  await answerCustomResource(event, environment.MODFRONT_LOG_TABLE, begin);
  return undefined;
}

/** Has a head signed before there is a record, so that a key that cannot sign is found when it is deployed. */
async function begin(): Promise<{ readonly Gosumdb: string }> {
  for (let tries = 1; ; tries++) {
    try {
      const log = await open();
      await log.sign();
      return { Gosumdb: log.verifierKey };
    } catch (error) {
      if (tries === beginnings) throw error;
      await clock.sleep(5_000);
    }
  }
}

/** Opened once; a failure of it is of one call only. */
function open(): Promise<OwnLog> {
  opening ??= openDeployedLog({ environment, settings, clock }).catch((error: unknown) => {
    opening = undefined;
    throw error;
  });
  return opening;
}

async function append(event: AppendInvocation): Promise<AppendOutcome> {
  const started = clock.now();
  try {
    const numbers = await (await open()).append(unpackAppend(event));
    report("append", { started, records: numbers.length });
    return { numbers: numbers.map(String) };
  } catch (error) {
    report("append", { started, records: 0 }, error);
    return packLogFailure(error);
  }
}

async function drain(): Promise<undefined> {
  const started = clock.now();
  const budget = AbortSignal.timeout(drainBudget);
  try {
    const log = await open();
    const records = await log.drain(budget).catch(async (error: unknown) => {
      if (!budget.aborted) throw error;
      await log.sign();
      return 0;
    });
    report("drain", { started, records });
  } catch (error) {
    report("drain", { started, records: 0 }, error);
  }
}

function report(what: string, { started, records }: { started: number; records: number }, error?: unknown): void {
  const now = clock.now();
  const served = error === undefined ? undefined : asServedError(error);
  // A record that is refused, because another stands, is no failure of the log.
  const failed = served !== undefined && !served.traits.final;
  failingSince = failed ? (failingSince ?? now) : undefined;
  const metrics = {
    Records: records,
    FailedAppends: failed ? 1 : 0,
    HeadAge: Math.round((now - (failingSince ?? now)) / 1000),
    Milliseconds: now - started,
    Alarming: served?.traits.alarming ? 1 : 0,
  };
  const fields = { what, code: served?.code, error: error === undefined ? undefined : explain(error) };
  const context = { handler: "log", now, traceId: traceId(), version: functionVersion() };
  writeLine(reportLine({ message: "log", fields, metrics, isFault: isFault(served) }, context));
}
