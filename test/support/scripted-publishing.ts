import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** One answer; `cutAfter` bytes of the request's body the connection is gone instead. */
export interface PublishingReply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly cutAfter?: number;
}

export interface ReceivedRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
}

/** A server that takes in whatever is sent to it, and answers by a script: one reply after the other, the last again and again. */
export class ScriptedPublishing implements AsyncDisposable {
  readonly requests: ReceivedRequest[] = [];
  readonly #server: Server;
  #replies: readonly PublishingReply[] = [];
  #answered = 0;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const reply = this.#replies[Math.min(this.#answered++, this.#replies.length - 1)] ?? {};
      const chunks: Buffer[] = [];
      let length = 0;
      for await (const chunk of request) {
        chunks.push(chunk);
        length += chunk.length;
        if (length > (reply.cutAfter ?? Number.POSITIVE_INFINITY)) return request.socket.destroy();
      }
      const { method = "", url: target = "", headers } = request;
      this.requests.push({ method, target, headers, bytes: Buffer.concat(chunks) });
      const body = typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body ?? {});
      const type = typeof reply.body === "string" ? "text/plain" : "application/json";
      return response.writeHead(reply.status ?? 200, { "content-type": type, ...reply.headers }).end(body);
    });
  }

  static async start(): Promise<ScriptedPublishing> {
    const scripted = new ScriptedPublishing();
    scripted.#server.listen(0, "127.0.0.1");
    await once(scripted.#server, "listening");
    return scripted;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Forgets what was asked, and answers so from now on. */
  script(...replies: readonly PublishingReply[]): void {
    this.#replies = replies;
    this.#answered = 0;
    this.requests.length = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
