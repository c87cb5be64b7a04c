/** How an attempt that a breaker let through went on. Each is called at most once; `settle` ends the attempt. */
export interface BreakerPass {
  /** The upstream sent headers: it is alive, whatever becomes of this attempt. */
  answered(): void;
  /** "failed" is a connection failure or a timeout; "abandoned" says nothing of the upstream. */
  settle(outcome: "succeeded" | "failed" | "abandoned"): void;
}

const threshold = 10;
const restMilliseconds = 2_000;

/**
 * Stops asking an upstream that failed ten times in a row, and tries it again with one request after two seconds.
 *
 * `now` is milliseconds on any clock that does not go back. Without it every request to a dead upstream would hold its
 * Lambda for a connection timeout; with it only one in two seconds does.
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
    let probing = probe;
    let settled = false;
    const endProbe = () => {
      if (probing) this.#probing = false;
      probing = false;
    };
    const close = () => {
      this.#failures = 0;
      this.#openUntil = undefined;
    };
    return {
      answered: () => {
        if (!probing) return;
        endProbe();
        close();
      },
      settle: (outcome) => {
        if (settled) return;
        settled = true;
        endProbe();
        if (outcome === "succeeded") close();
        if (outcome === "failed") this.#fail();
      },
    };
  }

  #fail(): void {
    this.#failures++;
    if (this.#failures >= threshold) this.#openUntil = this.#now() + restMilliseconds;
  }
}
