import { UpstreamFailure } from "../../proxy/sources/upstream.ts";
import type { Authorization } from "../credentials/credentials.ts";
import type { RawAnswer } from "./exchange.ts";
import type { SendOptions } from "./http-client.ts";
import { isRedirect, redirectTarget } from "./redirects.ts";
import type { Requester } from "./requester.ts";
import { readHead } from "./status-details.ts";

const maxRedirects = 10;

/** What is no redirect, and whether credentials were shown to whoever sent it. */
export interface FollowedAnswer {
  readonly answer: RawAnswer;
  readonly shown: boolean;
}

/**
 * GETs a URL, following redirects. Credentials go to its own origin only, and are not given back on a way home: whoever was
 * in between chose that URL.
 *
 * Throws as `HttpClient.send`, and `UpstreamFailure` "redirects".
 */
export async function followRedirects(
  client: Requester,
  start: URL,
  credentials: Authorization | undefined,
  options: Pick<SendOptions, "signal" | "onConnected">,
): Promise<FollowedAnswer> {
  let url = start;
  let authorization = credentials?.header;
  for (let hops = 0; ; hops++) {
    const answer = await client.send(url, { ...options, authorization });
    if (!isRedirect(answer.statusCode)) return { answer, shown: authorization !== undefined };
    await readHead(answer.body);
    if (hops === maxRedirects) throw new UpstreamFailure("redirects", "redirected too often");
    const target = redirectTarget(answer.headers.location ?? [], url, (to) => client.isTrusted(to));
    if (target.origin !== url.origin) authorization = undefined;
    url = target;
  }
}
