import type { Clock } from "./clock.ts";
import type { LeaseState, LeaseStore, SharedFailure } from "./lease-store.ts";
import { ServedError } from "./served-error.ts";

/** Milliseconds. A holder that died delays the others by at most `held` plus one poll. */
export const leaseTiming = { held: 10_000, renew: 3_000, firstPoll: 25, longestPoll: 250 } as const;

/** What is done under a lease. */
export interface LeasedWork<T> {
  /** The result, when somebody has finished it already: asked before working and while waiting. */
  readonly look: () => Promise<T | undefined>;
  readonly work: () => Promise<T>;
  /** Completes a result found under the lease: whoever made it may have died before it was done with it. */
  readonly adopt: (found: T) => Promise<T>;
  /** When waiting for another holder ends in "fill-timeout"; milliseconds since the epoch. */
  readonly deadline: number;
}

/** Lets one of all processes do a piece of work while the others wait for its result or its failure. */
export class Leases {
  readonly #store: LeaseStore;
  readonly #clock: Clock;

  constructor(store: LeaseStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * The result of the work under lease `name`: ours, or another holder's found by `look`.
   *
   * A failure of the holder we waited for is thrown here too; it is not remembered, the next to ask tries again.
   */
  async run<T>(name: string, leased: LeasedWork<T>): Promise<T> {
    for (;;) {
      const now = this.#clock.now();
      const lease = await this.#store.acquire(name, now, now + leaseTiming.held);
      if (lease !== undefined) return this.#hold(name, lease, leased);
      const found = await this.#wait(name, leased);
      if (found !== undefined) return found;
    }
  }

  async #hold<T>(name: string, lease: LeaseState, leased: LeasedWork<T>): Promise<T> {
    const stopRenewing = this.#clock.every(leaseTiming.renew, () => this.#renew(name, lease.fence));
    try {
      const found = await leased.look();
      const result = found === undefined ? await leased.work() : await leased.adopt(found);
      await this.#release(name, lease.fence, undefined);
      return result;
    } catch (error) {
      await this.#release(name, lease.fence, sharedFailure(error));
      throw error;
    } finally {
      stopRenewing();
    }
  }

  /** A release that fails costs the others the rest of the lease's time, not their result. */
  async #release(name: string, fence: number, failure: SharedFailure | undefined): Promise<void> {
    await this.#store.release(name, fence, failure).catch(() => {});
  }

  /** A renewal that fails needs no care: files are create-only, so losing the lease costs a second fetch, not a byte. */
  #renew(name: string, fence: number): void {
    this.#store.renew(name, fence, this.#clock.now() + leaseTiming.held).catch(() => {});
  }

  /** Waits until the lease is free; the result if it appears before, `undefined` when it is our turn to try. */
  async #wait<T>(name: string, leased: LeasedWork<T>): Promise<T | undefined> {
    for (let pause: number = leaseTiming.firstPoll; ; pause = Math.min(pause * 2, leaseTiming.longestPoll)) {
      const state = await this.#store.read(name);
      if (state.heldUntil <= this.#clock.now()) {
        if (state.failure !== undefined) throw new ServedError(state.failure.code, state.failure.message);
        // Held to the end of its time: the holder died, and what it left is taken on under a lease of our own.
        return state.heldUntil > 0 ? undefined : leased.look();
      }
      if (this.#clock.now() > leased.deadline)
        throw new ServedError("fill-timeout", "another fetch of this version is still under way; try again");
      await this.#clock.sleep(pause);
    }
  }
}

function sharedFailure(error: unknown): SharedFailure {
  if (error instanceof ServedError) return { code: error.code, message: error.message };
  return { code: "internal", message: "the fetch of this version failed" };
}
