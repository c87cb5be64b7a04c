import type { StatusDetails, Upstream, UpstreamBody } from "../../proxy/sources/upstream.ts";
import { UpstreamFailure } from "../../proxy/sources/upstream.ts";
import type { Breaker, BreakerPass } from "./breaker.ts";
import type { RawAnswer } from "./exchange.ts";
import { readBody } from "./http-body.ts";
import type { HttpClient } from "./http-client.ts";
import { toUpstreamFailure } from "./http-failure.ts";
import { isRedirect, redirectTarget } from "./redirects.ts";
import { readHead, readStatusDetails } from "./status-details.ts";

const maxRedirects = 10;

/** A module proxy below a base URL, whose user and password are sent as Basic credentials to its own origin only. */
export class HttpUpstream implements Upstream {
  readonly name: string;
  readonly #base: URL;
  readonly #credentials: Credentials | undefined;
  readonly #client: HttpClient;
  readonly #breaker: Breaker;

  constructor(url: URL, client: HttpClient, breaker: Breaker) {
    this.name = url.origin;
    this.#credentials = readCredentials(url);
    this.#base = new URL(url);
    this.#base.username = "";
    this.#base.password = "";
    this.#client = client;
    this.#breaker = breaker;
  }

  async get(path: string, options: { readonly limit: number; readonly signal?: AbortSignal }): Promise<UpstreamBody> {
    const { signal } = options;
    signal?.throwIfAborted();
    const pass = this.#breaker.enter();
    if (pass === undefined)
      throw new UpstreamFailure("breaker-open", "failed too often and is left alone for a moment");
    try {
      const answer = await this.#follow(new URL(this.#base.href.replace(/\/$/, "") + encodePath(path)), pass, signal);
      if (answer.statusCode !== 200) throw await this.#statusFailure(answer);
      return readBody(answer, { limit: options.limit, signal, pass });
    } catch (error) {
      const failure = toUpstreamFailure(error);
      if (signal?.aborted) pass.settle("abandoned");
      signal?.throwIfAborted();
      pass.settle(isConnectionTrouble(failure) ? "failed" : "succeeded");
      throw failure;
    }
  }

  async #follow(start: URL, pass: BreakerPass, signal: AbortSignal | undefined): Promise<RawAnswer> {
    let url = start;
    let authorization = this.#credentials?.header;
    for (let hops = 0; ; hops++) {
      const answer = await this.#client.get(url, authorization, signal);
      pass.answered();
      if (!isRedirect(answer.statusCode)) return answer;
      // It did its part: trouble from here on is another host's and no matter of this upstream's breaker.
      pass.settle("succeeded");
      await readHead(answer.body);
      if (hops === maxRedirects) throw new UpstreamFailure("redirects", "redirected too often");
      const target = redirectTarget(answer.headers.location ?? [], url, (to) => this.#client.isTrusted(to));
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

function isConnectionTrouble(failure: UpstreamFailure): boolean {
  return failure.code === "unreachable" || failure.code === "timeout";
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
