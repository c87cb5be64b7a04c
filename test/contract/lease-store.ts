import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LeaseState, LeaseStore } from "../../lambda/proxy/store/lease-store.ts";
import { type Open, openFor } from "./opened.ts";

const name = "github.com/Azure/x@v1.0.0";
const failure = { code: "upstream-failed", message: "https://proxy.example answered 502" } as const;

function held(fence: number, heldUntil: number): LeaseState {
  return { fence, heldUntil, failure: undefined };
}

/** The fence of a lease that must be free. */
async function take(store: LeaseStore, now: number, heldUntil: number): Promise<number> {
  const state = await store.acquire(name, now, heldUntil);
  assert.ok(state !== undefined && state.fence > 0);
  assert.deepEqual(state, held(state.fence, heldUntil));
  return state.fence;
}

/** True for a lease that is free and shares no failure: its row may be there or forgotten. */
function isFinished({ heldUntil, failure }: LeaseState): boolean {
  return heldUntil === 0 && failure === undefined;
}

/** What every `LeaseStore` must do, whatever it keeps its rows in. The clock is the caller's: here, small numbers. */
export function leaseStoreContract(implementation: string, open: Open<LeaseStore>): void {
  describe(`${implementation} keeps the contract of LeaseStore`, () => {
    test("a lease that was never taken is fence 0", async (t) => {
      const { store } = await openFor(t, open);
      assert.deepEqual(await store.read(name), held(0, 0));
      assert.equal(await store.renew(name, 0, 100), false);
      await store.release(name, 0, failure);
      assert.deepEqual(await store.read(name), held(0, 0));
    });

    test("a lease is held until its time, and free at it", async (t) => {
      const { store, other } = await openFor(t, open);
      const first = await take(store, 100, 110);
      assert.deepEqual(await other.read(name), held(first, 110));
      assert.equal(await other.acquire(name, 100, 110), undefined);
      assert.equal(await other.acquire(name, 109, 119), undefined);
      assert.deepEqual(await store.read(name), held(first, 110));
      assert.ok((await take(other, 110, 120)) > first);
    });

    test("a released lease is free at once", async (t) => {
      const { store, other } = await openFor(t, open);
      const first = await take(store, 100, 110);
      await store.release(name, first, undefined);
      assert.ok(isFinished(await other.read(name)));
      assert.ok((await take(other, 101, 111)) > first);
    });

    test("a fencing counter that never repeats, though finished leases are pruned", async (t) => {
      const { store, other } = await openFor(t, open);
      const fences: number[] = [];
      for (let i = 0; i < 20; i++) {
        const by = i % 2 === 0 ? store : other;
        fences.push(await take(by, 100 + i, 200 + i));
        await by.release(name, fences.at(-1) ?? 0, i % 3 === 0 ? failure : undefined);
      }
      assert.equal(new Set(fences).size, fences.length);
      assert.deepEqual(
        fences.toSorted((a, b) => a - b),
        fences,
      );
      // What is left of an earlier holder can do nothing to a later one.
      const last = await take(store, 300, 400);
      for (const fence of fences) {
        assert.equal(await other.renew(name, fence, 500), false);
        await other.release(name, fence, failure);
      }
      assert.deepEqual(await store.read(name), held(last, 400));
    });

    test("a renewed lease is held longer", async (t) => {
      const { store, other } = await openFor(t, open);
      const first = await take(store, 100, 110);
      assert.equal(await store.renew(name, first, 113), true);
      assert.equal(await other.acquire(name, 112, 122), undefined);
      assert.ok((await take(other, 113, 123)) > first);
    });

    test("who overslept may renew as long as nobody took it", async (t) => {
      const { store } = await openFor(t, open);
      const first = await take(store, 100, 110);
      assert.equal(await store.renew(name, first, 500), true);
      assert.equal(await store.acquire(name, 300, 310), undefined);
    });

    test("who lost a lease can neither renew nor release it", async (t) => {
      const { store, other } = await openFor(t, open);
      const first = await take(store, 100, 110);
      const second = await take(other, 110, 120);
      assert.equal(await store.renew(name, first, 130), false);
      await store.release(name, first, failure);
      assert.deepEqual(await other.read(name), held(second, 120));
    });

    test("what was released cannot be renewed or released again", async (t) => {
      const { store } = await openFor(t, open);
      const fence = await take(store, 100, 110);
      await store.release(name, fence, failure);
      assert.equal(await store.renew(name, fence, 130), false);
      await store.release(name, fence, undefined);
      assert.deepEqual(await store.read(name), { fence, heldUntil: 0, failure });
    });

    test("a failure is shared until the next holder, with the fence it belongs to", async (t) => {
      const { store, other } = await openFor(t, open);
      const first = await take(store, 100, 110);
      await store.release(name, first, failure);
      assert.deepEqual(await other.read(name), { fence: first, heldUntil: 0, failure });
      const second = await take(other, 101, 111);
      assert.ok(second > first);
      assert.deepEqual(await store.read(name), held(second, 111));
      await other.release(name, second, undefined);
      assert.ok(isFinished(await store.read(name)));
    });

    test("among many callers one gets each fence", async (t) => {
      const { store, other } = await openFor(t, open);
      let last = 0;
      for (let round = 1; round <= 5; round++) {
        const callers = Array.from({ length: 20 }, (_, i) => (i % 2 ? store : other));
        const states = await Promise.all(callers.map((caller) => caller.acquire(name, round * 100, round * 100 + 100)));
        const got = states.filter((state) => state !== undefined);
        assert.deepEqual(got, [held(got[0]?.fence ?? 0, round * 100 + 100)]);
        assert.ok((got[0]?.fence ?? 0) > last);
        last = got[0]?.fence ?? 0;
      }
    });

    test("leases of different names know nothing of each other", async (t) => {
      const { store } = await openFor(t, open);
      await store.acquire(name, 100, 110);
      for (const near of [`${name}0`, name.toLowerCase(), "", `${name} list`]) {
        assert.equal((await store.acquire(near, 100, 110))?.heldUntil, 110, near);
      }
    });

    test("times are milliseconds since the epoch, to the millisecond", async (t) => {
      const { store } = await openFor(t, open);
      const now = 1_900_000_000_123;
      await take(store, now, now + 10_000);
      assert.equal(await store.acquire(name, now + 9_999, now + 20_000), undefined);
    });
  });
}
