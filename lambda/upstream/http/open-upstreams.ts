import { isIP, type LookupFunction } from "node:net";
import { CodedError } from "../../golang/coded-error.ts";
import { type Chain, type Upstream, UpstreamFailure, type UpstreamRouter } from "../../proxy/sources/upstream.ts";
import {
  type ChainEntry,
  isCatchAll,
  type ParsedChain,
  parseChain,
  UpstreamRules,
} from "../../proxy/sources/upstream-rules.ts";
import { type Credentials, noCredentials, overTls } from "../credentials/credentials.ts";
import type { OpenCredentials } from "../credentials/open-credentials.ts";
import { sendApiRequest } from "./api-request.ts";
import { Breaker } from "./breaker.ts";
import type { UpstreamTimeouts } from "./exchange.ts";
import { type ForwardProxySettings, openForwardProxies } from "./forward-proxy.ts";
import { defaultTimeouts, HttpClient } from "./http-client.ts";
import { HttpUpstream } from "./http-upstream.ts";
import { Turns } from "./turns.ts";

/** The part of the configuration (lambda/config/config.ts) that upstreams are made of. */
export interface UpstreamsConfig {
  readonly upstreams: readonly { readonly patterns: readonly string[]; readonly chain: string }[];
  readonly private: readonly string[];
  readonly allowHosts: readonly string[];
  readonly sumdb?: { readonly url?: string | undefined };
  readonly credentials?: readonly { readonly match: string; readonly api?: string | undefined }[];
  readonly git?: { readonly rewrite: readonly { readonly to: string }[] };
  /** Seconds. */
  readonly timeouts?: UpstreamTimeouts | undefined;
  /** For https and http alike; without it what the environment says. */
  readonly proxy?: { readonly url: string; readonly noProxy?: string | undefined } | undefined;
}

export interface UpstreamsOptions {
  /** A chain for public modules that no rule matches: what `go env GOPROXY` says on this machine. */
  readonly fallback?: string | undefined;
  /** Milliseconds on a clock that does not go back. */
  readonly now: () => number;
  /** modfront's own version, for the user agent. */
  readonly version: string;
  readonly timeouts?: UpstreamTimeouts;
  /** The forward proxy of the environment, where the configuration names none. */
  readonly forwardProxy?: ForwardProxySettings;
  /** What is shown to upstreams whose URL has no user; nothing when left out. */
  readonly credentials?: OpenCredentials;
  /** The `Via` header of a request that is sent now. */
  readonly via?: () => string;
  /** For tests: in place of the system's resolver. */
  readonly lookup?: LookupFunction;
}

/** All upstreams of one configuration. */
export interface Upstreams extends UpstreamRouter {
  /** The chain of modules that are named nowhere. */
  readonly catchAll: Chain;
  /** What the operator should know at start-up, one line each. */
  readonly notes: readonly string[];
  /** The upstream with this base URL, trusted as if it were configured: the checksum database itself. */
  direct(url: string): Upstream;
  /** Closes all connections, in use or not. */
  close(): Promise<void>;
}

/** Makes the upstreams that the configuration names. Throws `CodedError` "config" naming the wrong key. */
export function openUpstreams(config: UpstreamsConfig, options: UpstreamsOptions): Upstreams {
  const parsed = config.upstreams.map((rule, i) => ({
    patterns: rule.patterns,
    chain: parseAt(`configuration key upstreams.${i}.chain`, rule.chain),
  }));
  // Behind a catch-all nothing falls back, so that an inherited chain is neither judged nor trusted.
  const fallback =
    options.fallback === undefined || parsed.some((rule) => rule.patterns.some(isCatchAll))
      ? undefined
      : parseAt("the default upstream", options.fallback);
  const rules = new UpstreamRules({ upstreams: parsed, private: config.private, fallback });
  const chains = [...parsed.map((rule) => rule.chain), ...(fallback === undefined ? [] : [fallback])];
  const pool = new UpstreamPool(trustedHosts(config, chains), config, options);
  return {
    isPrivate: (modulePath) => rules.isPrivate(modulePath),
    chainFor: (modulePath) => pool.chain(rules.chainFor(modulePath)),
    catchAll: pool.chain(rules.catchAll),
    notes: startupNotes(rules, chains),
    direct: (url) => pool.upstream(new URL(url)),
    close: () => pool.close(),
  };
}

function parseAt(where: string, chain: string): ParsedChain {
  try {
    return parseChain(chain);
  } catch (error) {
    if (error instanceof CodedError) throw new CodedError("config", `${where}: ${error.message}`);
    throw error;
  }
}

/** The hosts that the configuration names: an upstream's with its port, for behind another may be anything. */
function trustedHosts(config: UpstreamsConfig, chains: readonly ParsedChain[]): Set<string> {
  const proxies = chains.flatMap(({ entries }) => entries.map(({ source }) => source)).filter(isProxy);
  const hosts = new Set(proxies.map(hostAndPort));
  for (const host of config.allowHosts) hosts.add(urlHostname(host));
  const named = [
    config.sumdb?.url,
    ...(config.git?.rewrite ?? []).map(({ to }) => to),
    ...(config.credentials ?? []).flatMap(({ match, api }) => [`https://${match}`, api]),
  ];
  for (const url of named) if (url !== undefined) hosts.add(hostAndPort(new URL(url)));
  return hosts;
}

function timeoutsOf({ timeouts }: UpstreamsConfig): UpstreamTimeouts {
  if (timeouts === undefined) return defaultTimeouts;
  const { connect, firstByte, idle } = timeouts;
  return { connect: connect * 1000, firstByte: firstByte * 1000, idle: idle * 1000 };
}

function forwardProxyFor({ proxy }: UpstreamsConfig, { forwardProxy = {} }: UpstreamsOptions): ForwardProxySettings {
  return proxy === undefined ? forwardProxy : { https: proxy.url, http: proxy.url, noProxy: proxy.noProxy };
}

function isProxy(source: ChainEntry["source"]): source is URL {
  return source !== "direct";
}

function hostAndPort({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
}

/** `"[::1]"` of `"0:0::1"`: hosts are compared as URL spells them. */
function urlHostname(host: string): string {
  const url = `http://${isIP(host) === 6 ? `[${host}]` : host}`;
  return URL.canParse(url) ? new URL(url).hostname : host;
}

function startupNotes(rules: UpstreamRules, chains: readonly ParsedChain[]): string[] {
  const direct = chains.some(({ entries }) => entries.some(({ source }) => source === "direct"))
    ? ["direct in an upstream chain is not supported yet and was dropped"]
    : [];
  const unnamed = rules.unnamedPrivate.map(
    (pattern) => `private modules ${pattern}: no rule in upstreams names them, so none of them is fetched`,
  );
  return [...direct, ...unnamed];
}

const noRepositories: Upstream = {
  name: "direct",
  get: async () => {
    const details = { status: 404, text: "direct is not supported by modfront yet" };
    throw new UpstreamFailure("status", "answered 404", { details });
  },
};

/** Requests for one module of one upstream that are under way at once: enough for a zip, its small files and the next. */
const requestsForModule = 8;

/** One upstream, with one breaker, for each base URL, however many chains name it. */
class UpstreamPool {
  readonly #client: HttpClient;
  readonly #trusted: Set<string>;
  readonly #now: () => number;
  readonly #credentials: Credentials;
  readonly #upstreams = new Map<string, Upstream>();
  readonly #modules = new Turns(requestsForModule);

  constructor(trusted: Set<string>, config: UpstreamsConfig, options: UpstreamsOptions) {
    this.#trusted = trusted;
    this.#now = options.now;
    this.#client = new HttpClient({
      isTrusted: (url) => trusted.has(hostAndPort(url)) || trusted.has(url.hostname),
      timeouts: options.timeouts ?? timeoutsOf(config),
      proxies: openForwardProxies(forwardProxyFor(config, options)),
      userAgent: `modfront/${options.version}`,
      via: options.via,
      ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
    });
    const known = options.credentials?.((request) => sendApiRequest(this.#client, request)) ?? noCredentials;
    this.#credentials = overTls(known, (url) => this.#client.isTrusted(url));
  }

  upstream(url: URL): Upstream {
    const known = this.#upstreams.get(url.href);
    if (known !== undefined) return known;
    this.#trusted.add(hostAndPort(url));
    const parts = {
      client: this.#client,
      credentials: this.#credentials,
      breaker: new Breaker(this.#now),
      modules: this.#modules,
    };
    const upstream = new HttpUpstream(url, parts);
    this.#upstreams.set(url.href, upstream);
    return upstream;
  }

  chain(parsed: ParsedChain): Chain {
    const steps = parsed.entries.map(({ source, onAnyError }) => ({
      upstream: isProxy(source) ? this.upstream(source) : noRepositories,
      onAnyError,
    }));
    return { steps, end: parsed.end };
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
