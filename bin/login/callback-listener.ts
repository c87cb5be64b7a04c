import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { CodedError, isCodedError } from "../../lambda/golang/coded-error.ts";

/** What is made of a request that may be the answer. Throws what ends the wait, or "not-awaited" for what is none. */
export type Judge<Result> = (url: URL) => Result;

/** What a browser is told, for each way in which it can go. */
const pages = {
  done: [200, "You are signed in as far as the browser goes. The rest is in the terminal; this page can be closed."],
  failed: [200, "The sign-in failed. The terminal says why; this page can be closed."],
  "not-awaited": [400, "This is not the sign-in that modfront waits for."],
  over: [410, "This sign-in is over."],
  method: [405, "Only GET is taken here."],
  path: [404, "There is nothing here."],
  host: [403, "This address is not asked for by that name."],
} as const;

/**
 * Waits on 127.0.0.1 for the browser that a provider sends back (RFC 8252 7.3).
 *
 * Every page and program of this machine can send requests to it, and the pages of the web too, by names that they have
 * resolve to 127.0.0.1: only a GET of the one path by the one name is looked at, and one without the right state is
 * answered and forgotten. The first that has it ends the wait.
 */
export class CallbackListener implements AsyncDisposable {
  readonly #server: Server;
  #judge: ((url: URL) => keyof typeof pages) | undefined;

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => this.#answer(request, response));
  }

  /** Listens on a port of 127.0.0.1; 0 is any. Throws `CodedError` "usage" for one that is taken. */
  static async listen(port: number): Promise<CallbackListener> {
    const server = createServer({ headersTimeout: 10_000, requestTimeout: 10_000 });
    try {
      await once(server.listen(port, "127.0.0.1"), "listening");
    } catch (cause) {
      throw new CodedError("usage", `port ${port} of 127.0.0.1 cannot be listened on`, { cause });
    }
    return new CallbackListener(server);
  }

  get redirectUri(): string {
    return `http://${this.#host}/callback`;
  }

  /** Resolves with what the judge makes of the answer. Throws what it throws, and "login-timeout" after that many seconds. */
  async answer<Result>(judge: Judge<Result>, seconds: number): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const late = () => reject(new CodedError("login-timeout", `nobody signed in within ${seconds} seconds`));
    const timer = setTimeout(late, seconds * 1000);
    this.#judge = (url) => {
      try {
        resolve(judge(url));
        return "done";
      } catch (error) {
        if (isCodedError(error, "not-awaited")) return "not-awaited";
        reject(error);
        return "failed";
      }
    };
    return await promise.finally(() => clearTimeout(timer));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    // What was answered is let out; connections that never asked are not waited for.
    this.#server.closeIdleConnections();
    setTimeout(() => this.#server.closeAllConnections(), 500).unref();
    await closed;
  }

  get #host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const [status, text] = pages[this.#outcome(request)];
    response.writeHead(status, {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      "referrer-policy": "no-referrer",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      connection: "close",
    });
    response.end(`<!doctype html><title>modfront</title><p>${text}</p>\n`);
  }

  #outcome({ method, headers, url: target = "" }: IncomingMessage): keyof typeof pages {
    if (headers.host !== this.#host) return "host";
    if (method !== "GET") return "method";
    const url = URL.parse(target, this.redirectUri);
    if (url === null || !target.startsWith("/callback?") || url.pathname !== "/callback") return "path";
    const judge = this.#judge;
    if (judge === undefined) return "over";
    const outcome = judge(url);
    if (outcome !== "not-awaited") this.#judge = undefined;
    return outcome;
  }
}
