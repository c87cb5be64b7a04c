/**
 * When a channel is rolled back by itself: of so many requests within so many seconds, or of more, this part was answered with a 5xx.
 * lib/channel-alarms.ts makes an alarm of the same numbers.
 */
export const failureRule = { seconds: 300, requests: 20, part: 0.2 } as const;

/** What is counted of each channel, so that two can be compared. */
export type ChannelCount = "requests" | "refusals" | "failures";

/** The name under which what is in no channel is counted; no channel has it. */
export const defaultChannel = "default";

/** Returns what one answer adds to: a refusal is of who asks or of what is asked for, a failure is a 5xx. */
export function countsOf(status: number): readonly ChannelCount[] {
  if (status >= 500) return ["requests", "failures"];
  return status === 401 || status === 403 ? ["requests", "refusals"] : ["requests"];
}

/** Watches the answers of one channel. */
export class FailureWatch {
  #since = Number.NEGATIVE_INFINITY;
  #requests = 0;
  #failures = 0;

  /** Counts an answer at `now` (milliseconds); true where the rule says that the channel is to be rolled back. */
  isOver(status: number, now: number): boolean {
    if (now >= this.#since + failureRule.seconds * 1000) {
      this.#since = now;
      this.#requests = 0;
      this.#failures = 0;
    }
    this.#requests++;
    if (status < 500) return false;
    this.#failures++;
    const isOver = this.#requests >= failureRule.requests && this.#failures >= failureRule.part * this.#requests;
    // What is asked after it is restored begins anew.
    if (isOver) this.#since = Number.NEGATIVE_INFINITY;
    return isOver;
  }
}
