import { randomUUID } from "node:crypto";
import type { SNSEvent } from "aws-lambda";
import { AuditedChanges } from "./access/audit/audited-changes.ts";
import { AuditedChannels } from "./access/audited-channels.ts";
import { rollBackByAlarm } from "./aws/channel-alarm.ts";
import { DeployedChannelStates } from "./aws/deployed-channel-states.ts";
import { openKeyValues } from "./aws/key-value-store.ts";
import { openAuditEvents } from "./aws/open-deployed-audit.ts";
import { reportLine, writeLine } from "./aws/report-line.ts";
import { functionVersion, readEnvironment, readSettings, traceId } from "./config/env.ts";
import { systemClock as clock } from "./runtime/system-clock.ts";

// Rolls a channel back when the alarm on its counters says so.

const { MODFRONT_KEY_VALUE_STORE, MODFRONT_BUCKET, MODFRONT_PRIMARY_REGION } = readEnvironment("rollback");
const { alarms } = readSettings("rollback");
const channels = new AuditedChannels({
  states: new DeployedChannelStates(openKeyValues(), MODFRONT_KEY_VALUE_STORE),
  changes: new AuditedChanges(openAuditEvents(MODFRONT_BUCKET, MODFRONT_PRIMARY_REGION), clock.now),
  now: () => Math.floor(clock.now() / 1000),
});

/** What it throws SNS sends again. */
export async function handler(event: SNSEvent): Promise<void> {
  for (const { Sns } of event.Records) {
    const channel = await rollBackByAlarm(Sns.Message, { alarms, channels, request: randomUUID() });
    const context = { handler: "rollback", now: clock.now(), traceId: traceId(), version: functionVersion() };
    writeLine(
      reportLine({ message: "rollback", fields: { channel }, metrics: { Rollbacks: channel ? 1 : 0 } }, context),
    );
  }
}
