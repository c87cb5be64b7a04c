import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A client that sends bytes as they are, and reads answers by their length. */
export class RawClient {
  readonly socket: Socket;
  #received = Buffer.alloc(0);

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.socket.on("error", () => {});
    this.socket.on("data", (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
    });
  }

  /** The next answer: its head without what depends on the time, and its body. */
  async answer(): Promise<{ readonly head: string; readonly body: Buffer }> {
    for (;;) {
      const end = this.#received.indexOf("\r\n\r\n");
      const head = this.#received.subarray(0, end + 2).toString();
      const length = end < 0 ? Number.NaN : Number(/content-length: (\d+)/.exec(head)?.[1]);
      if (this.#received.length >= end + 4 + length) {
        const body = this.#received.subarray(end + 4, end + 4 + length);
        this.#received = this.#received.subarray(end + 4 + length);
        return { head: head.replace(/^Date: \w{3}, [\w: ]+ GMT\r\n/m, ""), body };
      }
      await once(this.socket, "data");
    }
  }
}
