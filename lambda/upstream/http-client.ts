import { isIP, type LookupFunction } from "node:net";
import { Agent, type Dispatcher } from "undici";
import { UpstreamFailure } from "../proxy/upstream.ts";
import { guardedLookup, isPublicAddress } from "./address-guard.ts";

/** Milliseconds: `connect` until a connection stands, `idle` without a byte. */
export interface UpstreamTimeouts {
  readonly connect: number;
  readonly idle: number;
}

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

/** Headers have arrived; the body is to be read or destroyed. */
export type RawAnswer = Dispatcher.ResponseData;

const connections = 64;

/**
 * Sends single GETs, with kept-alive connections to every host; redirects are left to the caller.
 *
 * Hosts that are not trusted are reached through an agent of their own whose connections only go to public addresses.
 */
export class HttpClient {
  readonly #options: HttpClientOptions;
  readonly #trusted: Agent;
  readonly #guarded: Agent;

  constructor(options: HttpClientOptions) {
    this.#options = options;
    const { timeouts } = options;
    const common = {
      connections,
      pipelining: 1, // one request at a time on a connection; 0 would close it after each
      headersTimeout: timeouts.idle,
      bodyTimeout: timeouts.idle,
      keepAliveTimeout: 15_000,
      allowH2: false,
    };
    const { lookup } = options;
    const timeout = timeouts.connect;
    this.#trusted = new Agent({ ...common, connect: lookup === undefined ? { timeout } : { timeout, lookup } });
    this.#guarded = new Agent({ ...common, connect: { timeout, lookup: guardedLookup(lookup) } });
  }

  isTrusted(url: URL): boolean {
    return this.#options.trustedHosts.has(url.hostname);
  }

  /** Rejects with an `UpstreamFailure` of code "refused-address", or with undici's errors. */
  async get(url: URL, authorization: string | undefined, signal: AbortSignal | undefined): Promise<RawAnswer> {
    const trusted = this.isTrusted(url);
    const literal = url.hostname.replace(/^\[(.*)\]$/, "$1");
    // net.connect asks no resolver about an address.
    if (!trusted && isIP(literal) !== 0 && !isPublicAddress(literal)) throw refusedAddress();
    return (trusted ? this.#trusted : this.#guarded).request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: "GET",
      headers: {
        "user-agent": this.#options.userAgent,
        accept: "*/*",
        "accept-encoding": "identity",
        ...(authorization === undefined ? {} : { authorization }),
      },
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** Closes all connections, in use or not. */
  async close(): Promise<void> {
    await Promise.all([this.#trusted.destroy(), this.#guarded.destroy()]);
  }
}

/** The failure of a redirect to where only trusted hosts may lead; `cause` is the resolver's, if it came to that. */
export function refusedAddress(cause?: unknown): UpstreamFailure {
  const message = "redirected to a host with a private address, which is not in allowHosts";
  return new UpstreamFailure("refused-address", message, { cause });
}
