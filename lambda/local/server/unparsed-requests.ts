import type { Server } from "node:http";
import type { Duplex } from "node:stream";
import { STATUS_CODES } from "../../runtime/node-http.ts";

interface Fault {
  readonly status: number;
  readonly line: string;
}

const malformed: Fault = {
  status: 400,
  line: "the request is malformed, or its path has a character that none may have",
};
const wrongMethod: Fault = { status: 405, line: "this address is only read" };

/** By the code of node:http's error; whatever is not here is malformed. */
const faults: Readonly<Record<string, Fault>> = {
  HPE_INVALID_METHOD: wrongMethod,
  HPE_HEADER_OVERFLOW: { status: 431, line: "the request line and the headers are longer than 16 KiB together" },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, line: "the request did not arrive in time" },
};

/**
 * Answers what is never a request to node:http: malformed or too long ones, unknown methods, CONNECT. Left alone it
 * answers them without a line that says why, and CONNECT not at all.
 */
export function answerUnparsed(server: Server): void {
  // First of all: before the handshake is done no answer can be sent, and who waits for its end waits for ever.
  server.prependListener("tlsClientError", (_error: Error, socket: Duplex) => socket.destroy());
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex & { readonly bytesWritten?: number }) => {
    // Behind an answer that has begun, another one would be read as a part of it.
    if (!socket.writable || socket.bytesWritten !== 0) socket.destroy();
    else end(socket, faults[error.code ?? ""] ?? malformed);
  });
  server.on("connect", (_request, socket: Duplex) => {
    socket.on("error", () => {});
    end(socket, wrongMethod);
  });
}

function end(socket: Duplex, { status, line }: Fault): void {
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...(status === 405 ? ["allow: GET, HEAD"] : []),
    "content-type: text/plain; charset=utf-8",
    "cache-control: no-store",
    "x-content-type-options: nosniff",
    `content-length: ${line.length + 1}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${line}\n`, () => socket.destroy());
}
