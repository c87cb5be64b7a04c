import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { CodedError } from "../../golang/coded-error.ts";
import type { LocalServer } from "./server.ts";
import type { Settings } from "./settings.ts";

/** Resolves when the server listens. Throws `CodedError` "start" with the line that says why it cannot. */
export function listen(server: Server, { port, host }: Pick<Settings, "port" | "host">): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const why = cause.code === "EADDRINUSE" ? "is in use: choose another with --port" : "cannot be listened on";
      reject(new CodedError("start", `port ${port} of ${host} ${why}`, { cause }));
    });
    server.listen(port, host, resolve);
  });
}

/** Where a server that listens is reached from this machine: `"http://127.0.0.1:8080"`. */
export function addressOf(server: Server, { host, tls }: Pick<Settings, "host" | "tls">): string {
  const { port } = server.address() as AddressInfo;
  const name = ["0.0.0.0", "::"].includes(host) ? "localhost" : host.includes(":") ? `[${host}]` : host;
  return `${tls === undefined ? "http" : "https"}://${name}:${port}`;
}

/** Milliseconds between looks for connections whose answer is out while the server stops. */
const idlePoll = 20;

/**
 * Keep-alive connections without a request are closed at once; the others when their answer is out, which node:http
 * leaves to the client: `go` would keep them for a minute and a half.
 */
export async function stopListening({ server, closeIdle }: LocalServer): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  const sweep = setInterval(closeIdle, idlePoll);
  await closed;
  clearInterval(sweep);
}
