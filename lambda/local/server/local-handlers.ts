import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { AuditEvent } from "../../access/audit/audit-event.ts";
import type { AuditedChanges } from "../../access/audit/audited-changes.ts";
import type { UsedTokens } from "../../access/oidc/used-tokens.ts";
import { signingKey } from "../../access/tokens.ts";
import type { Administration } from "../../admin/administration.ts";
import { type ChannelAdministration, channelRoutes } from "../../admin/channel-routes.ts";
import { type CredentialAdministration, credentialRoutes } from "../../admin/credential-routes.ts";
import { explainRoutes } from "../../admin/explain-routes.ts";
import { overviewRoutes } from "../../admin/overview-routes.ts";
import { refusalOf } from "../../admin/refusals.ts";
import { blockRoutes, exceptionRoutes, type RulingAdministration } from "../../admin/ruling-routes.ts";
import { tokenRoutes } from "../../admin/token-routes.ts";
import { pageRoutes } from "../../console/page-handler.ts";
import { ownSumdb } from "../../console/paste-lines.ts";
import type { RoutedPath } from "../../edge/routed-path.ts";
import type { RouteName } from "../../edge/routes.ts";
import { Exchange } from "../../exchange/exchange.ts";
import { exchangeRoutes } from "../../exchange/exchange-routes.ts";
import { clientAddress } from "../../http/client-address.ts";
import { gosumdbRoutes } from "../../http/gosumdb.ts";
import { type AdmittedRequest, createHandler, type HttpHandler } from "../../http/handler.ts";
import { metricsRoutes } from "../../http/metrics.ts";
import { onlyStored } from "../../http/only-stored.ts";
import { probeRoutes } from "../../http/probes.ts";
import type { Route } from "../../http/route.ts";
import { siteHandler } from "../../http/site.ts";
import { channelPolicies, channelsApart } from "../../proxy/channels/channel-parts.ts";
import { sumdbVerifier } from "../../proxy/checksums/known-sumdb.ts";
import { Fill } from "../../proxy/fill/fill.ts";
import { LimitedFill } from "../../proxy/fill/limited-fill.ts";
import { PolicyGate } from "../../proxy/policy/policy-gate.ts";
import { type Served, serveFile, serveIndex, serveSumdb } from "../../proxy/serve/serve.ts";
import type { FillPlane } from "../../proxy/store/fill-plane.ts";
import type { Purges } from "../../proxy/store/purges.ts";
import type { RecordLog } from "../../proxy/store/record-log.ts";
import type { TemporaryFiles } from "../../proxy/store/temporary-files.ts";
import type { VersionIndex } from "../../proxy/store/version-index.ts";
import type { FollowJob } from "../../proxy/upkeep/background-job.ts";
import type { NewVersionsParts } from "../../proxy/upkeep/new-versions.ts";
import { Publications } from "../../publishing/publications.ts";
import { publishRoutes } from "../../publishing/publish-routes.ts";
import { StoredUploads } from "../../publishing/stored-uploads.ts";
import { largestZip } from "../../publishing/uploads.ts";
import { yankRoutes } from "../../publishing/yank-routes.ts";
import { FolderTemporaryFiles } from "../../runtime/folder-temporary-files.ts";
import { temporaryName } from "../../runtime/temporary-files.ts";
import { WorkerZipInspector } from "../../runtime/worker-zip-inspector.ts";
import { localAccess } from "../access/local-access.ts";
import { DiskFloor } from "../data/disk-floor.ts";
import { SqliteClaimStore } from "../data/sqlite-claim-store.ts";
import { SqliteLeaseStore } from "../data/sqlite-lease-store.ts";
import { SqliteModuleCatalogue } from "../data/sqlite-module-catalogue.ts";
import { SqliteTreeHeadStore } from "../data/sqlite-tree-head-store.ts";
import { SqliteVersionIndex } from "../data/sqlite-version-index.ts";
import type { LocalParts } from "./local-parts.ts";
import { localWebhooks } from "./local-webhooks.ts";
import { type Metrics, metricsType } from "./metrics.ts";
import type { OpenedData } from "./opened-data.ts";
import type { Settings } from "./settings.ts";

export interface HandlerParts extends LocalParts {
  readonly opened: OpenedData;
  /** What intake appends to. */
  readonly log: RecordLog;
  readonly metrics: Metrics;
  /** Through which versions are published and yanked. */
  readonly changes: AuditedChanges;
  readonly purges: Purges;
  readonly administration: Administration &
    CredentialAdministration &
    ChannelAdministration &
    Pick<RulingAdministration, "rulings">;
  /** Has the modules of a repository brought up to date, some time after. */
  readonly follow: (job: FollowJob) => void;
  /** Told of requests that were refused for who asked. */
  readonly refused: (event: AuditEvent) => void;
  /** The ID tokens that were used. */
  readonly used: UsedTokens;
  /** Where the server is reached, once it listens. */
  readonly address: () => string;
  /** Who asks for what is answered now: a token, or an address. */
  readonly client: () => string;
}

/** What answers on one machine, and what of it is asked beside requests. */
export interface LocalPlane {
  readonly handlers: Readonly<Record<RouteName, HttpHandler>>;
  readonly logging: Fill["logging"];
  /** What modules are brought up to date by. */
  readonly upkeep: NewVersionsParts;
}

/** The handler of each route, with the fill plane in the same process. */
export function localPlane(settings: Settings, parts: HandlerParts): LocalPlane {
  const { opened, clock, router, failpoint } = parts;
  const index = new SqliteVersionIndex(opened.database, failpoint);
  const sumdbName = sumdbVerifier(settings.config.sumdb.name)?.name;
  const isPrivate = (module: string) => router.isPrivate(module);
  const databases = [
    ...(sumdbName === undefined ? [] : [{ name: sumdbName, isOurs: false }]),
    { name: opened.ownLog.name, isOurs: true },
  ];
  const access = localAccess(settings);
  const { fill, files, logging } = openFill(settings, parts, index);
  const apart = new Set(channelsApart(settings.config.channels));
  const serving = { fill, index, clock, isPrivate, databases, access, apart };
  const handlerOf = (serve: (routed: RoutedPath, request: AdmittedRequest) => Promise<Served>) =>
    createHandler(serve, isPrivate);
  const file = onlyStored(handlerOf((routed, request) => serveFile(serving, routed, request)));
  const listed = handlerOf((routed, request) => serveIndex(serving, routed, request));
  const handlers = {
    info: file,
    mod: file,
    zip: file,
    list: listed,
    latest: listed,
    sumdb: handlerOf((routed, { identity }) => serveSumdb(serving, routed, identity)),
    site: siteHandler(siteRoutes(settings, parts, { ...files, index, fill }), access, (request, route) =>
      parts.refused(refusalOf(request, route, clock.now())),
    ),
  };
  return { handlers, logging, upkeep: { fill, index, store: opened.store } };
}

/** What is answered under `/-/`, and at `/`, of one machine: a capability's rows are a line here. */
function siteRoutes(settings: Settings, parts: HandlerParts, planes: SitePlanes): readonly Route[] {
  const { opened, metrics, address } = parts;
  const { index } = planes;
  return [
    ...probeRoutes({ check: async () => void (await index.module("ready")) }),
    ...metricsRoutes({ contentType: metricsType, format: () => metrics.format() }),
    ...gosumdbRoutes(opened.ownLog.verifierKey),
    ...tokenRoutes(parts.administration),
    ...credentialRoutes(parts.administration),
    ...channelRoutes(parts.administration),
    ...blockRoutes({ ...parts.administration, access: localAccess(settings) }),
    ...exceptionRoutes({ ...parts.administration, access: localAccess(settings) }),
    ...overviewRoutes(parts.administration),
    ...explainRoutes(
      new PolicyGate({
        ...parts,
        policy: settings.config.policy,
        rulings: parts.administration.rulings.store,
        index,
      }),
    ),
    ...localPublishing(settings, parts, planes),
    ...localExchange(settings, parts),
    ...localWebhooks(settings.config, {
      ...{ metrics, follow: parts.follow, now: parts.clock.now },
      ...{ secrets: parts.webhookSecrets, deliveries: parts.used },
    }),
    ...pageRoutes({
      catalogue: new SqliteModuleCatalogue(opened.database),
      access: localAccess(settings),
      address,
      gosumdb: ownSumdb(settings.config.sumdb.name),
      ownLog: opened.ownLog.verifierKey,
    }),
  ];
}

interface SitePlanes extends FileRoom {
  readonly index: VersionIndex;
  readonly fill: FillPlane;
}

/** A zip comes in one request, however large. */
function localPublishing(
  { config }: Settings,
  { opened, changes, purges, router }: HandlerParts,
  { fill, temporaryFiles, checkRoom }: SitePlanes,
): readonly Route[] {
  const { tenants } = config;
  const publications = new Publications({ fill, changes, purges });
  const uploads = new StoredUploads({ store: opened.store, temporaryFiles, name: randomUUID, checkRoom });
  return [
    ...publishRoutes({ publications, uploads, largestRequest: largestZip, tenants }),
    ...yankRoutes({ publications, isPrivate: (module) => router.isPrivate(module), tenants }),
  ];
}

/** Tokens for ID tokens and client certificates. */
function localExchange({ config }: Settings, parts: HandlerParts): readonly Route[] {
  const { readDocument: read, used, administration, clock } = parts;
  const { store, audit } = administration;
  const given = { issuers: config.oidc, subjects: config.mtls.rules, now: clock.now };
  const tenants = Object.keys(config.tenants);
  const exchange = new Exchange({ ...given, tenants, read, used, audit, signingKey: () => signingKey(store) });
  return exchangeRoutes({ ...given, exchange, clientOf: clientAddress });
}

/** Where files lie for a moment, and what throws where there is no room for another. */
interface FileRoom {
  readonly temporaryFiles: TemporaryFiles;
  readonly checkRoom: () => void;
}

function openFill(
  { data, config }: Settings,
  parts: HandlerParts,
  index: SqliteVersionIndex,
): { readonly fill: FillPlane; readonly files: FileRoom; readonly logging: Fill["logging"] } {
  const { opened, clock, router, failpoint } = parts;
  const { name, reads } = opened.ownLog;
  const verifier = sumdbVerifier(config.sumdb.name);
  const floor = new DiskFloor(data, config.storage.minFree, clock.now);
  const checkRoom = () => floor.check();
  const temporaryFiles = new FolderTemporaryFiles(join(data, "tmp"), temporaryName);
  const fill = new Fill({
    store: opened.store,
    index,
    claims: new SqliteClaimStore(opened.database, failpoint),
    leases: new SqliteLeaseStore(opened.database, failpoint),
    heads: new SqliteTreeHeadStore(opened.database, failpoint),
    router,
    ownLog: { name, log: parts.log, reads, checkRoom },
    sumdb: verifier && { verifier, remote: parts.sumdbRemote(verifier.name) },
    inspector: new WorkerZipInspector(parts.zipWorker),
    temporaryFiles,
    publishing: config.publishing,
    policy: config.policy,
    channelPolicies: channelPolicies(config.channels),
    rulings: parts.administration.rulings.store,
    clock,
    ttl: config.ttl,
    timeouts: config.timeouts,
  });
  const limits = { ...config.limits, client: parts.client, checkRoom };
  const files = { temporaryFiles, checkRoom };
  return { fill: new LimitedFill({ ...limits, clock, fill }), files, logging: fill.logging };
}
