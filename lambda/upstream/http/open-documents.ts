import type { LookupFunction } from "node:net";
import { UpstreamFailure } from "../../proxy/sources/upstream.ts";
import type { RawAnswer } from "./exchange.ts";
import { type ForwardProxySettings, openForwardProxies } from "./forward-proxy.ts";
import { readBody } from "./http-body.ts";
import { HttpClient } from "./http-client.ts";
import { toUpstreamFailure } from "./http-failure.ts";
import { TrustedHosts } from "./trusted-hosts.ts";

/** The part of the configuration by which providers are reached. */
export interface DocumentsConfig {
  readonly oidc: readonly { readonly issuer: string }[];
  readonly allowHosts: readonly string[];
  readonly proxy?: { readonly url: string; readonly noProxy?: string | undefined } | undefined;
}

export interface DocumentsOptions {
  /** modfront's own version, for the user agent. */
  readonly version: string;
  /** The forward proxy of the environment, where the configuration names none. */
  readonly forwardProxy?: ForwardProxySettings;
  /** For tests: in place of the system's resolver, and of the time below. */
  readonly lookup?: LookupFunction;
  readonly milliseconds?: number;
}

/** Documents of providers. */
export interface Documents {
  /**
   * Reads one, whole, of at most so many bytes and in ten seconds. A redirect is not followed: where keys are is said by
   * the issuer itself, in words.
   *
   * Throws `UpstreamFailure`, also for an address that is not public, where the configuration does not name its host.
   */
  readonly read: (url: URL, limit: number) => Promise<string>;
  close(): Promise<void>;
}

/** Milliseconds for a document, connection included: somebody waits, and it is short. */
const time = 10_000;

export function openDocuments(
  { oidc, allowHosts, proxy }: DocumentsConfig,
  { version, forwardProxy = {}, lookup, milliseconds = time }: DocumentsOptions,
): Documents {
  const trusted = new TrustedHosts({ upstreams: [], private: [], allowHosts }, []);
  for (const { issuer } of oidc) trusted.add(new URL(issuer));
  const proxies = proxy === undefined ? forwardProxy : { https: proxy.url, http: proxy.url, noProxy: proxy.noProxy };
  const client = new HttpClient({
    isTrusted: (url) => trusted.has(url),
    timeouts: { connect: milliseconds, firstByte: milliseconds, idle: milliseconds },
    userAgent: `modfront/${version}`,
    proxies: openForwardProxies(proxies),
    lookup,
  });
  return { read: (url, limit) => read(client, url, { limit, milliseconds }), close: () => client.close() };
}

async function read(
  client: HttpClient,
  url: URL,
  { limit, milliseconds }: { readonly limit: number; readonly milliseconds: number },
): Promise<string> {
  const signal = AbortSignal.timeout(milliseconds);
  try {
    const answer = await client.send(url, { headers: { accept: "application/json" }, signal });
    if (answer.statusCode === 200) return await readWhole(answer, limit, signal);
    answer.body.on("error", () => {}).destroy();
    throw new UpstreamFailure("status", `answered ${answer.statusCode}`, { details: { status: answer.statusCode } });
  } catch (error) {
    throw signal.aborted ? new UpstreamFailure("timeout", "did not answer in time") : toUpstreamFailure(error);
  }
}

async function readWhole(answer: RawAnswer, limit: number, signal: AbortSignal): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readBody(answer, { limit, signal, onEnd: () => {} }).chunks) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
