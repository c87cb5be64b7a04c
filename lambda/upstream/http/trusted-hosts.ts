import { isIP } from "node:net";
import type { UpstreamRule } from "../../proxy/sources/upstream-rules.ts";
import type { UpstreamsConfig } from "./upstreams-options.ts";

/**
 * The hosts that the configuration names, each with its port, for behind another may be anything: wherever they resolve to
 * they may be spoken to.
 *
 * Named are those of chains, rewrites and credentials, and those of modules that a rule leads to their own repositories:
 * `corp.example` by the pattern `corp.example/*`. `allowHosts` has names without ports.
 */
export class TrustedHosts {
  readonly #hosts: Set<string>;
  readonly #allowed: ReadonlySet<string>;

  constructor(
    { allowHosts, sumdb, git, credentials }: UpstreamsConfig,
    rules: readonly Pick<UpstreamRule, "patterns" | "chain">[],
  ) {
    const named = [
      ...rules.flatMap(hostsOf),
      sumdb?.url,
      ...(git?.rewrite ?? []).map(({ to }) => to),
      ...(credentials ?? []).flatMap(({ match, api }) => [`https://${match}`, api]),
    ];
    this.#hosts = new Set(named.flatMap((url) => (url === undefined ? [] : [hostAndPort(new URL(url))])));
    this.#allowed = new Set(allowHosts.map(urlHostname));
  }

  add(url: URL): void {
    this.#hosts.add(hostAndPort(url));
  }

  /** True for a URL whose host may be reached wherever it resolves to. */
  has(url: URL): boolean {
    return this.isNamed(url) || this.#allowed.has(url.hostname);
  }

  /** True for a URL whose host and port the configuration names. */
  isNamed(url: URL): boolean {
    return this.#hosts.has(hostAndPort(url));
  }
}

/** The proxies of a chain, and where it leads to repositories the hosts that its patterns spell out. */
function hostsOf({ patterns, chain }: Pick<UpstreamRule, "patterns" | "chain">): (URL | string)[] {
  return chain.entries.flatMap<URL | string>(({ source }) =>
    source === "direct" ? patterns.flatMap(spelledHost) : [source],
  );
}

function spelledHost(pattern: string): string[] {
  return pattern.split(",").flatMap((each) => {
    const [host = ""] = each.split("/");
    return /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(host) ? [`https://${host}`] : [];
  });
}

function hostAndPort({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
}

/** `"[::1]"` of `"0:0::1"`: hosts are compared as URL spells them. */
function urlHostname(host: string): string {
  const url = `http://${isIP(host) === 6 ? `[${host}]` : host}`;
  return URL.canParse(url) ? new URL(url).hostname : host;
}
