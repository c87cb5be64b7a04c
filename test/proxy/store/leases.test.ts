import assert from "node:assert/strict";
import { test } from "node:test";
import { Leases, leaseTiming } from "../../../lambda/proxy/store/leases.ts";
import { ServedError } from "../../../lambda/proxy/store/served-error.ts";
import { MemoryLeaseStore } from "../../support/memory-adapters.ts";
import { clockWith } from "../../support/set-clock.ts";
import { withFailpoints } from "../../support/with-failpoints.ts";

// The protocol of the leases on a clock that only moves when somebody sleeps.

function world() {
  let now = 1_000_000;
  const sleeps: number[] = [];
  const clock = clockWith({
    now: () => now,
    sleep: async (milliseconds: number) => {
      sleeps.push(milliseconds);
      now += milliseconds;
      await new Promise((resolve) => setImmediate(resolve));
    },
  });
  const store = new MemoryLeaseStore();
  return { store, clock, sleeps, leases: new Leases(store, clock) };
}

type Work = Parameters<Leases["run"]>[1];

function work(parts: Partial<Work>): Work {
  const none = async () => undefined;
  return { look: none, work: async () => "worked", adopt: async (found) => found, deadline: 2_000_000, ...parts };
}

test("who gets the lease looks, works and releases", async () => {
  const { leases, store } = world();
  assert.equal(await leases.run("a", work({})), "worked");
  const { heldUntil, failure } = await store.read("a");
  assert.deepEqual([heldUntil, failure], [0, undefined]);
});

test("a result found under the lease is adopted, not made again", async () => {
  const { leases } = world();
  const parts = { look: async () => "found", adopt: async (found: unknown) => `adopted ${found}` };
  assert.equal(await leases.run("a", work(parts)), "adopted found");
});

test("who waits polls 25 ms growing to 250 ms, and takes the result of a holder that released", async () => {
  const { leases, store, sleeps, clock } = world();
  await store.acquire("a", clock.now(), clock.now() + leaseTiming.held);
  let looks = 0;
  const waiting = leases.run("a", work({ look: async () => `result ${++looks}` }));
  while (sleeps.length < 6) await new Promise((resolve) => setImmediate(resolve));
  await store.release("a", 1, undefined);
  assert.equal(await waiting, "result 1");
  assert.deepEqual(sleeps.slice(0, 6), [25, 50, 100, 200, 250, 250]);
});

test("a holder that died is waited for until its time is over, then its lease is taken and what it left adopted", async () => {
  const { leases, store, clock } = world();
  const started = clock.now();
  const died = await store.acquire("a", started, started + leaseTiming.held);
  const parts = { look: async () => "left", adopt: async (found: unknown) => `adopted ${found}` };
  assert.equal(await leases.run("a", work(parts)), "adopted left");
  assert.ok(clock.now() - started <= leaseTiming.held + leaseTiming.longestPoll);
  // What comes too late of it counts for nothing.
  assert.equal(await store.renew("a", died?.fence ?? 0, clock.now() + leaseTiming.held), false);
});

test("a failure is shared with those who waited, and the next to ask tries again", async () => {
  const { leases, store, clock, sleeps } = world();
  await store.acquire("a", clock.now(), clock.now() + leaseTiming.held);
  const waiting = assert.rejects(leases.run("a", work({})), { code: "upstream-failed", message: "it is down" });
  while (sleeps.length < 2) await new Promise((resolve) => setImmediate(resolve));
  await store.release("a", 1, { code: "upstream-failed", message: "it is down" });
  await waiting;
  assert.equal(await leases.run("a", work({})), "worked");
});

test("what the work threw is thrown and shared; what nobody expected is shared without its words", async () => {
  const { leases, store } = world();
  const rows = [
    [new ServedError("not-found", "no such version"), { code: "not-found", message: "no such version" }],
    [new Error("secret"), { code: "internal", message: "the fetch of this version failed" }],
  ] as const;
  for (const [thrown, shared] of rows) {
    await assert.rejects(leases.run("a", work({ work: () => Promise.reject(thrown) })), thrown);
    assert.deepEqual((await store.read("a")).failure, shared);
  }
});

test("waiting ends at the deadline", async () => {
  const { leases, store, clock } = world();
  await store.acquire("a", clock.now(), clock.now() + 1_000_000);
  await assert.rejects(leases.run("a", work({ deadline: clock.now() + 500 })), { code: "fill-timeout" });
});

test("a release that fails, or whose answer is lost, does not take the result away", async () => {
  for (const kind of ["failed", "landed"] as const) {
    const { store, clock } = world();
    const leases = new Leases(withFailpoints(store, [{ method: "release", kind }]), clock);
    assert.equal(await leases.run("a", work({})), "worked", kind);
  }
});
