import assert from "node:assert/strict";
import { test } from "node:test";
import { FailureWatch } from "../../../lambda/proxy/channels/failure-rule.ts";

test("a fifth of twenty requests within five minutes is over, and no less", () => {
  const run = (statuses: readonly number[], step = 1) => {
    const watch = new FailureWatch();
    return statuses.findIndex((status, i) => watch.isOver(status, i * step));
  };
  const ok = (count: number) => Array.from({ length: count }, () => 200);
  const bad = (count: number) => Array.from({ length: count }, () => 502);
  assert.equal(run([...bad(19), 200]), -1, "too few to tell");
  assert.equal(run(bad(20)), 19);
  assert.equal(run([...ok(16), ...bad(4)]), 19);
  assert.equal(run([...ok(17), ...bad(4)]), -1, "less than a fifth");
  assert.equal(run([...ok(17), ...bad(5)]), 21);
  assert.equal(run([...ok(16), 403, 404, 410, 429, 401]), -1, "an answer that says no is no failure");
  assert.equal(run(bad(100), 20_000), -1, "never so many within the time");
});
