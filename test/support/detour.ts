import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import {
  Agent,
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  request as send,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { buffer } from "node:stream/consumers";

/** What is done with a call: it goes on, is refused with this error, or its caller is killed before or after it landed. */
export type Fate = "pass" | "kill-before" | "kill-after" | { readonly status: number; readonly type: string };

/**
 * A way to an emulator of AWS on which calls come to grief, for functions that are told to go this way. Its fates are by
 * the call's name (`"TransactWriteItems"`), the next call's first.
 */
export class Detour {
  readonly #fates = new Map<string, Fate[]>();
  /** The calls that went by, by name. */
  readonly calls: string[] = [];
  /** The processes that were killed. */
  readonly killed: number[] = [];
  readonly #agent = new Agent({ keepAlive: true });
  readonly #server: Server;
  #endpoint = "";

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#pass(request, response).catch(() => response.destroy());
    });
  }

  static async start(): Promise<Detour> {
    const detour = new Detour();
    await new Promise<void>((resolve) => detour.#server.listen(0, "127.0.0.1", resolve));
    return detour;
  }

  /** Where it begins; where it leads is said later, because an emulator's functions have to know this before. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  leadTo(endpoint: string): void {
    this.#endpoint = endpoint;
  }

  /** Plans the fates of the next calls of this name. */
  plan(call: string, ...fates: readonly Fate[]): void {
    this.#fates.set(call, [...fates]);
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const call = String(request.headers["x-amz-target"]).split(".").at(-1) ?? "";
    this.calls.push(call);
    const fate = this.#fates.get(call)?.shift() ?? "pass";
    if (typeof fate === "object") {
      response.writeHead(fate.status, { "content-type": "application/x-amz-json-1.0" });
      return void response.end(JSON.stringify({ __type: fate.type, message: "planned" }));
    }
    if (fate === "kill-before") return this.#kill(request.socket);
    const answer = await this.#forward(request, body);
    if (fate === "kill-after") return this.#kill(request.socket);
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  #forward(request: IncomingMessage, body: Buffer) {
    const { promise, resolve, reject } = Promise.withResolvers<{
      status: number;
      headers: IncomingMessage["headers"];
      body: Buffer;
    }>();
    const { hostname, port } = new URL(this.#endpoint);
    const { method, url: path, headers } = request;
    send({ agent: this.#agent, hostname, port, method, path, headers }, async (answer) => {
      resolve({ status: answer.statusCode ?? 502, headers: answer.headers, body: await buffer(answer) });
    })
      .on("error", reject)
      .end(body);
    return promise;
  }

  /** Ends the process at the other end of a connection, as a machine that fails does. */
  #kill(socket: Socket): void {
    const pid = processAt(socket.remotePort ?? 0, this.#port);
    if (pid === process.pid) throw new Error("the caller is the test itself");
    process.kill(pid, "SIGKILL");
    this.killed.push(pid);
    socket.destroy();
  }
}

/** The process whose end of a connection has this port. Only of Linux, as are the emulator's own ways. */
function processAt(port: number, to: number): number {
  const hex = (each: number) => each.toString(16).toUpperCase().padStart(4, "0");
  const rows = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((file) => readFileSync(file, "utf8").split("\n"));
  const row = rows
    .map((line) => line.trim().split(/\s+/))
    .find(([, from = "", there = ""]) => {
      return from.endsWith(`:${hex(port)}`) && there.endsWith(`:${hex(to)}`);
    });
  const link = `socket:[${row?.[9]}]`;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) if (holds(pid, link)) return Number(pid);
  throw new Error("nobody holds the connection");
}

function holds(pid: string, link: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === link);
  } catch {
    return false;
  }
}
