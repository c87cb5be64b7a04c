import { LRUCache } from "lru-cache";
import { UpstreamFailure } from "../../proxy/sources/upstream.ts";
import type { RawAnswer } from "../http/exchange.ts";
import type { SendOptions } from "../http/http-client.ts";
import { toUpstreamFailure } from "../http/http-failure.ts";
import type { Requester } from "../http/requester.ts";

/** Connections in a row that are refused or fail, after which a host is left alone; one that times out has cost enough. */
const threshold = 3;
/** Milliseconds for which it is left alone, the first time and at most: each further time is twice as long. */
const firstRest = 5_000;
const longestRest = 60_000;
/** Hosts that are remembered: any module path names one. */
const mostHosts = 10_000;

interface Trouble {
  failures: number;
  rest: number;
  until: number;
  probing: boolean;
  why: string;
}

/**
 * Sends requests to hosts that anybody may name, and remembers which of them cannot be reached: where nothing of the internet
 * can be, or a host is gone, a miss is to fail at once and not to wait for a connection each time.
 *
 * A host that was left alone is tried again with one request. Whatever an answer says, it was reached. What is known of a host
 * by requests that trust it is not known to others: they may not learn what is inside.
 */
export class UnreachableHosts implements Requester {
  readonly #client: Requester;
  readonly #now: () => number;
  readonly #hosts = new LRUCache<string, Trouble>({ max: mostHosts });

  /** `now` is milliseconds on a clock that does not go back. */
  constructor(client: Requester, now: () => number) {
    this.#client = client;
    this.#now = now;
  }

  isTrusted(url: URL): boolean {
    return this.#client.isTrusted(url);
  }

  /** As `HttpClient.send`; throws `UpstreamFailure` "breaker-open" for a host that is left alone. */
  async send(url: URL, options: SendOptions): Promise<RawAnswer> {
    const isTrusted = options.isTrusted?.(url) ?? this.#client.isTrusted(url);
    const host = `${isTrusted ? "trusted " : ""}${url.host}`;
    const probe = this.#enter(host);
    const reached = () => this.#hosts.delete(host);
    const onConnected = () => {
      reached();
      options.onConnected?.();
    };
    try {
      return await this.#client.send(url, { ...options, onConnected });
    } catch (error) {
      if (!options.signal?.aborted) this.#fail(host, toUpstreamFailure(error));
      throw error;
    } finally {
      const trouble = this.#hosts.get(host);
      if (probe && trouble !== undefined) trouble.probing = false;
    }
  }

  /** True for the one request that tries a host again. */
  #enter(host: string): boolean {
    const trouble = this.#hosts.get(host);
    if (trouble === undefined || trouble.failures < threshold) return false;
    if (trouble.probing || this.#now() < trouble.until)
      throw new UpstreamFailure("breaker-open", `${trouble.why} a moment ago`);
    trouble.probing = true;
    return true;
  }

  #fail(host: string, { code, message }: UpstreamFailure): void {
    if (code !== "unreachable" && code !== "connect-timeout") return;
    const known = this.#hosts.get(host) ?? { failures: 0, rest: firstRest / 2, until: 0, probing: false, why: "" };
    known.why = message;
    known.failures += code === "connect-timeout" ? threshold : 1;
    if (known.failures >= threshold) {
      known.rest = Math.min(known.rest * 2, longestRest);
      known.until = this.#now() + known.rest;
    }
    this.#hosts.set(host, known);
  }
}
