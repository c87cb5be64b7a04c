import type { ClientRequest, RequestOptions } from "node:http";
import { request as requestTls, Agent as TlsAgent } from "node:https";
import type { LookupFunction } from "node:net";
import { Agent, request } from "../../runtime/node-http.ts";

const keeping = {
  keepAlive: true,
  /** To one host; further requests wait. */
  maxSockets: 128,
  /** Milliseconds after which an idle connection is closed; the agent makes them fewer where the server says so. */
  timeout: 15_000,
  /** Milliseconds after which the system probes a silent connection: later than it is closed. */
  keepAliveMsecs: 60_000,
} as const;

/** Where a request goes. `protocol` is a URL's, `"https:"`, of which an empty port is the usual one. */
export interface Destination {
  readonly method: "GET" | "POST";
  readonly protocol: string;
  readonly host: string;
  readonly port: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ConnectionPoolOptions {
  /** Finds the addresses of hosts, and of the forward proxy. */
  readonly lookup: LookupFunction | undefined;
  /** The forward proxy that all of them go by; its URL may hold credentials. */
  readonly proxy?: string;
}

/** Kept-alive connections to any number of hosts, over http and https, to the addresses that one lookup finds. */
export class ConnectionPool {
  readonly #options: object;
  readonly #plain: Agent;
  readonly #tls: TlsAgent;

  constructor({ lookup, proxy }: ConnectionPoolOptions) {
    // node's agents speak to forward proxies themselves, CONNECT and credentials included.
    this.#options = { lookup, ...(proxy !== undefined && { proxyEnv: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy } }) };
    this.#plain = new Agent({ ...keeping, ...this.#options });
    this.#tls = new TlsAgent({ ...keeping, ...this.#options });
  }

  /** A request over an idle connection or a new one; it goes out when it is ended. */
  request(to: Destination): ClientRequest {
    return makeRequest(to, to.protocol === "https:" ? this.#tls : this.#plain);
  }

  /** The same over a connection of its own, which is none of the 128, is not kept, and ends with the request. */
  requestAlone(to: Destination): ClientRequest {
    return makeRequest(to, to.protocol === "https:" ? new TlsAgent(this.#options) : new Agent(this.#options));
  }

  /** Closes all connections, and makes no more: the end of one would be the turn of a request that waits. */
  close(): void {
    for (const agent of [this.#plain, this.#tls]) {
      agent.createConnection = refuse;
      agent.destroy();
    }
  }
}

function makeRequest(to: Destination, agent: Agent): ClientRequest {
  const options: RequestOptions = { ...to, agent, maxHeaderSize: 16_384, insecureHTTPParser: false };
  return to.protocol === "https:" ? requestTls(options) : request(options);
}

function refuse(_: unknown, callback?: (error: Error | null, socket: never) => void): undefined {
  callback?.(new Error("the pool is closed"), undefined as never);
}
