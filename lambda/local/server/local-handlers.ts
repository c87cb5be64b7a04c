import { join } from "node:path";
import { page } from "../../console/page-handler.ts";
import { ownSumdb } from "../../console/paste-lines.ts";
import type { RoutedPath } from "../../edge/routed-path.ts";
import type { RouteName } from "../../edge/routes.ts";
import { createHandler, type HttpHandler } from "../../http/handler.ts";
import { live, ready, textAnswer } from "../../http/probes.ts";
import { sumdbVerifier } from "../../proxy/checksums/known-sumdb.ts";
import { Fill } from "../../proxy/fill/fill.ts";
import { type Served, serveFile, serveIndex, serveSumdb } from "../../proxy/serve/serve.ts";
import { FolderTemporaryFiles } from "../../runtime/folder-temporary-files.ts";
import { WorkerZipInspector } from "../../runtime/worker-zip-inspector.ts";
import { localAccess } from "../access/local-access.ts";
import { SqliteHeadStore } from "../data/sqlite-head-store.ts";
import { SqliteLeaseStore } from "../data/sqlite-lease-store.ts";
import { SqliteModuleCatalogue } from "../data/sqlite-module-catalogue.ts";
import { SqliteVersionIndex } from "../data/sqlite-version-index.ts";
import { temporaryName } from "../data/temporary-files.ts";
import type { LocalParts } from "./local-parts.ts";
import type { Metrics } from "./metrics.ts";
import type { OpenedData } from "./opened-data.ts";
import type { Settings } from "./settings.ts";

export interface HandlerParts extends LocalParts {
  readonly opened: OpenedData;
  readonly metrics: Metrics;
  /** Where the server is reached, once it listens. */
  readonly address: () => string;
}

/** The handler of each route, with the fill plane in the same process. */
export function localHandlers(settings: Settings, parts: HandlerParts): Readonly<Record<RouteName, HttpHandler>> {
  const { opened, metrics, address, clock, router, failpoint } = parts;
  const index = new SqliteVersionIndex(opened.database, failpoint);
  const sumdbName = sumdbVerifier(settings.config.sumdb.name)?.name;
  const isPrivate = (module: string) => router.isPrivate(module);
  const serving = { fill: openFill(settings, parts, index), index, clock, isPrivate, sumdbName };
  const handlerOf = (serve: (routed: RoutedPath) => Promise<Served>) => createHandler(serve, isPrivate);
  const file = handlerOf((routed) => serveFile(serving, routed));
  const listed = handlerOf((routed) => serveIndex(serving, routed));
  return {
    info: file,
    mod: file,
    zip: file,
    list: listed,
    latest: listed,
    sumdb: handlerOf((routed) => serveSumdb(serving, routed)),
    live,
    ready: ready(async () => void (await index.module("ready"))),
    metrics: async () => textAnswer(metrics.format(), "text/plain; version=0.0.4; charset=utf-8"),
    gosumdb: async () => textAnswer(`${sumdbName ?? "off"}\n`),
    page: page({
      catalogue: new SqliteModuleCatalogue(opened.database),
      access: localAccess(settings),
      address,
      gosumdb: ownSumdb(settings.config.sumdb.name),
    }),
  };
}

function openFill({ data, config }: Settings, parts: HandlerParts, index: SqliteVersionIndex): Fill {
  const { opened, clock, router, failpoint } = parts;
  const verifier = sumdbVerifier(config.sumdb.name);
  return new Fill({
    store: opened.store,
    index,
    leases: new SqliteLeaseStore(opened.database, failpoint),
    heads: new SqliteHeadStore(opened.database, failpoint),
    router,
    sumdb: verifier && { verifier, remote: parts.sumdbRemote(verifier.name) },
    inspector: new WorkerZipInspector(parts.zipWorker),
    temporaryFiles: new FolderTemporaryFiles(join(data, "tmp"), temporaryName),
    clock,
    ttl: config.ttl,
  });
}
