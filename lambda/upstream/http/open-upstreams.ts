import { isIP, type LookupFunction } from "node:net";
import { CodedError } from "../../golang/coded-error.ts";
import type { Chain, Upstream, UpstreamRouter } from "../../proxy/sources/upstream.ts";
import { isCatchAll, type ParsedChain, parseChain, UpstreamRules } from "../../proxy/sources/upstream-rules.ts";
import { Breaker } from "./breaker.ts";
import type { UpstreamTimeouts } from "./exchange.ts";
import { defaultTimeouts, HttpClient } from "./http-client.ts";
import { HttpUpstream } from "./http-upstream.ts";

/** The part of the configuration (lambda/config/config.ts) that upstreams are made of. */
export interface UpstreamsConfig {
  readonly upstreams: readonly { readonly patterns: readonly string[]; readonly chain: string }[];
  readonly private: readonly string[];
  readonly allowHosts: readonly string[];
  readonly sumdb?: { readonly url?: string | undefined };
}

export interface UpstreamsOptions {
  /** A chain for public modules that no rule matches: what `go env GOPROXY` says on this machine. */
  readonly fallback?: string | undefined;
  /** Milliseconds on a clock that does not go back. */
  readonly now: () => number;
  /** modfront's own version, for the user agent. */
  readonly version: string;
  readonly timeouts?: UpstreamTimeouts;
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
  const pool = new UpstreamPool(trustedHosts(config, chains), options);
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

function trustedHosts(config: UpstreamsConfig, chains: readonly ParsedChain[]): Set<string> {
  const hosts = new Set(chains.flatMap((chain) => chain.entries.map((entry) => entry.url.hostname)));
  for (const host of config.allowHosts) hosts.add(urlHostname(host));
  if (config.sumdb?.url !== undefined) hosts.add(new URL(config.sumdb.url).hostname);
  return hosts;
}

/** `"[::1]"` of `"0:0::1"`: hosts are compared as URL spells them. */
function urlHostname(host: string): string {
  const url = `http://${isIP(host) === 6 ? `[${host}]` : host}`;
  return URL.canParse(url) ? new URL(url).hostname : host;
}

function startupNotes(rules: UpstreamRules, chains: readonly ParsedChain[]): string[] {
  const direct = chains.some((chain) => chain.end === "direct")
    ? ["direct in an upstream chain is not supported yet and was dropped"]
    : [];
  const unnamed = rules.unnamedPrivate.map(
    (pattern) => `private modules ${pattern}: no rule in upstreams names them, so none of them is fetched`,
  );
  return [...direct, ...unnamed];
}

/** One upstream, with one breaker, for each base URL, however many chains name it. */
class UpstreamPool {
  readonly #client: HttpClient;
  readonly #trusted: Set<string>;
  readonly #now: () => number;
  readonly #upstreams = new Map<string, Upstream>();

  constructor(trusted: Set<string>, options: UpstreamsOptions) {
    this.#trusted = trusted;
    this.#now = options.now;
    this.#client = new HttpClient({
      trustedHosts: trusted,
      timeouts: options.timeouts ?? defaultTimeouts,
      userAgent: `modfront/${options.version}`,
      ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
    });
  }

  upstream(url: URL): Upstream {
    const known = this.#upstreams.get(url.href);
    if (known !== undefined) return known;
    this.#trusted.add(url.hostname);
    const upstream = new HttpUpstream(url, this.#client, new Breaker(this.#now));
    this.#upstreams.set(url.href, upstream);
    return upstream;
  }

  chain(parsed: ParsedChain): Chain {
    const steps = parsed.entries.map(({ url, onAnyError }) => ({ upstream: this.upstream(url), onAnyError }));
    return { steps, end: parsed.end };
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
