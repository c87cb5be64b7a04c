import { isIP } from "node:net";
import type { UpstreamRule } from "../../proxy/sources/upstream-rules.ts";
import type { HostTrust, UpstreamsConfig } from "./upstreams-options.ts";

/**
 * The hosts that the configuration names, each with its port, for behind another may be anything: wherever they resolve to
 * they may be spoken to, on behalf of whom the configuration speaks.
 *
 * Named are those of chains, rewrites and credentials, and those of modules that a rule leads to their own repositories:
 * `corp.example` by the pattern `corp.example/*`. `allowHosts` has names without ports, and is for everybody.
 */
export class TrustedHosts implements HostTrust {
  readonly #hosts: Set<string>;
  readonly #spelled: ReadonlySet<string>;
  readonly #allowed: ReadonlySet<string>;

  constructor(
    { allowHosts, sumdb, git, credentials }: UpstreamsConfig,
    rules: readonly Pick<UpstreamRule, "patterns" | "chain">[],
  ) {
    const spelled = rules.flatMap(spelledHosts);
    const named = [
      ...rules.flatMap(proxiesOf),
      ...spelled,
      sumdb?.url,
      ...(git?.rewrite ?? []).map(({ to }) => to),
      ...(credentials ?? []).flatMap(({ match, api }) => [`https://${match}`, api]),
    ];
    this.#hosts = new Set(named.flatMap((url) => (url === undefined ? [] : [hostAndPort(new URL(url))])));
    this.#spelled = new Set(spelled.map((url) => hostAndPort(new URL(url))));
    this.#allowed = new Set(allowHosts.map(urlHostname));
  }

  add(url: URL): void {
    this.#hosts.add(hostAndPort(url));
  }

  has(url: URL): boolean {
    return this.isNamed(url) || this.isAllowed(url);
  }

  isAllowed(url: URL): boolean {
    return this.#allowed.has(url.hostname);
  }

  isNamed(url: URL): boolean {
    return this.#hosts.has(hostAndPort(url));
  }

  isSpelled(url: URL): boolean {
    return this.#spelled.has(hostAndPort(url));
  }
}

function proxiesOf({ chain }: Pick<UpstreamRule, "chain">): URL[] {
  return chain.entries.flatMap(({ source }) => (source === "direct" ? [] : [source]));
}

/** The hosts that the patterns of a rule spell out, where it leads to repositories. */
function spelledHosts({ patterns, chain }: Pick<UpstreamRule, "patterns" | "chain">): string[] {
  return chain.entries.some(({ source }) => source === "direct") ? patterns.flatMap(spelledHost) : [];
}

function spelledHost(pattern: string): string[] {
  return pattern.split(",").flatMap((each) => {
    const [host = ""] = each.split("/");
    return /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(host) ? [`https://${host}`] : [];
  });
}

/** `"corp.example:443"`. */
export function hostAndPort({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
}

/** `"[::1]"` of `"0:0::1"`: hosts are compared as URL spells them. */
function urlHostname(host: string): string {
  const url = `http://${isIP(host) === 6 ? `[${host}]` : host}`;
  return URL.canParse(url) ? new URL(url).hostname : host;
}
