import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { UpstreamFailure } from "../../proxy/sources/upstream.ts";
import { notHttp } from "./http-failure.ts";

/** Milliseconds: `connect` until a connection stands, `idle` without a byte. */
export interface UpstreamTimeouts {
  readonly connect: number;
  readonly idle: number;
}

/** Headers have arrived; the body is to be read or destroyed. */
export interface RawAnswer {
  readonly statusCode: number;
  /** By name in lower case, each with every value it was sent with, which node's `headers` would drop or join. */
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>;
  /** Fails when it is cut off. */
  readonly body: Readable;
}

export interface ExchangeOptions {
  readonly timeouts: UpstreamTimeouts;
  /** Not aborted yet. */
  readonly signal: AbortSignal | undefined;
  /** Called once: when the body is over, or when there will be none. */
  readonly onEnd: (exchange: Exchange) => void;
}

/** Interim answers (1xx) to one request, beyond which an upstream only plays for time. */
const maxInterim = 16;

/** One GET, from its sending to the end of the answer's body. */
export class Exchange {
  /** Rejects with the signal's reason, with an `UpstreamFailure`, or with errors of node:http and what is below it. */
  readonly answer: Promise<RawAnswer>;
  readonly #options: ExchangeOptions;
  readonly #request: ClientRequest;
  readonly #settle: { resolve(answer: RawAnswer): void; reject(reason: unknown): void };
  #response: IncomingMessage | undefined;
  #reused = false;
  #interim = 0;
  #connecting: NodeJS.Timeout | undefined;

  /** Sends a request that nobody has listened to yet. */
  constructor(request: ClientRequest, options: ExchangeOptions) {
    const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>();
    this.answer = promise;
    this.#settle = { resolve, reject };
    this.#options = options;
    this.#request = request
      .on("socket", (socket) => this.#takeConnection(socket))
      .on("information", () => this.#countInterim())
      .on("response", (response) => this.#begin(response))
      .on("error", (error) => this.#break(error))
      .on("close", () => this.#close());
    // node drops what is beyond 1,000 headers; `maxHeaderSize` is the limit that fails.
    request.maxHeadersCount = 0;
    // Runs from when a connection stands.
    request.setTimeout(options.timeouts.idle, () => this.#timeOut());
    options.signal?.addEventListener("abort", this.#onAbort, { once: true });
    request.end();
  }

  /**
   * True when the request went to a connection that had served another one before. `reusedSocket` of the request is false
   * for a connection that was not idle in between.
   */
  get reused(): boolean {
    return this.#reused;
  }

  /** Ends the exchange at once, wherever it is: even while it waits for one of the connections. */
  abort(reason: unknown): void {
    this.#settle.reject(reason);
    const error = reason instanceof Error ? reason : undefined;
    if (this.#response === undefined) this.#request.destroy(error);
    else this.#response.destroy(error);
  }

  readonly #onAbort = () => this.abort(this.#options.signal?.reason);

  #takeConnection(socket: Socket): void {
    this.#reused = !socket.connecting;
    if (this.#reused) return;
    const giveUp = () => this.abort(timedOut("did not accept a connection in time"));
    this.#connecting = setTimeout(giveUp, this.#options.timeouts.connect);
    const stands = this.#request.protocol === "https:" ? "secureConnect" : "connect";
    socket.once(stands, () => clearTimeout(this.#connecting));
  }

  #countInterim(): void {
    if (++this.#interim > maxInterim) this.abort(new UpstreamFailure("bad-answer", notHttp));
  }

  #begin(response: IncomingMessage): void {
    this.#response = response;
    response.on("timeout", () => this.#timeOutBody(response)).on("close", () => this.#end());
    this.#settle.resolve({
      statusCode: response.statusCode ?? 0,
      headers: response.headersDistinct,
      body: response,
    });
  }

  #timeOut(): void {
    if (this.#response === undefined) this.abort(timedOut("did not answer in time"));
  }

  #timeOutBody(response: IncomingMessage): void {
    // Silent because nobody reads: that is ours, not the upstream's. The timer goes off only once.
    if (response.complete || response.readableLength > 0) response.socket?.setTimeout(this.#options.timeouts.idle);
    else this.abort(timedOut("stopped sending in the middle of its answer"));
  }

  #break(error: Error): void {
    // What follows a whole answer costs the connection, not the answer.
    if (this.#response?.complete !== true) this.abort(error);
  }

  #close(): void {
    if (this.#response !== undefined) return;
    // Without an error before only when the upstream switched protocols, which nobody asked for.
    this.#settle.reject(new UpstreamFailure("bad-answer", notHttp));
    this.#end();
  }

  #end(): void {
    clearTimeout(this.#connecting);
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#options.onEnd(this);
  }
}

function timedOut(message: string): UpstreamFailure {
  return new UpstreamFailure("timeout", message);
}
