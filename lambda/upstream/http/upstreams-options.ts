import type { LookupFunction } from "node:net";
import type { Upstream } from "../../proxy/sources/upstream.ts";
import type { Credentials } from "../credentials/credentials.ts";
import type { OpenCredentials } from "../credentials/open-credentials.ts";
import type { UpstreamTimeouts } from "./exchange.ts";
import type { ForwardProxySettings } from "./forward-proxy.ts";
import type { Requester } from "./requester.ts";

interface ConfiguredUpstream {
  readonly patterns: readonly string[];
  readonly chain: string;
}

/** The part of the configuration (lambda/config/config.ts) that upstreams are made of. */
export interface UpstreamsConfig {
  readonly upstreams: readonly ConfiguredUpstream[];
  readonly channels?: Readonly<Record<string, { readonly upstreams?: readonly ConfiguredUpstream[] | undefined }>>;
  readonly private: readonly string[];
  readonly allowHosts: readonly string[];
  readonly sumdb?: { readonly url?: string | undefined };
  readonly credentials?: readonly { readonly match: string; readonly api?: string | undefined }[];
  readonly git?: { readonly rewrite: readonly { readonly from?: string; readonly to: string }[] };
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
  /** The tenant of a module that has credentials of its own: what it fetches with them is known to its modules alone. */
  readonly tenantOf?: ((modulePath: string) => string | undefined) | undefined;
  /** Keeps modules from leading to what is another tenant's; without it there are no tenants. */
  readonly borders?: Borders | undefined;
  /** Makes what stands behind `direct`; without it `direct` has no module. */
  readonly repositories?: OpenRepositories;
  /** The `Via` header of a request that is sent now. */
  readonly via?: () => string;
  /** For tests: in place of the system's resolver. */
  readonly lookup?: LookupFunction;
}

/** Whose a place is by its path. */
export interface Borders {
  /** The name of the tenant to which a module belongs; `""` of none. */
  tenantOf(modulePath: string): string;
  /** True for a path that is another tenant's than this one's; where this is `""`, any tenant's. */
  isForeign(path: string, tenant: string): boolean;
}

/** What the configuration says of hosts. */
export interface HostTrust {
  /** True for a URL whose host it names or allows: it may be reached wherever it resolves to, by whom the configuration speaks for. */
  has(url: URL): boolean;
  /** True for a URL whose host and port it names: plain http is as good as https there. */
  isNamed(url: URL): boolean;
  /** True for a URL whose host may be reached wherever it resolves to, whoever leads there: `allowHosts` has it. */
  isAllowed(url: URL): boolean;
  /** True for a URL whose host a rule leads to for the modules that are spelled so: `corp.example` by the pattern `corp.example/*`. */
  isSpelled(url: URL): boolean;
}

/** What repositories are reached by. */
export interface RepositoriesParts {
  /** Its hosts are named by whoever asks for a module, so that it gives up sooner. */
  readonly client: Requester;
  readonly credentials: Credentials;
  /** True for module paths that the configuration calls private. */
  readonly isPrivate: (modulePath: string) => boolean;
  readonly hosts: HostTrust;
  readonly borders?: Borders | undefined;
  /** The module proxy at a URL that was learnt from input: trusted as far as who led there, and shown credentials or not. */
  readonly openProxy: (url: URL, options: ProxyOptions) => Upstream;
  /** Milliseconds on a clock that does not go back. */
  readonly now: () => number;
}

export interface ProxyOptions {
  readonly anonymous: boolean;
  readonly isTrusted: (url: URL) => boolean;
}

/** `direct`, and its end. */
export interface Repositories {
  readonly upstream: Upstream;
  close(): Promise<void>;
}

export type OpenRepositories = (parts: RepositoriesParts) => Repositories;
