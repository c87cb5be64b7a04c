import type { LookupFunction } from "node:net";
import type { Upstream } from "../../proxy/sources/upstream.ts";
import type { Credentials } from "../credentials/credentials.ts";
import type { OpenCredentials } from "../credentials/open-credentials.ts";
import type { UpstreamTimeouts } from "./exchange.ts";
import type { ForwardProxySettings } from "./forward-proxy.ts";
import type { HttpClient } from "./http-client.ts";

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
  /** Makes what stands behind `direct`; without it `direct` has no module. */
  readonly repositories?: OpenRepositories;
  /** The `Via` header of a request that is sent now. */
  readonly via?: () => string;
  /** For tests: in place of the system's resolver. */
  readonly lookup?: LookupFunction;
}

/** What repositories are reached by. */
export interface RepositoriesParts {
  /** Its hosts are named by whoever asks for a module, so that it gives up sooner. */
  readonly client: HttpClient;
  readonly credentials: Credentials;
  /** True for module paths that the configuration calls private. */
  readonly isPrivate: (modulePath: string) => boolean;
  /** True for a URL whose host and port the configuration names. */
  readonly isNamed: (url: URL) => boolean;
  /** The module proxy at a URL that was learnt from input: as little trusted as that, and shown credentials or not. */
  readonly openProxy: (url: URL, options: { readonly anonymous: boolean }) => Upstream;
  /** Milliseconds on a clock that does not go back. */
  readonly now: () => number;
}

/** `direct`, and its end. */
export interface Repositories {
  readonly upstream: Upstream;
  close(): Promise<void>;
}

export type OpenRepositories = (parts: RepositoriesParts) => Repositories;
