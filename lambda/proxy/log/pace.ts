import type { Clock } from "../store/clock.ts";

/** How those who append at the same moment keep out of each other's way. Times are milliseconds. */
export interface Pace {
  /** The longest first wait; it doubles with each try that was lost to somebody else. */
  readonly spread: number;
  /** No wait is longer. */
  readonly longest: number;
  /** How many tries in a row may be lost. */
  readonly patience: number;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
}

export const usualPace: Pace = { spread: 4, longest: 500, patience: 20, random: Math.random };

/** Waits a random moment before the next try, after so many that were lost. */
export async function waitTurn(pace: Pace, clock: Pick<Clock, "sleep">, lost: number): Promise<void> {
  await clock.sleep(pace.random() * Math.min(pace.spread * 2 ** lost, pace.longest));
}
