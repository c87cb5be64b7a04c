import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LeaseState, LeaseStore } from "../../lambda/proxy/store/lease-store.ts";
import { type Open, openFor } from "./opened.ts";

const name = "github.com/Azure/x@v1.0.0";
const failure = { code: "upstream-failed", message: "https://proxy.example answered 502" } as const;

function held(fence: number, heldUntil: number): LeaseState {
  return { fence, heldUntil, failure: undefined };
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
      assert.deepEqual(await store.acquire(name, 100, 110), held(1, 110));
      assert.deepEqual(await other.read(name), held(1, 110));
      assert.equal(await other.acquire(name, 100, 110), undefined);
      assert.equal(await other.acquire(name, 109, 119), undefined);
      assert.deepEqual(await store.read(name), held(1, 110));
      assert.deepEqual(await other.acquire(name, 110, 120), held(2, 120));
    });

    test("a released lease is free at once", async (t) => {
      const { store, other } = await openFor(t, open);
      await store.acquire(name, 100, 110);
      await store.release(name, 1, undefined);
      assert.deepEqual(await other.read(name), held(1, 0));
      assert.deepEqual(await other.acquire(name, 101, 111), held(2, 111));
    });

    test("a renewed lease is held longer", async (t) => {
      const { store, other } = await openFor(t, open);
      await store.acquire(name, 100, 110);
      assert.equal(await store.renew(name, 1, 113), true);
      assert.equal(await other.acquire(name, 112, 122), undefined);
      assert.deepEqual(await other.acquire(name, 113, 123), held(2, 123));
    });

    test("who overslept may renew as long as nobody took it", async (t) => {
      const { store } = await openFor(t, open);
      await store.acquire(name, 100, 110);
      assert.equal(await store.renew(name, 1, 500), true);
      assert.equal(await store.acquire(name, 300, 310), undefined);
    });

    test("who lost a lease can neither renew nor release it", async (t) => {
      const { store, other } = await openFor(t, open);
      await store.acquire(name, 100, 110);
      await other.acquire(name, 110, 120);
      assert.equal(await store.renew(name, 1, 130), false);
      await store.release(name, 1, failure);
      assert.deepEqual(await other.read(name), held(2, 120));
    });

    test("what was released cannot be renewed or released again", async (t) => {
      const { store } = await openFor(t, open);
      await store.acquire(name, 100, 110);
      await store.release(name, 1, failure);
      assert.equal(await store.renew(name, 1, 130), false);
      await store.release(name, 1, undefined);
      assert.deepEqual(await store.read(name), { fence: 1, heldUntil: 0, failure });
    });

    test("a failure is shared until the next holder, with the fence it belongs to", async (t) => {
      const { store, other } = await openFor(t, open);
      await store.acquire(name, 100, 110);
      await store.release(name, 1, failure);
      assert.deepEqual(await other.read(name), { fence: 1, heldUntil: 0, failure });
      assert.deepEqual(await other.acquire(name, 101, 111), held(2, 111));
      assert.deepEqual(await store.read(name), held(2, 111));
      await other.release(name, 2, undefined);
      assert.deepEqual(await store.read(name), held(2, 0));
    });

    test("among many callers one gets each fence", async (t) => {
      const { store, other } = await openFor(t, open);
      for (let round = 1; round <= 5; round++) {
        const callers = Array.from({ length: 20 }, (_, i) => (i % 2 ? store : other));
        const states = await Promise.all(callers.map((caller) => caller.acquire(name, round * 100, round * 100 + 100)));
        assert.deepEqual(
          states.filter((state) => state !== undefined),
          [held(round, round * 100 + 100)],
        );
      }
    });

    test("leases of different names know nothing of each other", async (t) => {
      const { store } = await openFor(t, open);
      await store.acquire(name, 100, 110);
      for (const near of [`${name}0`, name.toLowerCase(), "", `${name} list`]) {
        assert.deepEqual(await store.acquire(near, 100, 110), held(1, 110), near);
      }
    });

    test("times are milliseconds since the epoch, to the millisecond", async (t) => {
      const { store } = await openFor(t, open);
      const now = 1_900_000_000_123;
      assert.deepEqual(await store.acquire(name, now, now + 10_000), held(1, now + 10_000));
      assert.equal(await store.acquire(name, now + 9_999, now + 20_000), undefined);
    });
  });
}
