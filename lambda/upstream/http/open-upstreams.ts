import { CodedError } from "../../golang/coded-error.ts";
import type { Chain, Upstream, UpstreamRouter } from "../../proxy/sources/upstream.ts";
import {
  isCatchAll,
  type ParsedChain,
  parseChain,
  type UpstreamRule,
  UpstreamRules,
} from "../../proxy/sources/upstream-rules.ts";
import { TrustedHosts } from "./trusted-hosts.ts";
import { UpstreamPool } from "./upstream-pool.ts";
import type { UpstreamsConfig, UpstreamsOptions } from "./upstreams-options.ts";

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
  const parsed = parseRules("upstreams", config.upstreams);
  const ofChannels = Object.entries(config.channels ?? {}).flatMap(([name, { upstreams }]) =>
    upstreams === undefined ? [] : [{ name, rules: parseRules(`channels.${name}.upstreams`, upstreams) }],
  );
  // Behind a catch-all nothing falls back, so that an inherited chain is neither judged nor trusted.
  const fallback =
    options.fallback === undefined || parsed.some((rule) => rule.patterns.some(isCatchAll))
      ? undefined
      : parseAt("the default upstream", options.fallback);
  const rules = new UpstreamRules({ upstreams: parsed, private: config.private, fallback });
  const all = [...parsed, ...ofChannels.flatMap(({ rules }) => rules)];
  const named = fallback === undefined ? all : [...all, { patterns: [], chain: fallback }];
  const isPrivate = (modulePath: string) => rules.isPrivate(modulePath);
  const trusted = new TrustedHosts(config, named);
  const pool = new UpstreamPool(trusted, config, options, isPrivate);
  const pools = new Map<string, UpstreamPool>();
  const poolFor = (modulePath: string) => {
    const tenant = options.tenantOf?.(modulePath);
    if (tenant === undefined) return pool;
    const own = pools.get(tenant) ?? new UpstreamPool(trusted, config, options, isPrivate, tenant);
    pools.set(tenant, own);
    return own;
  };
  const routerOf = (own: UpstreamRules) => ({
    isPrivate,
    chainFor: (modulePath: string) => poolFor(modulePath).chain(own.chainFor(modulePath)),
  });
  const channels = ofChannels.map(({ name, rules: own }) => {
    const upstreams = [...own, ...parsed];
    return [name, routerOf(new UpstreamRules({ upstreams, private: config.private, fallback }))] as const;
  });
  return {
    ...routerOf(rules),
    channels: new Map(channels),
    catchAll: pool.chain(rules.catchAll),
    notes: [...unnamedNotes(rules), ...openedNotes(rules, config, named), ...rewrittenNotes(config)],
    direct: (url) => pool.upstream(new URL(url)),
    close: async () => {
      await Promise.all([pool, ...pools.values()].map((each) => each.close()));
    },
  };
}

function parseRules(key: string, rules: UpstreamsConfig["upstreams"]): readonly UpstreamRule[] {
  return rules.map(({ patterns, chain }, i) => ({
    patterns,
    chain: parseAt(`configuration key ${key}.${i}.chain`, chain),
  }));
}

function parseAt(where: string, chain: string): ParsedChain {
  try {
    return parseChain(chain);
  } catch (error) {
    if (error instanceof CodedError) throw new CodedError("config", `${where}: ${error.message}`);
    throw error;
  }
}

function unnamedNotes(rules: UpstreamRules): string[] {
  return rules.unnamedPrivate.map(
    (pattern) => `private modules ${pattern}: no rule in upstreams names them, so none of them is fetched`,
  );
}

/** What is compared with `match` is the URL that is asked, which a rewrite makes another. */
function rewrittenNotes({ credentials = [], git }: UpstreamsConfig): string[] {
  return credentials.flatMap(({ match }) => {
    const [rule] = (git?.rewrite ?? [])
      .filter(({ from }) => from !== undefined && `https://${match}/`.startsWith(from))
      .sort((a, b) => (b.from?.length ?? 0) - (a.from?.length ?? 0));
    const host = rule && new URL(rule.to).host;
    if (host === undefined || credentials.some((other) => other.match.split("/")[0] === host)) return [];
    return `credentials ${match}: git.rewrite leads from there to ${host}, which no credentials match`;
  });
}

/** Whoever may read public modules reads by `direct` what credentials open, unless it is private. */
function openedNotes(
  rules: UpstreamRules,
  { credentials = [], git }: UpstreamsConfig,
  named: readonly { readonly chain: ParsedChain }[],
): string[] {
  const proxies = named.flatMap(({ chain }) =>
    chain.entries.flatMap(({ source }) => (source === "direct" ? [] : source)),
  );
  // Neither is the name of modules: that of a proxy, and what others are rewritten to.
  const others = new Set([...proxies, ...(git?.rewrite ?? []).map(({ to }) => new URL(to))].map(({ host }) => host));
  const isOpened = ({ match }: { readonly match: string }) => {
    const [host = ""] = match.split("/");
    const byDirect = rules.chainFor(`${match}/x`).entries.some(({ source }) => source === "direct");
    return byDirect && !host.includes(":") && !others.has(host) && !rules.isPrivate(`${match}/x`);
  };
  return credentials
    .filter(isOpened)
    .map(
      ({ match }) => `credentials ${match}: for public modules too, so that what only they open belongs into private`,
    );
}
