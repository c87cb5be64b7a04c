import * as crypto from "node:crypto";
import { randomUUID } from "node:crypto";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { createContext, Script } from "node:vm";
import { type ViewerRequest, type ViewerResponse, viewerHeader } from "../../lambda/edge/cloudfront.ts";
import { EdgeCache, type KeptAnswer, keptSeconds } from "./cloudfront-cache.ts";
import type { Plan, PlannedBehavior, PlannedOrigin } from "./cloudfront-plan.ts";

// A stand-in for CloudFront, which no emulator has: it runs the deployed function's own source and follows behaviours,
// origin groups, error TTLs and cache policies as the template says. It does not join requests that miss at the same
// moment, which CloudFront often does: what is behind it has the harder life.

export interface CloudFrontParts {
  readonly plan: Plan;
  /** Where the emulator answers for S3 and API Gateway: `http://127.0.0.1:4566`. */
  readonly endpoint: string;
  readonly keyValue: (name: string) => Promise<string>;
  /** What was invalidated since this was asked before, each item as it was named: `"#tag"`. */
  readonly invalidated?: () => Promise<readonly string[]>;
}

/** Where answers came from since the last reset: `edge`, `cache`, `bucket`, and the API by origin path (`api /list`). */
export type Traffic = Record<string, number>;

/** Larger bodies go through without being kept, so that the test's memory is not a cache of zips. */
const keptSize = 16 * 1024 * 1024;

/** An answer from an origin; `body` only when it is small enough to keep. */
interface OriginAnswer {
  readonly message: IncomingMessage;
  readonly kept: KeptAnswer | undefined;
}

export class CloudFront {
  readonly traffic: Traffic = {};
  readonly #parts: CloudFrontParts;
  readonly #cache = new EdgeCache();
  readonly #scripts = new Map<string, Script>();
  readonly #agent = new http.Agent({ keepAlive: true });
  readonly #server: http.Server;

  constructor(parts: CloudFrontParts) {
    this.#parts = parts;
    this.#server = http.createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        if (!response.headersSent) response.writeHead(502);
        response.end(`stand-in: ${String(error)}\n`);
      });
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Forgets what was cached and counted. */
  reset(): void {
    this.#cache.clear();
    for (const name of Object.keys(this.traffic)) delete this.traffic[name];
  }

  /** What the API says to someone who found its address. */
  async askApi(
    id: string,
    path: string,
    headers: Record<string, string> = {},
  ): Promise<{ readonly status: number | undefined; readonly body: string }> {
    const origin = { host: `${id}.execute-api`, path: "", isBucket: false, timeout: 10_000 };
    const answer = await this.#fetch(origin, path, "GET", headers);
    return { status: answer.statusCode, body: await text(answer) };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "GET", url = "/" } = request;
    const [received = "/"] = url.split("?");
    const behavior = this.#behaviorFor(received);
    if (!behavior.methods.has(method)) return void response.writeHead(403).end();
    const decided = await this.#decide(behavior, request, received);
    if ("statusCode" in decided) return this.#sendEdge(response, decided);
    const byHeader = behavior.keyHeaders.map((name) => decided.headers[name.toLowerCase()]?.value);
    const key = JSON.stringify([behavior.pattern, decided.uri, byHeader]);
    await this.#forget();
    const known = this.#cache.get(key, Date.now());
    if (known?.fresh) return this.#sendKept(request, response, known.answer, "cache");
    const answer = await this.#ask(behavior, decided, request).catch(() => undefined);
    const failed = answer === undefined || (answer.message.statusCode ?? 502) >= 500;
    if (failed && known !== undefined) return this.#sendKept(request, response, known.answer, "stale");
    if (answer === undefined) return void response.writeHead(504).end("the origin does not answer\n");
    this.#keep(key, behavior, method, answer);
    if (answer.kept !== undefined) return this.#sendKept(request, response, answer.kept);
    response.writeHead(answer.message.statusCode ?? 502, plain(answer.message.headers));
    answer.message.pipe(response);
  }

  #behaviorFor(path: string): PlannedBehavior {
    const { behaviors } = this.#parts.plan;
    const found = behaviors.find(({ pattern }) => {
      const source = pattern
        .replace(/[.+^${}()|[\]\\]/g, "\\$&")
        .replaceAll("*", ".*")
        .replaceAll("?", ".");
      return new RegExp(`^${source}$`, "s").test(path) || pattern === "*";
    });
    if (found === undefined) throw new Error("no default behaviour");
    return found;
  }

  async #decide(
    behavior: PlannedBehavior,
    request: IncomingMessage,
    uri: string,
  ): Promise<ViewerRequest | ViewerResponse> {
    const context = createContext({
      modules: { cloudfront: { kvs: () => ({ get: this.#parts.keyValue }) }, crypto },
    });
    this.#scriptOf(behavior).runInContext(context);
    const handler = new Script("handler").runInContext(context);
    const query = new URLSearchParams((request.url ?? "").split("?")[1] ?? "");
    const headers: Record<string, { value: string; multiValue?: { value: string }[] }> = {};
    for (const [name, values = []] of Object.entries(request.headersDistinct)) {
      const each = values.map((value) => ({ value }));
      headers[name] = { value: values[0] ?? "", ...(each.length > 1 && { multiValue: each }) };
    }
    const querystring = Object.fromEntries([...query].map(([name, value]) => [name, { value }]));
    return await handler({
      version: "1.0",
      context: { requestId: randomUUID() },
      request: { method: request.method, uri, querystring, headers },
    });
  }

  #scriptOf({ functionCode }: PlannedBehavior): Script {
    const known = this.#scripts.get(functionCode);
    if (known !== undefined) return known;
    const script = new Script(functionCode.replace(/^import (\w+) from "(\w+)";$/gm, 'const $1 = modules["$2"];'));
    this.#scripts.set(functionCode, script);
    return script;
  }

  /** The first origin that has an answer, by the origin group's rules; only reading requests may fail over. */
  async #ask(behavior: PlannedBehavior, decided: ViewerRequest, request: IncomingMessage): Promise<OriginAnswer> {
    const [first, second] = behavior.origins;
    if (first === undefined) throw new Error("no origin");
    if (second === undefined) return await this.#askOrigin(first, behavior, decided, request);
    const answer = await this.#askOrigin(first, behavior, decided, request).catch(() => undefined);
    if (answer !== undefined && !behavior.failover.has(answer.message.statusCode ?? 502)) return answer;
    answer?.message.resume();
    return await this.#askOrigin(second, behavior, decided, request);
  }

  async #askOrigin(
    origin: PlannedOrigin,
    behavior: PlannedBehavior,
    decided: ViewerRequest,
    request: IncomingMessage,
  ): Promise<OriginAnswer> {
    const headers: Record<string, string> = {};
    const others =
      behavior.withheld && Object.keys(decided.headers).filter((name) => !behavior.withheld?.includes(name));
    for (const name of [...behavior.headers, ...(others ?? []), ...behavior.keyHeaders, "if-none-match", "range"]) {
      const value = decided.headers[name.toLowerCase()]?.value;
      if (value !== undefined) headers[name] = value;
    }
    const { remoteAddress, remotePort } = request.socket;
    // CloudFront's own, whatever the client said.
    if (behavior.headers.includes(viewerHeader)) headers[viewerHeader] = `${remoteAddress}:${remotePort}`;
    const query = new URLSearchParams();
    for (const [name, { value }] of Object.entries(decided.querystring)) query.set(name, value);
    const target = behavior.query && query.size > 0 ? `${decided.uri}?${query}` : decided.uri;
    const message = await this.#fetch(origin, target, request.method ?? "GET", headers, await bodyOf(request));
    const name = origin.isBucket ? "bucket" : `api ${origin.path}`;
    const status = message.statusCode ?? 502;
    if (!origin.isBucket || status < 400) this.traffic[name] = (this.traffic[name] ?? 0) + 1;
    if (Number(message.headers["content-length"] ?? 0) > keptSize) return { message, kept: undefined };
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk);
    return { message, kept: { status, headers: message.headers, body: Buffer.concat(chunks) } };
  }

  /** Both origins are the emulator: the bucket by path, the API by the name in its Host header. */
  #fetch(
    origin: PlannedOrigin,
    uri: string,
    method: string,
    headers: Record<string, string>,
    body?: Buffer,
  ): Promise<IncomingMessage> {
    const { hostname, port } = new URL(this.#parts.endpoint);
    const [name = ""] = origin.host.split(".");
    const path = origin.isBucket ? `/${name}${uri}` : `${origin.path}${uri}`;
    const host = origin.isBucket ? "s3.us-east-1.amazonaws.com" : `${name}.execute-api.localhost`;
    return new Promise((resolve, reject) => {
      const asked = http.request(
        { hostname, port, method, path, headers: { ...headers, host }, agent: this.#agent, timeout: origin.timeout },
        resolve,
      );
      asked.once("timeout", () => asked.destroy(new Error("timeout")));
      asked.once("error", reject);
      asked.end(body);
    });
  }

  /** What was invalidated since the last look is kept no more: by the tag that its answer had. */
  async #forget(): Promise<void> {
    const { tags } = this.#parts.plan;
    if (tags === undefined || this.#parts.invalidated === undefined) return;
    for (const item of await this.#parts.invalidated()) this.#cache.forget(tags, item.slice(1));
  }

  #keep(key: string, behavior: PlannedBehavior, method: string, { kept }: OriginAnswer): void {
    if (kept === undefined || method !== "GET" || kept.status === 206 || kept.status === 304) return;
    const seconds = keptSeconds(kept, behavior.cache, this.#parts.plan.errorTtl);
    if (seconds > 0) this.#cache.set(key, kept, Date.now() + seconds * 1000);
  }

  #sendEdge(response: ServerResponse, answer: ViewerResponse): void {
    this.traffic.edge = (this.traffic.edge ?? 0) + 1;
    const headers = Object.fromEntries(Object.entries(answer.headers).map(([name, { value }]) => [name, value]));
    response.writeHead(answer.statusCode, headers).end(answer.body);
  }

  #sendKept(request: IncomingMessage, response: ServerResponse, kept: KeptAnswer, from?: "cache" | "stale"): void {
    if (from !== undefined) this.traffic[from] = (this.traffic[from] ?? 0) + 1;
    const tag = kept.headers.etag;
    const known = kept.status === 200 && tag !== undefined && request.headers["if-none-match"] === tag;
    response.writeHead(known ? 304 : kept.status, { ...plain(kept.headers), "x-cache": from ?? "miss" });
    response.end(request.method === "HEAD" || known ? undefined : kept.body);
  }
}

/** What of a request is passed on, of any method but those that only read. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  return request.method === "GET" || request.method === "HEAD" ? undefined : await buffer(request);
}

/** Without what belongs to one connection. */
function plain(headers: http.IncomingHttpHeaders): http.OutgoingHttpHeaders {
  const { connection, "keep-alive": alive, "transfer-encoding": encoding, date, ...rest } = headers;
  return rest;
}
