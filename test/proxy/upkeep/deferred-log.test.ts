import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogRecord } from "../../../lambda/proxy/store/log-store.ts";
import { DeferredLog } from "../../../lambda/proxy/upkeep/deferred-log.ts";
import { MemoryRecordLog } from "../../support/memory-record-log.ts";
import { type Fault, withFailpoints } from "../../support/with-failpoints.ts";

const record = (i: number, zip = "h1:a="): LogRecord => ({
  module: { path: `example.com/m${i}`, version: "v1.0.0" },
  zip,
  goMod: "h1:b=",
  proof: undefined,
});

/** A deferred log whose timer is rung by hand. */
function world(plan: readonly Fault[] = []) {
  const log = new MemoryRecordLog();
  const sizes: number[] = [];
  const append = log.append.bind(log);
  log.append = (records) => {
    sizes.push(records.length);
    return append(records);
  };
  const failures: unknown[] = [];
  const timers: { readonly pause: number; readonly ring: () => void }[] = [];
  const after = (pause: number, ring: () => void) => {
    timers.push({ pause, ring });
    return () => timers.splice(0);
  };
  const deferred = new DeferredLog({
    log: withFailpoints(log, plan),
    clock: { after },
    failed: (error) => failures.push(error),
  });
  return { deferred, log, sizes, failures, timers };
}

test("what is left to the background is appended together a while later, each version once", async () => {
  const { deferred, log, sizes, timers } = world();
  for (let i = 0; i < 60; i++) await deferred.enqueue([record(i), record(0)]);
  assert.deepEqual([timers.map(({ pause }) => pause), log.records.size], [[1000], 0]);
  timers.shift()?.ring();
  await deferred.stop();
  assert.deepEqual([log.records.size, sizes, timers], [60, [25, 25, 10], []]);
});

test("a record that contradicts what stands is told, and the others are appended", async () => {
  const { deferred, log, failures } = world();
  await log.append([record(3, "h1:first=")]);
  await deferred.enqueue(Array.from({ length: 5 }, (_, i) => record(i)));
  await deferred.stop();
  assert.equal(log.records.size, 5);
  assert.equal(log.records.get("example.com/m3@v1.0.0")?.zip, "h1:first=");
  assert.deepEqual(
    failures.map((error) => (error as { code: string }).code),
    ["record-mismatch"],
  );
});

test("a log that fails is told and tried again later, and what waits is kept within bounds", async () => {
  const plan: Fault[] = [{ method: "append", kind: "failed" }];
  const { deferred, log, failures, timers } = world(plan);
  for (let i = 0; i < 10_050; i++) await deferred.enqueue([record(i)]);
  timers.shift()?.ring();
  while (timers.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([timers.map(({ pause }) => pause), log.records.size, failures.length], [[30_000], 0, 1]);
  plan.pop();
  timers.shift()?.ring();
  await deferred.stop();
  assert.equal(log.records.size, 10_000);
});

test("what is enqueued while it stops is not begun", async () => {
  const { deferred, timers } = world();
  await deferred.stop();
  await deferred.enqueue([record(1)]);
  assert.deepEqual(timers, []);
});
