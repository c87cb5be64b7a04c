import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuditEvent } from "../../lambda/access/audit/audit-event.ts";
import { AuditedChanges } from "../../lambda/access/audit/audited-changes.ts";
import { AuditedChannels } from "../../lambda/access/audited-channels.ts";
import { accessValues } from "../../lambda/access/deployed-values.ts";
import { rollBackByAlarm } from "../../lambda/aws/channel-alarm.ts";
import { DeployedChannelStates } from "../../lambda/aws/deployed-channel-states.ts";
import { FakeKeyValues } from "../support/fake-key-values.ts";

const alarms = { "modfront-channel-canary": "canary", "modfront-channel-gone": "gone" };

/** As SNS hands on what CloudWatch says. */
function message(AlarmName: string, NewStateValue = "ALARM"): string {
  return JSON.stringify({ AlarmName, NewStateValue, NewStateReason: "Threshold Crossed", Region: "EU (Ireland)" });
}

test("an alarm rolls its channel back once, which the audit log says, and no other message does", async () => {
  const access = { anonymous: "none" as const, private: [], tenants: {}, channels: { canary: { share: 0.1 } } };
  const fake = new FakeKeyValues(new Map(accessValues(access)));
  const states = new DeployedChannelStates(fake.client, "arn");
  const events: AuditEvent[] = [];
  const changes = new AuditedChanges({ write: async (event) => void events.push(event) }, () => 1_800_000_000_000);
  const channels = new AuditedChannels({ states, changes, now: () => 1_800_000_000 });
  const told = (text: string) => rollBackByAlarm(text, { alarms, channels, request: "r1" });
  const rows: readonly string[] = [
    ...[message("modfront-channel-canary", "OK"), message("modfront-channel-canary", "INSUFFICIENT_DATA")],
    ...[message("other"), message("constructor"), message("modfront-channel-gone")],
    ...["", "null", "[]", "{", '{"AlarmName":{}}'],
  ];
  for (const row of rows) assert.equal(await told(row), undefined, row);
  assert.equal(fake.calls.UpdateKeysCommand, undefined);
  assert.equal(await told(message("modfront-channel-canary")), "canary");
  assert.equal(await told(message("modfront-channel-canary")), undefined);
  assert.equal((await states.read())[0]?.[6], 1_800_000_000);
  assert.deepEqual(
    events.map(({ action, target, decision, rule }) => [action, target, decision, rule].join(" ")),
    ["channel.rollback canary intended alarm", "channel.rollback canary done alarm"],
  );
});
