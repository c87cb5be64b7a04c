/** How an attempt that a breaker let through went on. */
export interface BreakerPass {
  /** A connection stands: the upstream can be reached, whatever becomes of this attempt. */
  connected(): void;
  /** No connection could be made. Says nothing once there was one. */
  refused(): void;
  /** The attempt is over. */
  end(): void;
}

const threshold = 10;
const restMilliseconds = 2_000;

/**
 * Stops asking an upstream to which ten connections in a row could not be made, and tries it again with one attempt after
 * two seconds.
 *
 * Only connections that are refused or fail count. An upstream that hangs, or is slow to shake hands, is busy with some
 * modules and may be quick with others: leaving it alone would turn a slow spell into an outage.
 *
 * `now` is milliseconds on any clock that does not go back.
 */
export class Breaker {
  readonly #now: () => number;
  #failures = 0;
  #openUntil: number | undefined;
  #probing = false;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Lets an attempt through, or returns `undefined` when the upstream is to be left alone for now. */
  enter(): BreakerPass | undefined {
    if (this.#openUntil === undefined) return this.#pass(false);
    if (this.#probing || this.#now() < this.#openUntil) return undefined;
    this.#probing = true;
    return this.#pass(true);
  }

  #pass(probe: boolean): BreakerPass {
    let undecided = true;
    const decide = (then: () => void) => {
      if (!undecided) return;
      undecided = false;
      if (probe) this.#probing = false;
      then();
    };
    return {
      connected: () =>
        decide(() => {
          this.#failures = 0;
          this.#openUntil = undefined;
        }),
      refused: () => decide(() => this.#fail()),
      end: () => decide(() => {}),
    };
  }

  #fail(): void {
    this.#failures++;
    if (this.#failures >= threshold) this.#openUntil = this.#now() + restMilliseconds;
  }
}
