import type { Clock } from "../../lambda/proxy/store/clock.ts";

/** A clock that only moves when a test moves it. */
export class SetClock implements Clock {
  time = 1_000_000_000_000;

  now(): number {
    return this.time;
  }

  async sleep(milliseconds: number): Promise<void> {
    this.time += milliseconds;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
