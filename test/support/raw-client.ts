import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A client that sends bytes as they are, and reads answers by their length. */
export class RawClient {
  readonly socket: Socket;
  readonly #closed: Promise<never>;
  #chunks: Buffer[] = [];
  #received = 0;

  /** Comes from `localAddress`, where it is given: a client of its own. */
  constructor(port: number, localAddress?: string) {
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true, ...(localAddress && { localAddress }) });
    this.socket.on("error", () => {});
    this.socket.on("data", (chunk) => {
      this.#chunks.push(chunk);
      this.#received += chunk.length;
    });
    this.#closed = once(this.socket, "close").then(() => {
      throw new Error(`the connection was closed, ${this.#received} bytes after the last answer`);
    });
    this.#closed.catch(() => {});
  }

  /**
   * The next answer: its head without what depends on the time, and its body. Rejects when the connection is closed before.
   *
   * Chunks are put together once for the head and once for the body: 20 MB put together with each chunk take seconds.
   */
  async answer(): Promise<{ readonly head: string; readonly body: Buffer }> {
    for (let needed = 1; ; ) {
      while (this.#received < needed) await Promise.race([once(this.socket, "data"), this.#closed]);
      const received = Buffer.concat(this.#chunks);
      const end = received.indexOf("\r\n\r\n");
      const head = received.subarray(0, end + 2).toString();
      needed = end < 0 ? received.length + 1 : end + 4 + Number(/content-length: (\d+)/.exec(head)?.[1]);
      this.#chunks = [received];
      if (received.length < needed) continue;
      this.#chunks = [received.subarray(needed)];
      this.#received -= needed;
      const body = received.subarray(end + 4, needed);
      return { head: head.replace(/^Date: \w{3}, [\w: ]+ GMT\r\n/m, ""), body };
    }
  }
}
