import type { Clock } from "../../lambda/proxy/store/clock.ts";
import { systemClock } from "../../lambda/runtime/system-clock.ts";

/** A clock whose time and pauses are a test's own, and what rings after a while that of the machine. */
export function clockWith(own: Pick<Clock, "now"> & Partial<Clock>): Clock {
  return { ...systemClock, ...own };
}

/** A clock that only moves when a test moves it, or sleeps. */
export class SetClock implements Clock {
  time = 1_000_000_000_000;
  readonly after = systemClock.after;
  readonly every = systemClock.every;

  now(): number {
    return this.time;
  }

  async sleep(milliseconds: number): Promise<void> {
    this.time += milliseconds;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
