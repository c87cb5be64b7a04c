import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, request, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { Certificate } from "./certificate.ts";

/** One request as it came in. */
export interface FrontRequest {
  readonly target: string;
  readonly authorization: string | undefined;
}

/**
 * A TLS server that sends each request back to its own address once, `Location: <path>?wait=1`, as a deployment does
 * while a cold miss takes long, and then hands it on to a modfront.
 */
export class RedirectingFront implements AsyncDisposable {
  readonly requests: FrontRequest[] = [];
  readonly #server: Server;
  readonly #behind: URL;
  readonly #ca: Buffer;

  private constructor(behind: string, { cert, key }: Certificate) {
    this.#behind = new URL(behind);
    this.#ca = readFileSync(cert);
    this.#server = createServer({ cert: this.#ca, key: readFileSync(key) }, (incoming, outgoing) =>
      this.#answer(incoming, outgoing),
    );
  }

  static async start(behind: string, certificate: Certificate): Promise<RedirectingFront> {
    const front = new RedirectingFront(behind, certificate);
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
    if (!target.includes("?")) return void outgoing.writeHead(302, { location: `${target}?wait=1` }).end();
    const { hostname, port } = this.#behind;
    const { host: _, connection: __, ...rest } = headers;
    request({ hostname, port, path: target, method, headers: rest, ca: this.#ca, agent: false }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    })
      .on("error", () => outgoing.destroy())
      .end();
  }
}
