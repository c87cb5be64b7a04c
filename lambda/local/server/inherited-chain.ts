import { goDefaultProxy } from "../../proxy/sources/go-default-proxy.ts";
import { isLoopback } from "../access/local-access.ts";

/** Where a server listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Where the chain comes from when nothing names one: this machine's Go, as its environment and `go env` say. */
export interface ChainSource {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly goEnvProxy: () => string | undefined;
}

/** Returns the chain of this machine's Go without this very server, else Go's default. */
export function inheritedChain({ environment, goEnvProxy }: ChainSource, address: Address): string {
  const inherited = (chain: string | undefined) => (chain ? withoutOwn(chain, address) : undefined);
  return inherited(environment.GOPROXY) ?? inherited(goEnvProxy()) ?? goDefaultProxy;
}

/**
 * A GOPROXY without the entries that name this very server, which would make it ask itself; `undefined` when they were
 * its only proxies.
 */
function withoutOwn(chain: string, address: Address): string | undefined {
  const entries = chain.match(/[^,|]+[,|]?/g) ?? [];
  const name = (entry: string) => entry.replace(/[,|]$/, "").trim();
  const others = entries.filter((entry) => !isOwnAddress(name(entry), address));
  if (others.length === entries.length) return chain;
  return others.some((entry) => !["", "off", "direct"].includes(name(entry))) ? others.join("") : undefined;
}

function isOwnAddress(entry: string, { host, port }: Address): boolean {
  const text = entry.includes("://") ? entry : `https://${entry}`;
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  const theirs = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (Number(url.port || (url.protocol === "https:" ? 443 : 80)) !== port) return false;
  return isLoopback(theirs) || [host.toLowerCase(), "0.0.0.0", "::"].includes(theirs);
}
