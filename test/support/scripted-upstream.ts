import { EventEmitter, once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * How an answer goes wrong.
 *
 * "reset-before" before its first byte; "reset-mid" in the middle of the body; "reset-end" before its last byte (or its last chunk);
 * "cut" the connection is closed in order in the middle of the body; "hang-before" nothing is ever sent; "hang-mid" silence after
 * headers and half of the body; "trickle" one byte every `every` milliseconds; "endless" the body again and again.
 */
export type Fault =
  | "reset-before"
  | "reset-mid"
  | "reset-end"
  | "cut"
  | "hang-before"
  | "hang-mid"
  | "trickle"
  | "endless";

/** One answer; what is left out is a healthy 200 with an empty body. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** "length" declares Content-Length (the default), "chunked" does not, "close" ends by closing the connection. */
  readonly framing?: "length" | "chunked" | "close";
  readonly fault?: Fault;
  /** Milliseconds before anything is sent. */
  readonly delay?: number;
  /** Milliseconds between the bytes of "trickle". */
  readonly every?: number;
}

export interface RecordedRequest {
  readonly method: string;
  /** As sent, percent-encoding and query included. */
  readonly target: string;
  /** Decoded and without a query: what scripts are found by. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** Answers the request that is the `nth` (from 0) for its path; `undefined` leaves it to the fallback 404. */
export type Responder = (request: RecordedRequest, nth: number) => Reply | undefined | Promise<Reply | undefined>;

/**
 * A real HTTP server on 127.0.0.1 that answers by script and remembers what it was asked.
 *
 *     await using upstream = await ScriptedUpstream.start();
 *     upstream.on("/example.com/m/@v/list", { status: 503 }, { body: "v1.0.0\n" }); // the last reply is repeated
 */
export class ScriptedUpstream implements AsyncDisposable {
  readonly requests: RecordedRequest[] = [];
  /** Body bytes handed to the operating system so far. */
  bytesSent = 0;
  /** Connections accepted so far. */
  connections = 0;
  readonly #server: Server;
  readonly #scripts = new Map<string, readonly Reply[]>();
  readonly #counts = new Map<string, number>();
  readonly #stop = new AbortController();
  readonly #events = new EventEmitter();
  #open = 0;
  #otherwise: Responder = () => undefined;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.socket?.destroy());
    });
    this.#server.on("connection", (socket) => {
      this.connections++;
      this.#open++;
      socket.once("close", () => {
        if (--this.#open === 0) this.#events.emit("idle");
      });
    });
  }

  /** Listens on a free port, or on a given one: that of an upstream that was closed, to bring it back. */
  static async start(port = 0, host = "127.0.0.1"): Promise<ScriptedUpstream> {
    const upstream = new ScriptedUpstream();
    await new Promise<void>((resolve, reject) => {
      upstream.#server.once("error", reject).listen(port, host, resolve);
    });
    return upstream;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The base URL, without a slash at its end. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Scripts a decoded path: its first request gets the first reply and so on, the last reply is repeated. */
  on(path: string, ...replies: readonly Reply[]): this {
    this.#scripts.set(path, replies);
    return this;
  }

  /** Answers every path that is not scripted. */
  otherwise(responder: Responder): this {
    this.#otherwise = responder;
    return this;
  }

  /** How often a decoded path was asked for. */
  count(path: string): number {
    return this.#counts.get(path) ?? 0;
  }

  /** Forgets requests and counts, so that scripts begin anew. */
  forget(): void {
    this.requests.length = 0;
    this.#counts.clear();
  }

  /** Resolves when no client is connected any more. */
  async idle(): Promise<void> {
    if (this.#open > 0) await once(this.#events, "idle");
  }

  /** Closes the port and all connections. */
  async close(): Promise<void> {
    this.#stop.abort();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = record(incoming);
    const nth = this.count(request.path);
    this.requests.push(request);
    this.#counts.set(request.path, nth + 1);
    const script = this.#scripts.get(request.path);
    const reply = script?.[Math.min(nth, script.length - 1)] ?? (await this.#otherwise(request, nth)) ?? notFound;
    if (reply.delay !== undefined) await this.#sleep(reply.delay);
    if (reply.fault === "hang-before") return;
    if (reply.fault === "reset-before") return void response.socket?.resetAndDestroy();
    await this.#send(reply, response);
  }

  async #send(reply: Reply, response: ServerResponse): Promise<void> {
    const body = typeof reply.body === "string" ? Buffer.from(reply.body) : (reply.body ?? new Uint8Array());
    sendHead(reply, body.length, response);
    switch (reply.fault) {
      case "reset-mid":
      case "cut":
      case "hang-mid":
        await this.#write(response, body.subarray(0, body.length >> 1));
        break;
      case "reset-end":
        await this.#write(response, reply.framing === "chunked" ? body : body.subarray(0, -1));
        break;
      case "trickle":
        for (const byte of body) {
          await this.#write(response, Buffer.of(byte));
          await this.#sleep(reply.every ?? 20);
        }
        break;
      case "endless":
        while (!response.destroyed) await this.#write(response, body);
        return;
      default:
        await this.#writeAll(response, body);
        return;
    }
    await this.#endBadly(reply.fault, response);
  }

  async #endBadly(fault: Fault, response: ServerResponse): Promise<void> {
    // The client is to see what was sent before it sees the end of the connection.
    if (fault === "reset-mid" || fault === "reset-end") await this.#sleep(10);
    if (fault === "reset-mid" || fault === "reset-end") response.socket?.resetAndDestroy();
    if (fault === "cut") response.socket?.end();
    if (fault === "trickle") response.end();
  }

  /** In pieces, each in a turn of its own: the product may run on the same event loop, and its turns be measured. */
  async #writeAll(response: ServerResponse, bytes: Uint8Array): Promise<void> {
    let at = 0;
    for (; bytes.length - at > pieceSize && !response.destroyed; at += pieceSize)
      await this.#write(response, bytes.subarray(at, at + pieceSize));
    this.bytesSent += bytes.length - at;
    response.end(bytes.subarray(at));
  }

  async #write(response: ServerResponse, bytes: Uint8Array): Promise<void> {
    this.bytesSent += bytes.length;
    // An empty write sends the headers, which would wait for a body otherwise.
    if (bytes.length === 0) response.flushHeaders();
    if (response.write(bytes)) return;
    await new Promise<void>((resolve) => {
      const go = () => {
        response.off("drain", go).off("close", go);
        resolve();
      };
      response.on("drain", go).on("close", go);
    });
  }

  async #sleep(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.#stop.signal });
  }
}

/** Bytes. */
const pieceSize = 1 << 18;

const notFound: Reply = { status: 404, headers: { "content-type": "text/plain; charset=utf-8" }, body: "not found\n" };

function sendHead(reply: Reply, length: number, response: ServerResponse): void {
  const framing = reply.framing ?? "length";
  if (framing === "close") {
    response.useChunkedEncodingByDefault = false;
    response.shouldKeepAlive = false;
  }
  const endless = reply.fault === "endless";
  const declared = framing === "length" && !endless ? { "content-length": String(length) } : {};
  response.writeHead(reply.status ?? 200, { ...declared, ...reply.headers });
}

function record(incoming: IncomingMessage): RecordedRequest {
  const target = incoming.url ?? "";
  const [path = ""] = target.split("?");
  return { method: incoming.method ?? "", target, path: decodeURIComponent(path), headers: incoming.headers };
}
