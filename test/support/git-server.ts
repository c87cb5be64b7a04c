import { spawn } from "node:child_process";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** The repositories of a folder behind git's own `http-backend`, on 127.0.0.1. */
export interface GitServer {
  readonly url: string;
  readonly requests: string[];
  close(): Promise<void>;
}

export interface BackendOptions {
  /** The newest version of the protocol that it speaks. */
  readonly protocol?: 0 | 2;
  /** It leaves objects out of what it sends. */
  readonly filter?: boolean;
}

/** Serves `<folder>/<name>` at `<url>/<name>`. */
export async function startGitServer(folder: string, options: BackendOptions = {}): Promise<GitServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    runBackend(folder, options, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function runBackend(
  folder: string,
  { protocol: newest = 2, filter = true }: BackendOptions,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
  const protocol = request.headers["git-protocol"];
  const encoding = request.headers["content-encoding"];
  const backend = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env.PATH,
      ...{ GIT_PROJECT_ROOT: folder, GIT_HTTP_EXPORT_ALL: "1", GIT_CONFIG_NOSYSTEM: "1", HOME: folder },
      // Objects by hash and filters, as hosts allow them.
      ...{ GIT_CONFIG_COUNT: "2", GIT_CONFIG_KEY_0: "uploadpack.allowAnySHA1InWant", GIT_CONFIG_VALUE_0: "true" },
      ...{ GIT_CONFIG_KEY_1: "uploadpack.allowFilter", GIT_CONFIG_VALUE_1: String(filter) },
      ...{ REQUEST_METHOD: request.method, PATH_INFO: pathname, QUERY_STRING: searchParams.toString() },
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      ...(typeof protocol === "string" && newest === 2 && { GIT_PROTOCOL: protocol }),
      ...(typeof encoding === "string" && { HTTP_CONTENT_ENCODING: encoding }),
    },
  });
  request.pipe(backend.stdin).on("error", () => {});
  backend.stderr.resume();
  let head: Buffer | undefined = Buffer.alloc(0);
  backend.stdout.on("data", (chunk: Buffer) => {
    if (head === undefined) return void response.write(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    const headers = head.toString("latin1", 0, end).split("\r\n");
    const { Status: status, ...others } = Object.fromEntries(headers.map((line) => line.split(/: (.*)/)));
    response.writeHead(status === undefined ? 200 : Number.parseInt(status, 10), others);
    response.write(head.subarray(end + 4));
    head = undefined;
  });
  backend.on("close", () => {
    if (head !== undefined) response.writeHead(500);
    response.end();
  });
  response.on("close", () => backend.kill());
}
