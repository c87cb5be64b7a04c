import type { StatusDetails, Upstream, UpstreamBody } from "../../proxy/sources/upstream.ts";
import { UpstreamFailure } from "../../proxy/sources/upstream.ts";
import type { Breaker, BreakerPass } from "./breaker.ts";
import type { RawAnswer } from "./exchange.ts";
import { readBody } from "./http-body.ts";
import type { HttpClient } from "./http-client.ts";
import { toUpstreamFailure } from "./http-failure.ts";
import { isRedirect, redirectTarget } from "./redirects.ts";
import { readHead, readStatusDetails } from "./status-details.ts";
import type { Turns } from "./turns.ts";

const maxRedirects = 10;

/** What all upstreams of a process share. */
export interface HttpUpstreamParts {
  readonly client: HttpClient;
  readonly breaker: Breaker;
  /** So many requests for one module are under way at once: a module that hangs holds no more of the connections. */
  readonly modules: Turns;
}

/** A module proxy below a base URL, whose user and password are sent as Basic credentials to its own origin only. */
export class HttpUpstream implements Upstream {
  readonly name: string;
  readonly #base: URL;
  readonly #credentials: Credentials | undefined;
  readonly #parts: HttpUpstreamParts;

  constructor(url: URL, parts: HttpUpstreamParts) {
    this.name = url.origin;
    this.#credentials = readCredentials(url);
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
      const answer = await this.#attempt(path, signal);
      if (answer.statusCode !== 200) throw await this.#statusFailure(answer);
      return readBody(answer, { limit, signal, onEnd });
    } catch (error) {
      onEnd();
      signal?.throwIfAborted();
      throw toUpstreamFailure(error);
    }
  }

  async #attempt(path: string, signal: AbortSignal | undefined): Promise<RawAnswer> {
    const pass = this.#parts.breaker.enter();
    if (pass === undefined)
      throw new UpstreamFailure("breaker-open", "failed too often and is left alone for a moment");
    try {
      return await this.#follow(new URL(this.#base.href.replace(/\/$/, "") + encodePath(path)), pass, signal);
    } catch (error) {
      if (!signal?.aborted && toUpstreamFailure(error).code === "unreachable") pass.refused();
      throw error;
    } finally {
      pass.end();
    }
  }

  async #follow(start: URL, pass: BreakerPass, signal: AbortSignal | undefined): Promise<RawAnswer> {
    const { client } = this.#parts;
    let url = start;
    let authorization = this.#credentials?.header;
    for (let hops = 0; ; hops++) {
      // It did its part with the first connection: trouble behind a redirect is no matter of this upstream's breaker.
      const answer = await client.get(url, { authorization, signal, onConnected: pass.connected });
      if (!isRedirect(answer.statusCode)) return answer;
      await readHead(answer.body);
      if (hops === maxRedirects) throw new UpstreamFailure("redirects", "redirected too often");
      const target = redirectTarget(answer.headers.location ?? [], url, (to) => client.isTrusted(to));
      // Not given back on a way home: whoever was in between chose that URL.
      if (target.origin !== url.origin) authorization = undefined;
      url = target;
    }
  }

  async #statusFailure(answer: RawAnswer): Promise<UpstreamFailure> {
    const details = await readStatusDetails(answer);
    return new UpstreamFailure("status", `answered ${answer.statusCode}`, { details: this.#withoutSecrets(details) });
  }

  /** A page that shows what it was sent must not show it to others. */
  #withoutSecrets(details: StatusDetails): StatusDetails {
    const { text } = details;
    if (text === undefined || this.#credentials?.secrets.some((secret) => text.includes(secret)) !== true)
      return details;
    return { ...details, text: undefined };
  }
}

/** The escaped module path that `path` is about; lookups and tiles of a checksum database belong to no module. */
function moduleOf(path: string): string | undefined {
  const end = path.startsWith("/sumdb/") ? -1 : path.indexOf("/@");
  return end < 0 ? undefined : path.slice(1, end);
}

interface Credentials {
  readonly header: string;
  readonly secrets: readonly string[];
}

function readCredentials(url: URL): Credentials | undefined {
  if (url.username === "" && url.password === "") return undefined;
  const pair = Buffer.from(`${decode(url.username)}:${decode(url.password)}`);
  const token = pair.toString("base64");
  const secrets = [token, url.password, decode(url.password), url.password === "" ? url.username : ""];
  return { header: `Basic ${token}`, secrets: secrets.filter((secret) => secret !== "") };
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
