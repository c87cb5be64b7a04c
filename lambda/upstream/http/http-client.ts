import { lookup as resolve } from "node:dns";
import type { ClientRequest } from "node:http";
import { isIP, type LookupFunction } from "node:net";
import { UpstreamFailure } from "../../proxy/sources/upstream.ts";
import { guardedLookup, isPublicAddress, RefusedAddressError } from "./address-guard.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { Exchange, type RawAnswer, type UpstreamTimeouts } from "./exchange.ts";
import type { ForwardProxies } from "./forward-proxy.ts";
import { refusedAddress } from "./http-failure.ts";

/** Upstreams that clone a repository when they are asked for it need minutes until their first byte. */
export const defaultTimeouts: UpstreamTimeouts = { connect: 30_000, firstByte: 120_000, idle: 60_000 };

export interface HttpClientOptions {
  /** True for a URL whose host may be spoken to wherever it resolves to. */
  readonly isTrusted: (url: URL) => boolean;
  readonly timeouts: UpstreamTimeouts;
  readonly userAgent: string;
  readonly proxies: ForwardProxies;
  /** The `Via` header of a request that is sent now. */
  readonly via?: (() => string) | undefined;
  /** For tests: in place of the system's resolver. */
  readonly lookup?: LookupFunction | undefined;
}

export interface SendOptions {
  readonly authorization?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** In place of the client's own: true for a URL whose host this request may reach wherever it resolves to. */
  readonly isTrusted?: ((url: URL) => boolean) | undefined;
  /** Called when a connection stands, at once for one that was kept. */
  readonly onConnected?: () => void;
  /** What is sent beside the client's own headers, by name in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** With it the request is a POST. It may be sent twice, so that it must not matter whether it arrives twice. */
  readonly body?: Uint8Array | undefined;
}

/**
 * Sends single requests, with kept-alive connections to every host; redirects are left to the caller.
 *
 * Hosts that are not trusted are reached through a pool of their own whose connections only go to public addresses.
 */
export class HttpClient {
  readonly #options: HttpClientOptions;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #trusted: ConnectionPool;
  readonly #guarded: ConnectionPool;
  /** By the URL of the forward proxy. */
  readonly #proxied = new Map<string, ConnectionPool>();
  readonly #exchanges = new Set<Exchange>();
  #closed = false;

  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.#headers = { "user-agent": options.userAgent, accept: "*/*", "accept-encoding": "identity" };
    this.#trusted = new ConnectionPool({ lookup: options.lookup });
    this.#guarded = new ConnectionPool({ lookup: guardedLookup(options.lookup) });
  }

  isTrusted(url: URL): boolean {
    return this.#options.isTrusted(url);
  }

  /** Rejects with an `UpstreamFailure`, with the signal's reason, or with errors of node:http and what is below it. */
  async send(url: URL, options: SendOptions): Promise<RawAnswer> {
    const { authorization, signal, body, isTrusted = this.#options.isTrusted } = options;
    signal?.throwIfAborted();
    // net.connect asks no resolver about an address.
    const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
    const pool = await this.#poolFor(url, host, isTrusted(url));
    signal?.throwIfAborted();
    const via = this.#options.via?.();
    const headers = {
      ...this.#headers,
      ...options.headers,
      ...(body && { "content-length": String(body.length) }),
      ...(via && { via }),
      ...(authorization && { authorization }),
    };
    const path = url.pathname + url.search;
    const method = body === undefined ? "GET" : "POST";
    const to = { method, protocol: url.protocol, host, port: url.port, path, headers } as const;
    this.#checkOpen();
    const first = this.#send(pool.request(to), options);
    try {
      return await first.answer;
    } catch (error) {
      if (!first.reused || !isBroken(error) || signal?.aborted) throw error;
    }
    // A server may close a kept connection in the moment in which it is used again: that is no failure.
    this.#checkOpen();
    return this.#send(pool.requestAlone(to), options).answer;
  }

  /** The connections by which a URL is reached. Throws `UpstreamFailure` "refused-address". */
  async #poolFor(url: URL, host: string, trusted: boolean): Promise<ConnectionPool> {
    if (!trusted && isIP(host) !== 0 && !isPublicAddress(host)) throw refusedAddress();
    const proxy = this.#options.proxies.proxyFor(url);
    if (proxy === undefined) return trusted ? this.#trusted : this.#guarded;
    if (!trusted && isIP(host) === 0) await this.#guardTarget(host);
    const { lookup } = this.#options;
    const pool = this.#proxied.get(proxy) ?? new ConnectionPool({ lookup, proxy });
    this.#proxied.set(proxy, pool);
    return pool;
  }

  /**
   * A forward proxy connects by itself, so that the name is judged before. One that only the proxy can resolve, as in a
   * network without names of the internet, is left to the proxy's own rules.
   */
  #guardTarget(host: string): Promise<void> {
    const lookup = guardedLookup(this.#options.lookup ?? (resolve as LookupFunction));
    return new Promise((done, refuse) => {
      lookup(host, { all: true }, (error) =>
        error instanceof RefusedAddressError ? refuse(refusedAddress(error)) : done(),
      );
    });
  }

  #checkOpen(): void {
    if (this.#closed) throw closed();
  }

  #send(request: ClientRequest, { signal, body, onConnected = () => {} }: SendOptions): Exchange {
    const { timeouts } = this.#options;
    const exchange = new Exchange(request, { body, timeouts, signal, onConnected, onEnd: this.#forget });
    this.#exchanges.add(exchange);
    return exchange;
  }

  readonly #forget = (exchange: Exchange) => {
    this.#exchanges.delete(exchange);
  };

  /** Closes all connections, in use or not, and fails all requests. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const pool of [this.#trusted, this.#guarded, ...this.#proxied.values()]) pool.close();
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
