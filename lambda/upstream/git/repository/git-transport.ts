import { UpstreamFailure } from "../../../proxy/sources/upstream.ts";
import { type Authorization, type Credentials, hasSecret } from "../../credentials/credentials.ts";
import type { RawAnswer } from "../../http/exchange.ts";
import { readBody } from "../../http/http-body.ts";
import { toUpstreamFailure } from "../../http/http-failure.ts";
import { isRedirect, redirectTarget } from "../../http/redirects.ts";
import type { Requester } from "../../http/requester.ts";
import { readHead, readStatusDetails } from "../../http/status-details.ts";
import { GitFailure, type GitFailureCode } from "../pack/git-failure.ts";

const maxRedirects = 10;
const service = "git-upload-pack";
const advertisementPath = `/info/refs?service=${service}`;

export interface TransportParts {
  readonly client: Requester;
  readonly credentials: Credentials;
}

export interface TransportCall {
  readonly signal: AbortSignal;
  /** Bytes of the answer. */
  readonly limit: number;
}

/** Where a repository is by now, and what is shown there. */
interface Base {
  readonly url: URL;
  readonly authorization: Authorization | undefined;
}

/**
 * The two requests of git's smart HTTP protocol (gitprotocol-http) to one repository.
 *
 * Redirects are followed as git does: only from the first request, and what comes after goes to where it led, without
 * credentials when that is another origin. Throws `GitFailure`, `UpstreamFailure`, or the signal's reason.
 */
export class GitTransport {
  readonly #url: URL;
  readonly #parts: TransportParts;
  #base: Base | undefined;

  /** `url` is https or http, without credentials. */
  constructor(url: URL, parts: TransportParts) {
    this.#url = url;
    this.#parts = parts;
  }

  /** What the server says first: its capabilities, or all refs with them. */
  async advertisement(call: TransportCall): Promise<AsyncIterable<Uint8Array>> {
    return this.#guard(call, async () => {
      for (let renewed = false; ; renewed = true) {
        const authorization = await this.#parts.credentials.authorize(this.#url, call.signal);
        const { answer, base } = await this.#follow(authorization, call);
        if (answer.statusCode === 200) {
          checkType(answer, `application/x-${service}-advertisement`);
          this.#base = base;
          return readBody(answer, { ...call, onEnd: () => {} }).chunks;
        }
        const failure = await statusFailure(answer, authorization);
        const refused = failure.code === "unauthorized" && base.authorization !== undefined;
        if (!refused || renewed || !(await authorization?.renew(call.signal))) throw failure;
      }
    });
  }

  /** Asks where the last advertisement came from. */
  async ask(body: string, protocol: 0 | 2, call: TransportCall): Promise<AsyncIterable<Uint8Array>> {
    return this.#guard(call, async () => {
      const { url, authorization } = this.#base ?? { url: this.#url, authorization: undefined };
      const answer = await this.#parts.client.send(new URL(`${url.href}/${service}`), {
        authorization: authorization?.header,
        signal: call.signal,
        headers: {
          "content-type": `application/x-${service}-request`,
          accept: `application/x-${service}-result`,
          ...(protocol === 2 && { "git-protocol": "version=2" }),
        },
        body: Buffer.from(body, "latin1"),
      });
      if (answer.statusCode !== 200) throw await statusFailure(answer, authorization);
      checkType(answer, `application/x-${service}-result`);
      return readBody(answer, { ...call, onEnd: () => {} }).chunks;
    });
  }

  /** The same failure, unless its message has what only the host and modfront may know. */
  withoutSecrets(error: unknown): unknown {
    const authorization = this.#base?.authorization;
    const shows = error instanceof GitFailure && authorization !== undefined && hasSecret(error.message, authorization);
    return shows ? new GitFailure(error.code, "refused in words that show a secret") : error;
  }

  async #guard<T>({ signal }: TransportCall, work: () => Promise<T>): Promise<T> {
    try {
      signal.throwIfAborted();
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof GitFailure ? error : toUpstreamFailure(error);
    }
  }

  async #follow(authorization: Authorization | undefined, { signal }: TransportCall) {
    const { client } = this.#parts;
    let url = new URL(this.#url.href.replace(/\/$/, "") + advertisementPath);
    let shown = authorization;
    for (let hops = 0; ; hops++) {
      const headers = { "git-protocol": "version=2", pragma: "no-cache" };
      const answer = await client.send(url, { authorization: shown?.header, signal, headers });
      if (!isRedirect(answer.statusCode)) return { answer, base: { url: baseOf(url, answer), authorization: shown } };
      await readHead(answer.body);
      if (hops === maxRedirects) throw new UpstreamFailure("redirects", "redirected too often");
      const target = redirectTarget(answer.headers.location ?? [], url, (to) => client.isTrusted(to));
      // Not given back on a way home: whoever was in between chose that URL.
      if (target.origin !== url.origin) shown = undefined;
      url = target;
    }
  }
}

/** What stands before the request's own part, which a redirect must have kept. */
function baseOf(url: URL, answer: RawAnswer): URL {
  if (url.href.endsWith(advertisementPath)) return new URL(url.href.slice(0, -advertisementPath.length));
  if (answer.statusCode !== 200) return url;
  answer.body.destroy();
  throw new UpstreamFailure("redirects", "redirected to something that is no repository");
}

function checkType({ headers, body }: RawAnswer, expected: string): void {
  const type = (headers["content-type"]?.[0] ?? "").split(";")[0]?.trim().toLowerCase();
  if (type === expected) return;
  body.destroy();
  throw new GitFailure("not-smart", "is no git server that speaks the smart HTTP protocol");
}

const codes: Readonly<Record<number, GitFailureCode>> = {
  401: "unauthorized",
  403: "unauthorized",
  404: "no-repository",
  410: "no-repository",
};

async function statusFailure(answer: RawAnswer, authorization: Authorization | undefined): Promise<GitFailure> {
  const { status, retryAfter } = await readStatusDetails(answer);
  const known = status === 401 && authorization === undefined ? ", and no credentials are known for it" : "";
  return new GitFailure(codes[status] ?? "status", `answered ${status}${known}`, { status, retryAfter });
}
