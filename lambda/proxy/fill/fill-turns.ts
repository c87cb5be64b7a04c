import type { Clock } from "../store/clock.ts";
import { ServedError } from "../store/served-error.ts";

/** How much may be filled at once, and how long others wait for it. */
export interface FillLimits {
  /** In all, and for one client. */
  readonly fills: number;
  readonly perClient: number;
  readonly queueSeconds: number;
}

/** How many may wait, in all and of one client: those who left are counted until their time is over. */
const mostWaiting = 1_000;
const mostWaitingPerClient = mostWaiting / 2;

interface Waiting {
  readonly client: string;
  readonly begin: () => void;
}

/**
 * Turns for work: so many at once, so many of one client. Who finds none free waits, the longest first, and a client that has all
 * of its own keeps nobody else waiting.
 *
 * `go` never asks again after a 429, and a build ends with it: so it comes only after a wait in which nothing became free.
 */
export class FillTurns {
  readonly #limits: FillLimits;
  readonly #clock: Pick<Clock, "after">;
  /** How many turns each client has now. */
  readonly #taken = new Map<string, number>();
  readonly #waiting = new Set<Waiting>();
  #all = 0;

  constructor(limits: FillLimits, clock: Pick<Clock, "after">) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** The result of `work`, done in a turn of `client`. Throws `ServedError` "too-many". */
  async run<T>(client: string, work: () => Promise<T>): Promise<T> {
    if (this.#isFree(client)) this.#take(client);
    else await this.#wait(client);
    try {
      return await work();
    } finally {
      this.#give(client);
    }
  }

  #isFree(client: string): boolean {
    return this.#all < this.#limits.fills && (this.#taken.get(client) ?? 0) < this.#limits.perClient;
  }

  #take(client: string): void {
    this.#all++;
    this.#taken.set(client, (this.#taken.get(client) ?? 0) + 1);
  }

  #give(client: string): void {
    this.#all--;
    const left = (this.#taken.get(client) ?? 1) - 1;
    if (left === 0) this.#taken.delete(client);
    else this.#taken.set(client, left);
    for (const waiting of this.#waiting) {
      if (this.#all >= this.#limits.fills) return;
      if (this.#isFree(waiting.client)) waiting.begin();
    }
  }

  #waitingOf(client: string): number {
    let count = 0;
    for (const waiting of this.#waiting) if (waiting.client === client) count++;
    return count;
  }

  /** Resolves when the turn is taken. */
  #wait(client: string): Promise<void> {
    if (this.#waiting.size >= mostWaiting || this.#waitingOf(client) >= mostWaitingPerClient) throw tooMany();
    return new Promise((resolve, reject) => {
      const stop = this.#clock.after(this.#limits.queueSeconds * 1000, () => {
        this.#waiting.delete(waiting);
        reject(tooMany());
      });
      const begin = () => {
        stop();
        this.#waiting.delete(waiting);
        this.#take(client);
        resolve();
      };
      const waiting = { client, begin };
      this.#waiting.add(waiting);
    });
  }
}

function tooMany(): ServedError {
  return new ServedError(
    "too-many",
    "too much is being fetched at once; try again later, or with fewer requests at once",
  );
}
