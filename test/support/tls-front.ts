import { readFileSync } from "node:fs";
import { type IncomingMessage, request as requestPlain, type ServerResponse } from "node:http";
import { createServer, request as requestTls, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { Certificate } from "./certificate.ts";

/** One request as it came in. */
export interface FrontRequest {
  readonly target: string;
  readonly authorization: string | undefined;
}

export interface FrontOptions {
  /** Send each request back to its own address once, `Location: <path>?wait=1`, as a deployment does while it fills. */
  readonly redirect: boolean;
}

/** A TLS server that hands requests on to a modfront: `go` sends credentials nowhere else. */
export class TlsFront implements AsyncDisposable {
  readonly requests: FrontRequest[] = [];
  readonly #server: Server;
  readonly #behind: URL;
  readonly #ca: Buffer;
  readonly #redirect: boolean;

  private constructor(behind: string, { cert, key }: Certificate, { redirect }: FrontOptions) {
    this.#behind = new URL(behind);
    this.#redirect = redirect;
    this.#ca = readFileSync(cert);
    this.#server = createServer({ cert: this.#ca, key: readFileSync(key) }, (incoming, outgoing) =>
      this.#answer(incoming, outgoing),
    );
  }

  static async start(behind: string, certificate: Certificate, options: FrontOptions): Promise<TlsFront> {
    const front = new TlsFront(behind, certificate, options);
    await new Promise<void>((resolve) => front.#server.listen(0, "127.0.0.1", resolve));
    return front;
  }

  /** `"127.0.0.1:43210"`. */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #answer(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { url: target = "", headers, method } = incoming;
    this.requests.push({ target, authorization: headers.authorization });
    if (this.#redirect && !target.includes("?"))
      return void outgoing.writeHead(302, { location: `${target}?wait=1` }).end();
    const { hostname, port, protocol } = this.#behind;
    const request = protocol === "https:" ? requestTls : requestPlain;
    const { host: _, connection: __, ...rest } = headers;
    request({ hostname, port, path: target, method, headers: rest, ca: this.#ca, agent: false }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    })
      .on("error", () => outgoing.destroy())
      .end();
  }
}
