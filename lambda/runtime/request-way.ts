import { AsyncLocalStorage } from "node:async_hooks";

/** Characters of a received `Via` that are passed on: a way that is longer leads nowhere. */
const longestWay = 1_024;

/**
 * The way of requests through proxies, as `Via` headers tell it (RFC 9110, 7.6.3): by it a loop shows.
 *
 * What is asked of an upstream while a request is answered carries that request's way, whatever is called in between: two
 * modfronts that name each other would otherwise wait for each other until both give up.
 */
export class RequestWay {
  readonly #pseudonym: string;
  readonly #received = new AsyncLocalStorage<string>();

  /** `pseudonym` is this process's name on the way, of letters, digits and hyphens: no other may have it. */
  constructor(pseudonym: string) {
    this.#pseudonym = pseudonym;
  }

  /** True when a request with this `Via` header has passed this process before. */
  isLoop(via: string | undefined): boolean {
    return via?.includes(this.#pseudonym) === true;
  }

  /** Does the work of a request that came with this `Via` header. */
  follow<T>(via: string | undefined, work: () => T): T {
    return this.#received.run(via?.slice(0, longestWay) ?? "", work);
  }

  /** The `Via` header of what is asked of an upstream now: `"1.1 modfront-3f9a1c, 1.1 modfront-77aa01"`. */
  header(): string {
    const received = this.#received.getStore();
    return `${received ? `${received}, ` : ""}1.1 ${this.#pseudonym}`;
  }
}
