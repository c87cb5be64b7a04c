import { LRUCache } from "lru-cache";
import { SingleFlight } from "../../../proxy/store/single-flight.ts";

export interface KeptAnswersOptions {
  /** Milliseconds on a clock that does not go back. */
  readonly now: () => number;
  /** Milliseconds for which an answer is good. */
  readonly freshFor: number;
  /** How many are kept. */
  readonly max: number;
}

interface Kept<T> {
  readonly value: T;
  readonly at: number;
}

/** `age` in place of `freshFor`; `maxAge` is that, and for what is on its way too. */
export interface KeptAnswerWish {
  readonly signal?: AbortSignal | undefined;
  readonly age?: number;
  readonly maxAge?: number | undefined;
}

/** An answer, and whether it was asked for just now. */
export interface KeptAnswer<T> {
  readonly value: T;
  readonly isNew: boolean;
}

/** Answers of others, asked for once for all who want them within a while. Failures are not kept. */
export class KeptAnswers<T> {
  readonly #options: KeptAnswersOptions;
  readonly #kept: LRUCache<string, Kept<T>>;
  readonly #flights = new SingleFlight<Kept<T>>();

  constructor(options: KeptAnswersOptions) {
    this.#options = options;
    this.#kept = new LRUCache({ max: options.max });
  }

  /**
   * The answer that is kept under `key` and younger than `age` milliseconds, else what `ask` comes to. Nobody's signal ends
   * what others wait for as well: who gives up just waits no longer. With `maxAge` one that is on its way is as old as when it was
   * asked for, and not good when that is too old.
   */
  async get(
    key: string,
    ask: () => Promise<T>,
    { signal, maxAge, age = maxAge ?? this.#options.freshFor }: KeptAnswerWish = {},
  ): Promise<KeptAnswer<T>> {
    const kept = this.#kept.get(key);
    const now = this.#options.now();
    if (kept !== undefined && now - kept.at < age) return { value: kept.value, isNew: false };
    const asked = () => {
      const flight = this.#flights.run(key, () => this.#ask(key, ask));
      return signal === undefined ? flight : Promise.race([flight, aborted(signal)]);
    };
    const first = await asked();
    const { value } = maxAge === undefined || now - first.at <= maxAge ? first : await asked();
    return { value, isNew: true };
  }

  async #ask(key: string, ask: () => Promise<T>): Promise<Kept<T>> {
    // From when it was asked: what changes meanwhile may not be in it.
    const at = this.#options.now();
    const kept = { value: await ask(), at };
    this.#kept.set(key, kept);
    return kept;
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
