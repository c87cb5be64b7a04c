import type { HttpClient } from "./http-client.ts";

/** What can send requests and says whom it trusts. */
export type Requester = Pick<HttpClient, "send" | "isTrusted">;

/** The same with a trust of its own, for what is asked on behalf of somebody who may be led to other hosts than others. */
export function trusting(client: Requester, isTrusted: (url: URL) => boolean): Requester {
  return { isTrusted, send: (url, options) => client.send(url, { ...options, isTrusted }) };
}
