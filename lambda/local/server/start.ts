import { readFileSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { checkIdentity } from "../../access/caller.ts";
import { hmac } from "../../access/hmac.ts";
import { page } from "../../console/page-handler.ts";
import { ownSumdb } from "../../console/paste-lines.ts";
import { decide } from "../../edge/decide.ts";
import type { RoutedPath } from "../../edge/routed-path.ts";
import type { RouteName } from "../../edge/routes.ts";
import { anonymous } from "../../edge/token.ts";
import { CodedError } from "../../golang/coded-error.ts";
import { type Admit, withAdmission } from "../../http/admission.ts";
import type { HttpAnswer } from "../../http/answers.ts";
import { createHandler, type HttpHandler, type HttpRequest } from "../../http/handler.ts";
import { live, ready, textAnswer } from "../../http/probes.ts";
import { signedTreeSize, sumdbVerifier } from "../../proxy/checksums/known-sumdb.ts";
import type { SumdbRemote } from "../../proxy/checksums/sumdb-reach.ts";
import { Fill } from "../../proxy/fill/fill.ts";
import { type Served, serveFile, serveIndex, serveSumdb } from "../../proxy/serve/serve.ts";
import type { UpstreamRouter } from "../../proxy/sources/upstream.ts";
import type { Clock } from "../../proxy/store/clock.ts";
import { FolderTemporaryFiles } from "../../runtime/folder-temporary-files.ts";
import { WorkerZipInspector } from "../../runtime/worker-zip-inspector.ts";
import { localAccess, localKeyValues } from "../access/local-access.ts";
import { DirectoryModuleStore } from "../data/directory-module-store.ts";
import type { Failpoint } from "../data/failpoints.ts";
import { type IndexDatabase, indexFile, openIndexDatabase } from "../data/index-database.ts";
import { reindex } from "../data/reindex.ts";
import { SqliteHeadStore } from "../data/sqlite-head-store.ts";
import { SqliteLeaseStore } from "../data/sqlite-lease-store.ts";
import { SqliteModuleCatalogue } from "../data/sqlite-module-catalogue.ts";
import { SqliteVersionIndex } from "../data/sqlite-version-index.ts";
import { temporaryName } from "../data/temporary-files.ts";
import { finishFills } from "../data/unfinished-fills.ts";
import { Metrics, requestCounter } from "./metrics.ts";
import { requestLog } from "./request-log.ts";
import { createLocalServer } from "./server.ts";
import type { Settings } from "./settings.ts";

/** What one machine needs from the program that starts it: its clock, its upstreams, its streams. */
export interface Surroundings {
  readonly clock: Clock;
  readonly router: UpstreamRouter;
  readonly sumdbRemote: (name: string) => SumdbRemote;
  /** The entry of the thread that inspects zips. */
  readonly zipWorker: URL;
  /** Where request lines go. */
  readonly write: (line: string) => void;
  /** What the operator should know, one line each. */
  readonly warn: (line: string) => void;
  /** Called at each write boundary of the adapters: for tests that end the process there. */
  readonly failpoint?: Failpoint;
}

/** A server that listens. */
export interface RunningServer {
  /** `"http://127.0.0.1:8080"`. */
  readonly url: string;
  /** Stops accepting, lets requests under way end, and closes what is open. */
  stop(): Promise<void>;
}

/** Starts modfront on one machine. Throws `CodedError` "start" with one line when it cannot. */
export async function startLocal(settings: Settings, around: Surroundings): Promise<RunningServer> {
  const store = await openStore(settings.data, around);
  const database = await openIndex(settings, around, store);
  const metrics = new Metrics();
  const handlers = createHandlers(settings, around, {
    store,
    database,
    metrics,
    address: () => address(server, settings),
  });
  const now = () => Math.floor(around.clock.now() / 1000);
  const context = { keyValues: localKeyValues(settings, around.clock.now), hmac, now };
  const open = localAccess(settings).anonymous === "all";
  const { server, closeIdle } = createLocalServer({
    decide: (request) => decide(request, context),
    isOpen: () => open,
    handlers: withAdmission(handlers, admitter(settings)),
    filePath: (key) => store.path(key),
    isPrivate: (module) => around.router.isPrivate(module),
    now: around.clock.now,
    log: requestLog(settings.log, around.write, () => new Date(around.clock.now())),
    count: requestCounter(metrics),
    tls: readTls(settings.tls),
  });
  await listen(server, settings);
  return { url: address(server, settings), stop: () => stop(server, closeIdle, database) };
}

/** In one process the edge's word needs no signature; whether they may is decided again all the same. */
function admitter(settings: Settings): Admit {
  const access = localAccess(settings);
  return async ({ identity = anonymous }, route, module) => {
    checkIdentity(identity, route, module, access);
    return identity;
  };
}

interface Opened {
  readonly store: DirectoryModuleStore;
  readonly database: IndexDatabase;
  readonly metrics: Metrics;
  /** Where the server is reached, once it listens. */
  readonly address: () => string;
}

function createHandlers(settings: Settings, around: Surroundings, opened: Opened): Record<RouteName, HttpHandler> {
  const { store, database, metrics } = opened;
  const index = new SqliteVersionIndex(database, around.failpoint);
  const verifier = sumdbVerifier(settings.config.sumdb.name);
  const fill = new Fill({
    store,
    index,
    leases: new SqliteLeaseStore(database, around.failpoint),
    heads: new SqliteHeadStore(database, around.failpoint),
    router: around.router,
    sumdb: verifier && { verifier, remote: around.sumdbRemote(verifier.name) },
    inspector: new WorkerZipInspector(around.zipWorker),
    temporaryFiles: new FolderTemporaryFiles(join(settings.data, "tmp"), temporaryName),
    clock: around.clock,
    ttl: settings.config.ttl,
  });
  const isPrivate = (module: string) => around.router.isPrivate(module);
  const parts = { fill, index, clock: around.clock, isPrivate, sumdbName: verifier?.name };
  const observe = (_request: HttpRequest, _answer: HttpAnswer, error: unknown) => reportFailure(around, metrics, error);
  const handler = (serve: (routed: RoutedPath) => Promise<Served>) => createHandler({ serve, isPrivate, observe });
  const file = handler((routed) => serveFile(parts, routed));
  const listed = handler((routed) => serveIndex(parts, routed));
  return {
    info: file,
    mod: file,
    zip: file,
    list: listed,
    latest: listed,
    sumdb: handler((routed) => serveSumdb(parts, routed)),
    live,
    ready: ready(async () => void (await index.module("ready"))),
    metrics: async () => textAnswer(metrics.format(), "text/plain; version=0.0.4; charset=utf-8"),
    gosumdb: async () => textAnswer(`${verifier?.name ?? "off"}\n`),
    page: page({
      catalogue: new SqliteModuleCatalogue(database),
      access: localAccess(settings),
      address: opened.address,
      gosumdb: ownSumdb(settings.config.sumdb.name),
    }),
  };
}

/** Failures that nobody expects, and those that mean somebody lies, are for the operator too. */
function reportFailure({ warn }: Surroundings, metrics: Metrics, error: unknown): void {
  if (error === undefined) return;
  const code = error instanceof CodedError ? error.code : "internal";
  metrics.count("modfront_failures_total", { code });
  if (code === "internal" || /^checksum-(mismatch|forged|fork)$/.test(code)) warn(`${code}: ${explain(error)}`);
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} (${explain(error.cause)})`;
}

async function openStore(data: string, { clock, failpoint }: Surroundings): Promise<DirectoryModuleStore> {
  try {
    return await DirectoryModuleStore.open(data, clock.now(), failpoint);
  } catch (cause) {
    throw new CodedError("start", "the data folder cannot be written: choose another with --data", { cause });
  }
}

/** The index; made anew from the files where it is missing, since everything stored must stay listed. */
async function openIndex(
  { data, config }: Settings,
  { clock, warn }: Surroundings,
  store: DirectoryModuleStore,
): Promise<IndexDatabase> {
  const database = openIndexDatabase(join(data, indexFile));
  if (!database.created) {
    await finishFills(database, store, clock.now());
    return database;
  }
  const verifier = sumdbVerifier(config.sumdb.name);
  const readHead = (name: string, note: Uint8Array) =>
    name === verifier?.name ? signedTreeSize(verifier, note) : undefined;
  const { versions } = await reindex({ data, now: clock.now(), readHead });
  if (versions > 0) warn(`the index was missing and was made anew: ${versions} versions are stored`);
  return database;
}

function readTls(tls: Settings["tls"]): { readonly cert: Buffer; readonly key: Buffer } | undefined {
  if (tls === undefined) return undefined;
  try {
    const pair = { cert: readFileSync(tls.cert), key: readFileSync(tls.key) };
    createSecureContext(pair);
    return pair;
  } catch (cause) {
    throw new CodedError("start", "the files of --tls-cert and --tls-key are no certificate and its key", { cause });
  }
}

function listen(server: Server, { port, host }: Settings): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const why = cause.code === "EADDRINUSE" ? "is in use: choose another with --port" : "cannot be listened on";
      reject(new CodedError("start", `port ${port} of ${host} ${why}`, { cause }));
    });
    server.listen(port, host, resolve);
  });
}

function address(server: Server, { host, tls }: Settings): string {
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
async function stop(server: Server, closeIdle: () => void, database: IndexDatabase): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  const sweep = setInterval(closeIdle, idlePoll);
  await closed;
  clearInterval(sweep);
  database.close();
}
