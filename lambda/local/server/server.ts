import { randomUUID } from "node:crypto";
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import type { Fetch } from "../../access/fetch-recorder.ts";
import type { Decision, EdgeForward, EdgeRequest } from "../../edge/decide.ts";
import { type EdgeAnswer, refuse } from "../../edge/refusals.ts";
import type { RoutedPath } from "../../edge/routed-path.ts";
import { storedKind } from "../../edge/routes.ts";
import { anonymous, type Identity } from "../../edge/token.ts";
import { errorText } from "../../http/answers.ts";
import { clientAddress } from "../../http/client-address.ts";
import { frame } from "../../http/frame.ts";
import type { HttpRequest } from "../../http/handler.ts";
import { errorOf, failure, type HttpAnswer, type HttpResult } from "../../http/result.ts";
import { errorTraits } from "../../proxy/store/error-traits.ts";
import { policyOf } from "../../proxy/store/layout.ts";
import { ServedError } from "../../proxy/store/served-error.ts";
import { createServer } from "../../runtime/node-http.ts";
import { type Certificate, clientCertificate } from "./certificate.ts";
import { type FileAnswer, type HitMemory, sendFile, sendReady } from "./fast-path.ts";
import { type HitLane, openHitLane } from "./hit-lane.ts";
import { HotFiles } from "./hot-files.ts";
import { oneAtATime } from "./pipelined-requests.ts";
import { type ReadyResponse, ReadyResponses, readyResponse } from "./ready-responses.ts";
import type { LoggedRequest } from "./request-log.ts";
import { answerUnparsed } from "./unparsed-requests.ts";

/** A request and who asks, as the edge found. */
export interface ForwardedRequest extends HttpRequest {
  readonly identity: Identity;
  /** Whose share of the work it is: a token, or an address. */
  readonly client: string;
}

export interface ServerParts {
  readonly decide: (request: EdgeRequest) => Decision | Promise<Decision>;
  /** Another number after each change of what `decide` refuses whoever asks: what was kept ready before may be refused now. */
  readonly generation: () => number;
  /** True when `decide` lets everybody read everything, so that a ready answer needs no decision of its own. */
  readonly isOpen: () => boolean;
  /** False for the `Host` of a request that must not be answered, whatever it asks for. */
  readonly isKnownHost: (host: string | undefined) => boolean;
  /** What is not stored, and every other address. */
  readonly answer: (request: ForwardedRequest) => Promise<HttpResult>;
  /** Where the file of a key lies on disk. */
  readonly filePath: (key: string) => string;
  readonly isPrivate: (module: string) => boolean;
  readonly now: () => number;
  readonly log: ((request: LoggedRequest) => void) | undefined;
  /** `channel` is empty for the default one, and absent where nobody got as far as into any. */
  readonly count: (route: string, status: number, channel?: string) => void;
  /** Told of each request for something of the module protocol, by whom; absent where fetches are not written down. */
  readonly fetched?: ((fetch: Fetch) => void) | undefined;
  /** Who sent a request that was refused. */
  readonly identify?: (request: EdgeRequest) => Identity;
  /** Told of each request that `answer` failed. */
  readonly failed: (error: ServedError) => void;
  readonly tls: Certificate | undefined;
  /** How many connections may be open at once. */
  readonly connections: number;
  /** For tests, that cannot wait so long. */
  readonly patience?: Patience;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

interface Outcome {
  /** A route of the protocol, a row of the site, or `edge`: what was answered without either. */
  readonly route: string;
  readonly status: number;
  readonly error?: string | undefined;
  readonly channel?: string | undefined;
}

export interface LocalServer {
  readonly server: Server;
  /** Closes the connections that wait for a request. Whoever stops the server calls it until all are closed. */
  closeIdle(): void;
  /** Forgets the lists that are kept ready. */
  forgetLists(): void;
}

/**
 * Milliseconds that a client has for a handshake, for a request line and its headers, for all of a body, for one that is a
 * file, between two requests, and to take anything of an answer. How often those of http are looked after comes last.
 */
const patience = {
  handshakeTimeout: 10_000,
  headersTimeout: 20_000,
  bodyTimeout: 60_000,
  requestTimeout: 3_600_000,
  keepAliveTimeout: 65_000,
  stallTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
} as const;

export type Patience = Readonly<Record<keyof typeof patience, number>>;

/** The edge, the hits and the serve plane of one machine, behind one port. */
export function createLocalServer(parts: ServerParts): LocalServer {
  const keeper = new MemoryKeeper(parts.generation);
  const listener: RequestListener = (request, response) => {
    const { method, url = "" } = request;
    if (!parts.isKnownHost(hostOf(request))) return refuseHost(parts, { request, response });
    const isRead = method === "GET" || method === "HEAD";
    const memory = keeper.memory();
    const ready = isRead && parts.isOpen() ? findReady(parts, memory, url) : undefined;
    if (ready !== undefined) {
      parts.fetched?.({ path: url, address: addressOf(request), identity: anonymous, decision: "allowed" });
      const status = sendReady(request, response, ready);
      return finish(parts, { request, response }, { route: "edge", status, channel: "" });
    }
    endWhenStalled(response);
    endWhenLong(request, patient.bodyTimeout);
    void answer(parts, memory, { request, response });
  };
  const { tls, patience: patient = patience } = parts;
  const options = { ...patient, maxHeaderSize: 16_384 };
  const turns = oneAtATime(listener);
  const server =
    tls === undefined ? createServer(options, turns) : createTlsServer({ ...options, ...secure(tls) }, turns);
  server.timeout = patient.stallTimeout;
  server.maxConnections = parts.connections;
  answerUnparsed(server);
  const lane = tls === undefined ? openLane(server, parts, keeper, patient) : undefined;
  return {
    server,
    closeIdle: () => {
      server.closeIdleConnections();
      lane?.close();
    },
    forgetLists: () => keeper.memory().ready.forgetLists(),
  };
}

/**
 * What is kept in memory for hits, anew after each change of what is refused: a request that was let through before it keeps
 * its answer in what nobody looks at any more.
 */
class MemoryKeeper {
  readonly #generation: () => number;
  #kept: HitMemory & { readonly of: number };

  constructor(generation: () => number) {
    this.#generation = generation;
    this.#kept = this.#open(generation());
  }

  readonly memory = (): HitMemory => {
    const generation = this.#generation();
    if (generation !== this.#kept.of) this.#kept = this.#open(generation);
    return this.#kept;
  };

  #open(of: number) {
    return { of, ready: new ReadyResponses(), hot: new HotFiles() };
  }
}

/** Whoever shows no certificate, or a wrong one, is let in: only the exchange of it for a token wants one. */
function secure(tls: Certificate) {
  return tls.ca === undefined ? tls : { ...tls, requestCert: true, rejectUnauthorized: false };
}

/**
 * Left alone, node:http ends a connection on which nothing happens. While an answer is made nothing does; ended is only
 * who does not take what was sent.
 */
function endWhenStalled(response: ServerResponse): void {
  response.on("timeout", (socket: Socket) => {
    if (socket.writableLength > 0) socket.destroy();
  });
}

/** Of requests whose body may take its time, what would end them. */
const bodyTimers = new WeakMap<IncomingMessage, NodeJS.Timeout>();

function endWhenLong(request: IncomingMessage, milliseconds: number): void {
  const { "content-length": length, "transfer-encoding": encoding } = request.headers;
  if (encoding === undefined && (length === undefined || length === "0")) return;
  const timer = setTimeout(() => request.complete || request.destroy(), milliseconds).unref();
  bodyTimers.set(request, timer);
  request.once("close", () => clearTimeout(timer));
}

/** Milliseconds that a long body may be silent or slow for, and the bytes of it that must have come in each second after. */
const slowest = { pause: 60_000, rate: 8192, look: 5_000 } as const;

/** The body, which may take its time while it comes: then `stillMay` throws if whoever sends it may not any more. */
async function* takeTime(request: IncomingMessage, stillMay: () => Promise<void>): AsyncIterable<Uint8Array> {
  clearTimeout(bodyTimers.get(request));
  const started = performance.now();
  let size = 0;
  const isSlow = () => performance.now() - started - slowest.pause > (size / slowest.rate) * 1000;
  const timer = setInterval(() => isSlow() && request.destroy(), slowest.look).unref();
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      yield chunk;
    }
  } finally {
    clearInterval(timer);
  }
  await stillMay();
}

function openLane(server: Server, parts: ServerParts, keeper: MemoryKeeper, patient: Patience): HitLane {
  return openHitLane(server, {
    find: (target, host) =>
      parts.isOpen() && parts.isKnownHost(host) ? keeper.memory().ready.get(target, parts.now()) : undefined,
    answered: (path, socket) => {
      parts.fetched?.({ path, address: socket.remoteAddress ?? "", identity: anonymous, decision: "allowed" });
      parts.count("edge", 200, "");
      parts.log?.({ method: "GET", path, status: 200, milliseconds: 0, error: undefined });
    },
    now: parts.now,
    patience: { first: patient.headersTimeout, next: patient.keepAliveTimeout },
  });
}

/** Looks at the names as they came, like `isConditional`. */
function hostOf({ rawHeaders }: IncomingMessage): string | undefined {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 4 && name.toLowerCase() === "host") return rawHeaders[i + 1];
  }
  return undefined;
}

function refuseHost(parts: ServerParts, exchange: Exchange): void {
  const line = "this server is not known by this name: a name is added as access.hosts of the configuration";
  const { body, ...refusal } = refuse(403, line);
  finish(parts, exchange, {
    route: "edge",
    status: send(exchange, { ...refusal, body: Buffer.from(body) }),
    error: line,
  });
}

function findReady(parts: ServerParts, memory: HitMemory, path: string): ReadyResponse | undefined {
  return memory.ready.get(path, parts.now()) ?? memory.hot.get(path);
}

async function answer(parts: ServerParts, memory: HitMemory, exchange: Exchange): Promise<void> {
  const started = parts.now();
  try {
    finish(parts, exchange, await route(parts, memory, exchange), started);
  } catch (error) {
    fail(exchange, error);
    finish(parts, exchange, { route: "edge", status: 500, error: "the answer broke off" }, started);
  }
}

/** Where all channels have the same, it is what a path is in any of them; the others have keys that no received path is. */
function readyKey({ routed, view }: EdgeForward): string {
  return view ? `${view} ${routed.path}` : routed.path;
}

async function route(parts: ServerParts, memory: HitMemory, exchange: Exchange): Promise<Outcome> {
  const { request } = exchange;
  const { method = "" } = request;
  const { path } = splitTarget(request);
  const header = (name: string) => headerOf(request, name);
  const asked = { method, path, credentials: credentialsOf(request), header };
  const decision = await parts.decide(asked);
  tell(parts, request, asked, decision);
  if (decision.kind === "answer") return answered(exchange, decision);
  const outcome = await serve(parts, memory, exchange, decision, () => parts.decide(asked));
  return decision.routed.route === "site" ? outcome : { ...outcome, channel: decision.channel ?? "" };
}

async function serve(
  parts: ServerParts,
  memory: HitMemory,
  exchange: Exchange,
  decision: EdgeForward,
  decideAgain: DecideAgain,
): Promise<Outcome> {
  const { request, response } = exchange;
  const { route } = decision.routed;
  const ready = findReady(parts, memory, readyKey(decision));
  if (ready !== undefined) return { route, status: sendReady(request, response, ready) };
  const status = await serveStored(parts, memory, exchange, decision.routed);
  return status === undefined ? serveMiss(parts, memory, exchange, decision, decideAgain) : { route, status };
}

/** What was decided of a request when it came, as it is now. */
type DecideAgain = () => Decision | Promise<Decision>;

function answered(exchange: Exchange, answer: EdgeAnswer): Outcome {
  const body = Buffer.from(answer.body);
  return { route: "edge", status: send(exchange, { ...answer, body }), error: answer.body.trimEnd() };
}

/** What is malformed, and what nobody can decide at the moment, is no decision about who may. */
function tell(parts: ServerParts, request: IncomingMessage, asked: EdgeRequest, decision: Decision): void {
  if (parts.fetched === undefined) return;
  const fetch = { path: asked.path, address: addressOf(request) };
  if (decision.kind === "forward") parts.fetched({ ...fetch, identity: decision.identity, decision: "allowed" });
  else if (decision.status === 401 || decision.status === 403)
    parts.fetched({ ...fetch, identity: parts.identify?.(asked) ?? anonymous, decision: "refused" });
}

/** The code of an error that says somebody tried to change what a version is: a moved tag, forged bytes. */
function contentRefusal({ code }: ServedError): string | undefined {
  const { status, alarming } = errorTraits[code];
  return status === 403 && alarming ? code : undefined;
}

function addressOf({ socket }: IncomingMessage): string {
  return socket.remoteAddress ?? "";
}

/** Undefined for one that came more than once. */
function headerOf(request: IncomingMessage, name: string): string | undefined {
  const values = request.headersDistinct[name];
  return values?.length === 1 ? values[0] : undefined;
}

/** Of a header that came twice node:http keeps the first in `headers`. */
function credentialsOf(request: IncomingMessage): string | readonly string[] | undefined {
  const { authorization } = request.headers;
  const all = authorization === undefined ? undefined : request.headersDistinct.authorization;
  return all !== undefined && all.length > 1 ? all : authorization;
}

async function serveStored(
  parts: ServerParts,
  memory: HitMemory,
  { request, response }: Exchange,
  routed: RoutedPath,
): Promise<number | undefined> {
  const kind = storedKind(routed.route);
  if (kind === undefined) return undefined;
  return sendFile(request, response, storedFile(parts, routed, kind), memory);
}

function storedFile(parts: ServerParts, { path, module }: RoutedPath, kind: "info" | "mod" | "zip"): FileAnswer {
  const { contentType, cacheControl } = policyOf(kind, module !== undefined && parts.isPrivate(module));
  const headers = {
    "content-type": contentType,
    "cache-control": cacheControl,
    "x-content-type-options": "nosniff",
  };
  return { path: parts.filePath(path.slice(1)), key: path, headers };
}

async function serveMiss(
  parts: ServerParts,
  memory: HitMemory,
  exchange: Exchange,
  decision: EdgeForward,
  decideAgain: DecideAgain,
): Promise<Outcome> {
  const { routed, identity, channel, view } = decision;
  const generation = parts.generation();
  const { method = "" } = exchange.request;
  const headers = exchange.request.headers as Record<string, string>;
  const query = splitTarget(exchange.request).query;
  const client = identity.role === "anonymous" ? clientAddress(addressOf(exchange.request)) : identity.id;
  const body = (limit: number) => readBody(exchange.request, limit);
  const stillMay = async () => {
    const now = await decideAgain();
    if (now.kind === "answer" || now.identity.id !== identity.id || now.identity.role !== identity.role)
      throw new ServedError("unauthorized", "what was shown to publish with has ended meanwhile");
  };
  const chunks = () => takeTime(exchange.request, stillMay);
  const origin = { request: randomUUID(), address: addressOf(exchange.request) };
  const certificate = () => clientCertificate(exchange.request.socket);
  const { purges } = memory.ready;
  const asked = { method, routed, channel, view, headers, query, body, chunks, origin, certificate };
  const result = await parts.answer({ ...asked, identity, client });
  // It may have been blocked while it was obtained.
  const isChanged = routed.route !== "site" && generation !== parts.generation();
  const again = isChanged ? await decideAgain() : undefined;
  if (again?.kind === "answer") return answered(exchange, again);
  const error = errorOf(result);
  if (error !== undefined) parts.failed(error);
  const refusal = error && contentRefusal(error);
  if (refusal !== undefined)
    parts.fetched?.({ path: routed.path, address: origin.address, identity, decision: "refused", rule: refusal });
  const given = frame(result);
  const route = routed.route === "site" ? (given.route ?? "edge") : routed.route;
  if (given.status !== 200) return { route, status: send(exchange, given), error: error && errorText(error) };
  if (!("stored" in given.body))
    return { route, status: sendFresh(parts, memory, exchange, decision, { ...given, body: given.body, purges }) };
  const stored = await serveStored(parts, memory, exchange, routed);
  if (stored !== undefined) return { route, status: stored };
  return { route, status: send(exchange, frame(failure(undefined))), error: "the file vanished" };
}

/** The body, unless it is longer than that: the rest is read and let go, by node:http. */
async function readBody(request: IncomingMessage, limit: number): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Sends an answer that came with its body, and keeps it ready for as long as it is good: that of a file for ever, and none that
 * was asked for before the last purge.
 */
function sendFresh(
  parts: ServerParts,
  memory: HitMemory,
  { request, response }: Exchange,
  decision: EdgeForward,
  answer: HttpAnswer & { readonly body: Uint8Array; readonly purges: number },
): number {
  const { body, freshUntil = 0 } = answer;
  const isFile = freshUntil === Number.POSITIVE_INFINITY && storedKind(decision.routed.route) !== undefined;
  const headers = isFile ? { ...answer.headers, "accept-ranges": "bytes" } : answer.headers;
  const ready = readyResponse(headers, headers.etag, body, freshUntil);
  if (freshUntil > parts.now() && (isFile || answer.purges === memory.ready.purges))
    memory.ready.set(readyKey(decision), ready);
  return sendReady(request, response, ready);
}

function send({ request, response }: Exchange, answer: Omit<HttpAnswer, "freshUntil">): number {
  const body = "stored" in answer.body ? new Uint8Array() : answer.body;
  const length = answer.status === 304 ? {} : { "content-length": String(body.length) };
  response.writeHead(answer.status, { ...answer.headers, ...length });
  response.end(request.method === "HEAD" || answer.status === 304 ? undefined : body);
  return answer.status;
}

/** Nothing may be added to an answer that has begun: breaking the connection is how the client learns of it. */
function fail(exchange: Exchange, error: unknown): void {
  if (exchange.response.headersSent) exchange.response.destroy();
  else send(exchange, frame(failure(error)));
}

function finish(parts: ServerParts, { request }: Exchange, outcome: Outcome, started?: number): void {
  parts.count(outcome.route, outcome.status, outcome.channel);
  if (parts.log === undefined) return;
  const { method = "" } = request;
  const { path } = splitTarget(request);
  const milliseconds = started === undefined ? 0 : parts.now() - started;
  parts.log({ method, path, status: outcome.status, milliseconds, error: outcome.error });
}

function splitTarget({ url = "" }: IncomingMessage): { readonly path: string; readonly query: string } {
  const mark = url.indexOf("?");
  return mark < 0 ? { path: url, query: "" } : { path: url.slice(0, mark), query: url.slice(mark + 1) };
}
