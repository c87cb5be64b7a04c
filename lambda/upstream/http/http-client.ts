import type { ClientRequest } from "node:http";
import { isIP, type LookupFunction } from "node:net";
import { UpstreamFailure } from "../../proxy/sources/upstream.ts";
import { guardedLookup, isPublicAddress } from "./address-guard.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { Exchange, type RawAnswer, type UpstreamTimeouts } from "./exchange.ts";
import { refusedAddress } from "./http-failure.ts";

/** The times of PROTOCOL.md "Upstreams". */
export const defaultTimeouts: UpstreamTimeouts = { connect: 5_000, idle: 20_000 };

export interface HttpClientOptions {
  /** Hosts that may be spoken to wherever they resolve to, as URL.hostname spells them. */
  readonly trustedHosts: ReadonlySet<string>;
  readonly timeouts: UpstreamTimeouts;
  readonly userAgent: string;
  /** For tests: in place of the system's resolver. */
  readonly lookup?: LookupFunction;
}

/**
 * Sends single GETs, with kept-alive connections to every host; redirects are left to the caller.
 *
 * Hosts that are not trusted are reached through a pool of their own whose connections only go to public addresses.
 */
export class HttpClient {
  readonly #options: HttpClientOptions;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #trusted: ConnectionPool;
  readonly #guarded: ConnectionPool;
  readonly #exchanges = new Set<Exchange>();
  #closed = false;

  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.#headers = { "user-agent": options.userAgent, accept: "*/*", "accept-encoding": "identity" };
    this.#trusted = new ConnectionPool(options.lookup);
    this.#guarded = new ConnectionPool(guardedLookup(options.lookup));
  }

  isTrusted(url: URL): boolean {
    return this.#options.trustedHosts.has(url.hostname);
  }

  /** Rejects with an `UpstreamFailure`, with the signal's reason, or with errors of node:http and what is below it. */
  async get(url: URL, authorization: string | undefined, signal: AbortSignal | undefined): Promise<RawAnswer> {
    signal?.throwIfAborted();
    const trusted = this.isTrusted(url);
    // net.connect asks no resolver about an address.
    const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
    if (!trusted && isIP(host) !== 0 && !isPublicAddress(host)) throw refusedAddress();
    const pool = trusted ? this.#trusted : this.#guarded;
    const headers = authorization === undefined ? this.#headers : { ...this.#headers, authorization };
    const path = url.pathname + url.search;
    const to = { protocol: url.protocol, host, port: url.port, path, headers };
    this.#checkOpen();
    const first = this.#send(pool.request(to), signal);
    try {
      return await first.answer;
    } catch (error) {
      if (!first.reused || !isBroken(error) || signal?.aborted) throw error;
    }
    // A server may close a kept connection in the moment in which it is used again: that is no failure.
    this.#checkOpen();
    return this.#send(pool.requestAlone(to), signal).answer;
  }

  #checkOpen(): void {
    if (this.#closed) throw closed();
  }

  #send(request: ClientRequest, signal: AbortSignal | undefined): Exchange {
    const { timeouts } = this.#options;
    const exchange = new Exchange(request, { timeouts, signal, onEnd: this.#forget });
    this.#exchanges.add(exchange);
    return exchange;
  }

  readonly #forget = (exchange: Exchange) => {
    this.#exchanges.delete(exchange);
  };

  /** Closes all connections, in use or not, and fails all requests. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#trusted.close();
    this.#guarded.close();
    for (const exchange of this.#exchanges) exchange.abort(closed());
  }
}

function closed(): UpstreamFailure {
  return new UpstreamFailure("unreachable", "cannot be reached");
}

function isBroken(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === "ECONNRESET" || code === "EPIPE";
}
