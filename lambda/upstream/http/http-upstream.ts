import type { StatusDetails, Upstream, UpstreamBody } from "../../proxy/sources/upstream.ts";
import { UpstreamFailure } from "../../proxy/sources/upstream.ts";
import type { Turns } from "../../runtime/turns.ts";
import { type Authorization, basicAuthorization, type Credentials, hasSecret } from "../credentials/credentials.ts";
import type { Breaker } from "./breaker.ts";
import type { RawAnswer } from "./exchange.ts";
import { type FollowedAnswer, followRedirects } from "./followed-answer.ts";
import { readBody } from "./http-body.ts";
import { toUpstreamFailure } from "./http-failure.ts";
import type { Requester } from "./requester.ts";
import { readStatusDetails } from "./status-details.ts";

/** What all upstreams of a process share. */
export interface HttpUpstreamParts {
  /** By what a module's files are asked for, or those of no module: who may be led where depends on whose it is. */
  readonly clientFor: (escapedPath: string | undefined) => Requester;
  readonly credentials: Credentials;
  readonly breaker: Breaker;
  /** So many requests for one module are under way at once: a module that hangs holds no more of the connections. */
  readonly modules: Turns;
}

/**
 * A module proxy below a base URL. The user and password of that URL, else the credentials that are known for it, are sent to
 * its own origin only.
 */
export class HttpUpstream implements Upstream {
  readonly name: string;
  readonly #base: URL;
  readonly #own: Authorization | undefined;
  readonly #parts: HttpUpstreamParts;

  constructor(url: URL, parts: HttpUpstreamParts) {
    this.name = url.origin;
    this.#own = readUserInfo(url);
    this.#base = new URL(url);
    this.#base.username = "";
    this.#base.password = "";
    this.#parts = parts;
  }

  async get(path: string, options: { readonly limit: number; readonly signal?: AbortSignal }): Promise<UpstreamBody> {
    const { limit, signal } = options;
    signal?.throwIfAborted();
    const module = moduleOf(path);
    const onEnd = module === undefined ? () => {} : await this.#parts.modules.take(`${this.#base} ${module}`, signal);
    try {
      const url = new URL(this.#base.href.replace(/\/$/, "") + encodePath(path));
      const answer = await this.#request(this.#parts.clientFor(module), url, signal);
      return readBody(answer, { limit, signal, onEnd });
    } catch (error) {
      onEnd();
      signal?.throwIfAborted();
      throw toUpstreamFailure(error);
    }
  }

  /** The 200. What was not taken as credentials is looked for once more. */
  async #request(client: Requester, url: URL, signal: AbortSignal | undefined): Promise<RawAnswer> {
    for (let renewed = false; ; renewed = true) {
      const authorization = this.#own ?? (await this.#parts.credentials.authorize(url, signal));
      const { answer, shown } = await this.#attempt(client, url, authorization, signal);
      if (answer.statusCode === 200) return answer;
      const failure = statusFailure(await readStatusDetails(answer), authorization);
      const refused = answer.statusCode === 401 && shown;
      if (!refused || renewed || authorization === undefined || !(await authorization.renew(signal))) throw failure;
    }
  }

  async #attempt(
    client: Requester,
    url: URL,
    authorization: Authorization | undefined,
    signal: AbortSignal | undefined,
  ): Promise<FollowedAnswer> {
    const pass = this.#parts.breaker.enter();
    if (pass === undefined)
      throw new UpstreamFailure("breaker-open", "failed too often and is left alone for a moment");
    try {
      // It did its part with the first connection: trouble behind a redirect is no matter of this upstream's breaker.
      return await followRedirects(client, url, authorization, { signal, onConnected: pass.connected });
    } catch (error) {
      if (!signal?.aborted && toUpstreamFailure(error).code === "unreachable") pass.refused();
      throw error;
    } finally {
      pass.end();
    }
  }
}

/** A page that shows what it was sent must not show it to others. */
function statusFailure(details: StatusDetails, authorization: Authorization | undefined): UpstreamFailure {
  const { status, text } = details;
  const shows = text !== undefined && authorization !== undefined && hasSecret(text, authorization);
  return new UpstreamFailure("status", `answered ${status}`, {
    details: shows ? { ...details, text: undefined } : details,
  });
}

/** The escaped module path that `path` is about; lookups and tiles of a checksum database belong to no module. */
function moduleOf(path: string): string | undefined {
  const end = path.startsWith("/sumdb/") ? -1 : path.indexOf("/@");
  return end < 0 ? undefined : path.slice(1, end);
}

function readUserInfo(url: URL): Authorization | undefined {
  if (url.username === "" && url.password === "") return undefined;
  const own = basicAuthorization(decode(url.username), decode(url.password));
  return { ...own, secrets: [...own.secrets, url.password || url.username] };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** As the go command writes paths: what net/url's PathEscape leaves alone stays, all else (`!` too) is percent-encoded. */
function encodePath(path: string): string {
  return encodeURIComponent(path).replace(/%(2F|24|26|2B|3D|3A|40)|[!'()*]/g, (match) =>
    match.startsWith("%") ? decodeURIComponent(match) : `%${match.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
