import {
  createServer,
  Agent as HttpAgent,
  type IncomingMessage,
  request as requestPlain,
  type Server,
  type ServerResponse,
} from "node:http";
import { Agent as HttpsAgent, request as requestTls } from "node:https";
import type { AddressInfo } from "node:net";

/**
 * A module proxy on 127.0.0.1 that hands every request on to a real one and remembers it: what went over the wire.
 *
 * `stop` closes the port, so that connections are refused from then on.
 */
export class RecordingProxy implements AsyncDisposable {
  /** The targets asked for, in order, as sent: `"/github.com/%21azure/x/@v/list"`. */
  readonly targets: string[] = [];
  /** Those of them that were answered 200. */
  readonly served: string[] = [];
  readonly #server: Server;
  readonly #upstream: URL;
  readonly #agent: HttpAgent;

  private constructor(upstream: string) {
    this.#upstream = new URL(upstream);
    const options = { keepAlive: true, maxSockets: 64 };
    this.#agent = this.#upstream.protocol === "https:" ? new HttpsAgent(options) : new HttpAgent(options);
    this.#server = createServer((request, response) => this.#passOn(request, response));
  }

  static async start(upstream: string): Promise<RecordingProxy> {
    const proxy = new RecordingProxy(upstream);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once("error", reject).listen(0, "127.0.0.1", resolve);
    });
    return proxy;
  }

  /** The base URL, without a slash at its end. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Goes offline: closes the port and all connections. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
    this.#agent.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #passOn(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const target = incoming.url ?? "";
    this.targets.push(target);
    const { protocol, hostname, port, pathname, username, password } = this.#upstream;
    const begin = protocol === "https:" ? requestTls : requestPlain;
    const path = pathname.replace(/\/+$/, "") + target;
    const auth = username === "" ? {} : { auth: decodeURIComponent(`${username}:${password}`) };
    const { host: _, connection: __, ...headers } = incoming.headers;
    const options = { hostname, port, path, method: incoming.method, headers, agent: this.#agent, ...auth };
    const passed = begin(options, (answer) => {
      if (answer.statusCode === 200) this.served.push(target);
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
      answer.once("error", () => outgoing.destroy());
    });
    passed.once("error", () => outgoing.destroy());
    outgoing.once("close", () => passed.destroy());
    passed.end();
  }
}
