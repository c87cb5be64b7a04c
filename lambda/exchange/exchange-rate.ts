import { LRUCache } from "lru-cache";

/** How often a client may ask: so often at once, as when all jobs of a pipeline begin, and so often a second from then on. */
const burst = 300;
const perSecond = 5;
/** Clients that are remembered: who has been forgotten begins anew. */
const mostClients = 10_000;

interface Allowance {
  left: number;
  at: number;
}

/** Says whether somebody without a token may ask for one now: signatures are verified, and events written, for anybody. */
export class ExchangeRate {
  readonly #now: () => number;
  readonly #clients = new LRUCache<string, Allowance>({ max: mostClients });

  /** `now` in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Counts a request of a client; false when it has asked too often. */
  take(client: string): boolean {
    const now = this.#now();
    const known = this.#clients.get(client) ?? { left: burst, at: now };
    const left = Math.min(burst, known.left + (Math.max(0, now - known.at) / 1000) * perSecond);
    const may = left >= 1;
    this.#clients.set(client, { left: may ? left - 1 : left, at: now });
    return may;
  }
}
