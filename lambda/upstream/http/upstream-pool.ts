import { unescapePath } from "../../golang/module.ts";
import { type Chain, type Upstream, UpstreamFailure } from "../../proxy/sources/upstream.ts";
import type { ParsedChain } from "../../proxy/sources/upstream-rules.ts";
import { Turns } from "../../runtime/turns.ts";
import { type Credentials, noCredentials, overTls } from "../credentials/credentials.ts";
import { sendApiRequest } from "./api-request.ts";
import { Breaker } from "./breaker.ts";
import type { UpstreamTimeouts } from "./exchange.ts";
import { type ForwardProxySettings, openForwardProxies } from "./forward-proxy.ts";
import { defaultTimeouts, HttpClient } from "./http-client.ts";
import { HttpUpstream, type HttpUpstreamParts } from "./http-upstream.ts";
import { trusting } from "./requester.ts";
import { hostAndPort, type TrustedHosts } from "./trusted-hosts.ts";
import type { ProxyOptions, Repositories, UpstreamsConfig, UpstreamsOptions } from "./upstreams-options.ts";

/** Requests for one module of one upstream that are under way at once: enough for a zip, its small files and the next. */
const requestsForModule = 8;

/** The longest that a connection to a repository's host is waited for, in milliseconds: anybody may name a host. */
const directConnect = 10_000;

/**
 * One upstream, with one breaker, for each base URL, however many chains name it; and `direct`, opened when a chain has it. A tenant
 * with credentials of its own has a pool of its own, so that no connection, listing or repository of it is another's.
 */
export class UpstreamPool {
  readonly #client: HttpClient;
  readonly #directClient: HttpClient;
  readonly #trusted: TrustedHosts;
  readonly #options: UpstreamsOptions;
  readonly #isPrivate: (modulePath: string) => boolean;
  readonly #credentials: Credentials;
  readonly #upstreams = new Map<string, Upstream>();
  readonly #modules = new Turns(requestsForModule);
  #repositories: Repositories | undefined;

  constructor(
    trusted: TrustedHosts,
    config: UpstreamsConfig,
    options: UpstreamsOptions,
    isPrivate: (modulePath: string) => boolean,
    tenant = "",
  ) {
    this.#trusted = trusted;
    this.#isPrivate = isPrivate;
    this.#options = options;
    const timeouts = options.timeouts ?? timeoutsOf(config);
    const proxies = openForwardProxies(forwardProxyFor(config, options));
    const open = (own: UpstreamTimeouts) =>
      new HttpClient({
        isTrusted: (url) => trusted.has(url),
        timeouts: own,
        proxies,
        userAgent: `modfront/${options.version}`,
        via: options.via,
        ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
      });
    this.#client = open(timeouts);
    this.#directClient = open({ ...timeouts, connect: Math.min(timeouts.connect, directConnect) });
    const known = options.credentials?.((request) => sendApiRequest(this.#client, request), tenant) ?? noCredentials;
    this.#credentials = overTls(known, (url) => trusted.isNamed(url));
  }

  /** The upstream at a URL that the configuration names. */
  upstream(url: URL): Upstream {
    const known = this.#upstreams.get(url.href);
    if (known !== undefined) return known;
    this.#trusted.add(url);
    // It may be anybody's: for public modules it leads to no other host inside than its own.
    const narrow = trusting(this.#client, (to) => hostAndPort(to) === hostAndPort(url) || this.#trusted.isAllowed(to));
    const clientFor = (path: string | undefined) => (this.#isPrivatePath(path) ? this.#client : narrow);
    const upstream = this.#open(url, { credentials: this.#credentials, clientFor });
    this.#upstreams.set(url.href, upstream);
    return upstream;
  }

  chain(parsed: ParsedChain): Chain {
    const steps = parsed.entries.map(({ source, onAnyError }) => ({
      upstream: source === "direct" ? this.#direct() : this.upstream(source),
      onAnyError,
    }));
    return { steps, end: parsed.end };
  }

  async close(): Promise<void> {
    await Promise.all([this.#client.close(), this.#directClient.close(), this.#repositories?.close()]);
  }

  #isPrivatePath(escapedPath: string | undefined): boolean {
    try {
      return escapedPath !== undefined && this.#isPrivate(unescapePath(escapedPath));
    } catch {
      return false;
    }
  }

  /** One that a page names is trusted as far as whose page it is. */
  #openProxy(url: URL, { anonymous, isTrusted }: ProxyOptions): Upstream {
    const client = trusting(this.#client, isTrusted);
    return this.#open(url, { credentials: anonymous ? noCredentials : this.#credentials, clientFor: () => client });
  }

  #open(url: URL, parts: Pick<HttpUpstreamParts, "credentials" | "clientFor">): Upstream {
    return new HttpUpstream(url, {
      ...parts,
      breaker: new Breaker(this.#options.now),
      modules: this.#modules,
    });
  }

  #direct(): Upstream {
    const { repositories = () => noRepositories, borders, now } = this.#options;
    this.#repositories ??= repositories({
      client: this.#directClient,
      credentials: this.#credentials,
      isPrivate: (modulePath) => this.#isPrivate(modulePath),
      hosts: this.#trusted,
      borders,
      openProxy: (url, options) => this.#openProxy(url, options),
      now,
    });
    return this.#repositories.upstream;
  }
}

const noRepositories: Repositories = {
  upstream: {
    name: "direct",
    get: async () => {
      throw new UpstreamFailure("status", "has no repositories here", { details: { status: 404 } });
    },
  },
  close: async () => {},
};

function timeoutsOf({ timeouts }: UpstreamsConfig): UpstreamTimeouts {
  if (timeouts === undefined) return defaultTimeouts;
  const { connect, firstByte, idle } = timeouts;
  return { connect: connect * 1000, firstByte: firstByte * 1000, idle: idle * 1000 };
}

function forwardProxyFor({ proxy }: UpstreamsConfig, { forwardProxy = {} }: UpstreamsOptions): ForwardProxySettings {
  return proxy === undefined ? forwardProxy : { https: proxy.url, http: proxy.url, noProxy: proxy.noProxy };
}
