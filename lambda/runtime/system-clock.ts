import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../proxy/store/clock.ts";

/** The machine's own time, for composition roots to hand on. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (milliseconds, signal) => {
    // node rejects with an error of its own, whose cause is the reason.
    await sleep(milliseconds, undefined, signal && { signal }).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw error;
    });
  },
  after: (milliseconds, ring) => {
    const timer = setTimeout(ring, milliseconds);
    return () => clearTimeout(timer);
  },
  every: (milliseconds, ring) => {
    const timer = setInterval(ring, milliseconds);
    return () => clearInterval(timer);
  },
};
