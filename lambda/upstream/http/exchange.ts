import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { UpstreamFailure } from "../../proxy/sources/upstream.ts";
import { notHttp } from "./http-failure.ts";

/** Milliseconds: `connect` until a connection stands, TLS included; `firstByte` from then on; `idle` without a byte of the body. */
export interface UpstreamTimeouts {
  readonly connect: number;
  readonly firstByte: number;
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
  /** What is sent with it; its length is declared. */
  readonly body?: Uint8Array | undefined;
  readonly timeouts: UpstreamTimeouts;
  /** Not aborted yet. */
  readonly signal: AbortSignal | undefined;
  /** Called when the connection stands, at once for one that was kept. */
  readonly onConnected: () => void;
  /** Called once: when the body is over, or when there will be none. */
  readonly onEnd: (exchange: Exchange) => void;
}

/** Connections that have served a request: `reusedSocket` of a request is false for one that was not idle in between. */
const used = new WeakSet<Socket>();

/** Interim answers (1xx) to one request, beyond which an upstream only plays for time. */
const maxInterim = 16;

/** One request, from its sending to the end of the answer's body. */
export class Exchange {
  /** Rejects with the signal's reason, with an `UpstreamFailure`, or with errors of node:http and what is below it. */
  readonly answer: Promise<RawAnswer>;
  readonly #options: ExchangeOptions;
  readonly #request: ClientRequest;
  readonly #settle: { resolve(answer: RawAnswer): void; reject(reason: unknown): void };
  #response: IncomingMessage | undefined;
  #reused = false;
  #connected = false;
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
    request.setTimeout(options.timeouts.firstByte, () => this.#timeOut());
    options.signal?.addEventListener("abort", this.#onAbort, { once: true });
    request.end(options.body);
  }

  /** True when the request went to a connection that had served another one before. */
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
    this.#reused = used.has(socket);
    used.add(socket);
    this.#connected = !socket.connecting;
    // Kept, or through a forward proxy and ready for use.
    if (this.#connected) {
      this.#options.onConnected();
      return;
    }
    const giveUp = () => this.abort(notConnected());
    this.#connecting = setTimeout(giveUp, this.#options.timeouts.connect);
    const stands = this.#request.protocol === "https:" ? "secureConnect" : "connect";
    socket.once(stands, () => {
      clearTimeout(this.#connecting);
      this.#connected = true;
      this.#options.onConnected();
    });
  }

  #countInterim(): void {
    if (++this.#interim > maxInterim) this.abort(new UpstreamFailure("bad-answer", notHttp));
  }

  #begin(response: IncomingMessage): void {
    this.#response = response;
    response.socket?.setTimeout(this.#options.timeouts.idle);
    response.on("timeout", () => this.#timeOutBody(response)).on("close", () => this.#end());
    this.#settle.resolve({
      statusCode: response.statusCode ?? 0,
      headers: response.headersDistinct,
      body: response,
    });
  }

  #timeOut(): void {
    if (this.#response !== undefined) return;
    this.abort(this.#connected ? timedOut("did not answer in time") : notConnected());
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

function notConnected(): UpstreamFailure {
  return new UpstreamFailure("connect-timeout", "did not accept a connection in time");
}

function timedOut(message: string): UpstreamFailure {
  return new UpstreamFailure("timeout", message);
}
