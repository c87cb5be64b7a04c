import assert from "node:assert/strict";
import { test } from "node:test";
import { blankEvent } from "../../lambda/access/audit/audit-event.ts";
import { LimitedRefusals } from "../../lambda/access/audit/limited-refusals.ts";
import { MemoryAuditLog } from "../support/memory-audit-log.ts";
import { withFailpoints } from "../support/with-failpoints.ts";

const event = (time: number) =>
  ({ ...blankEvent, action: "request.tokens", token: "a1", decision: "refused", rule: "role", time }) as const;

test("of a flood of refused requests twenty a minute are written, and how many others there were", async () => {
  const log = new MemoryAuditLog();
  const refusals = new LimitedRefusals(log);
  for (let i = 0; i < 1000; i++) await refusals.write(event(1000 + i));
  assert.equal(log.events.length, 20);
  await refusals.write(event(61_000));
  await refusals.write(event(61_001));
  assert.deepEqual(
    log.events.slice(20).map(({ action, count, token }) => [action, count, token]),
    [
      ["request.other", 980, ""],
      ["request.tokens", 1, "a1"],
      ["request.tokens", 1, "a1"],
    ],
  );
});

test("one that cannot be written is refused all the same", async () => {
  const log = new MemoryAuditLog();
  await new LimitedRefusals(withFailpoints(log, [{ method: "write", kind: "failed" }])).write(event(0));
  assert.deepEqual(log.events, []);
});
