import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { alarmActor } from "../../access/audited-channels.ts";
import { checkIdentity } from "../../access/caller.ts";
import { hmac } from "../../access/hmac.ts";
import { decide, type EdgeContext, readHolder } from "../../edge/decide.ts";
import { type Admit, createStack } from "../../http/stack.ts";
import { blockedText } from "../../proxy/store/blocked-text.ts";
import { asServedError } from "../../proxy/store/served-error.ts";
import { DeferredLog } from "../../proxy/upkeep/deferred-log.ts";
import { publicationHappened } from "../../publishing/publications.ts";
import { KnownHosts } from "../access/known-hosts.ts";
import { isLoopback, localAccess, localKeyValues } from "../access/local-access.ts";
import { PurgeSignal } from "../data/purge-signal.ts";
import { SqliteTreeHeadStore } from "../data/sqlite-tree-head-store.ts";
import { memorySweep, SqliteVersionIndex, sweepMemories } from "../data/sqlite-version-index.ts";
import { stagedSweepInterval, sweepStagedFiles } from "../data/staged-files.ts";
import { WatchedRulings } from "../data/watched-rulings.ts";
import { readCertificate } from "./certificate.ts";
import { ChannelCounts } from "./channel-counts.ts";
import { failureReport } from "./failure-report.ts";
import { addressOf, listen, stopListening } from "./listening.ts";
import { openLocalAudit } from "./local-audit.ts";
import { LocalFollows } from "./local-follows.ts";
import { localPlane } from "./local-handlers.ts";
import type { LocalParts } from "./local-parts.ts";
import { startLogUpkeep } from "./log-upkeep.ts";
import { guardLoops } from "./loop-guard.ts";
import { Metrics, requestCounter } from "./metrics.ts";
import { openData } from "./opened-data.ts";
import { processInvocation } from "./process-invocation.ts";
import { requestLog } from "./request-log.ts";
import { createLocalServer, type ForwardedRequest } from "./server.ts";
import type { Settings } from "./settings.ts";

/** A server that listens. */
export interface RunningServer {
  /** `"http://127.0.0.1:8080"`. */
  readonly url: string;
  /** `"name+hash+key"` of its own checksum database. */
  readonly gosumdb: string;
  /** Stops accepting, lets requests under way end, and closes what is open. */
  stop(): Promise<void>;
}

/** Starts modfront on one machine. Throws `CodedError` "start" with one line when it cannot. */
export async function startLocal(settings: Settings, parts: LocalParts): Promise<RunningServer> {
  const { clock, router } = parts;
  const opened = await openData(settings, parts);
  const heads = new SqliteTreeHeadStore(opened.database);
  const audit = openLocalAudit(settings, {
    ...{ ...parts, heads },
    ofVersions: publicationHappened(new SqliteVersionIndex(opened.database)),
  });
  const purges = new PurgeSignal(join(settings.data, "purged"));
  const metrics = new Metrics();
  const address = () => addressOf(local.server, settings);
  const asking = new AsyncLocalStorage<string>();
  const client = () => asking.getStore() ?? "";
  const failed = failureReport(metrics, parts.warn);
  const log = new DeferredLog({
    log: opened.ownLog.log,
    clock,
    failed: (error) => failed(asServedError(error)),
  });
  const follows = new LocalFollows({ clock, heads, failed, upkeep: () => ({ ...plane.upkeep, clock, purges }) });
  const plane = localPlane(settings, {
    ...{ ...parts, opened, log, metrics, address, client, purges, follow: follows.follow },
    administration: audit.administration,
    changes: audit.changes,
    refused: audit.refused,
    used: audit.used,
  });
  const { handlers, logging } = plane;
  const stack = createStack(handlers, admitter(settings));
  const seconds = () => Math.floor(clock.now() / 1000);
  const rulings = new WatchedRulings({ data: settings.data, now: clock.now });
  const context = { keyValues: localKeyValues(settings, clock.now), hmac, now: seconds, blocked: blockLines(rulings) };
  const open = localAccess(settings).anonymous === "all";
  const channels = Object.keys(settings.config.channels);
  const counts =
    channels.length === 0
      ? undefined
      : new ChannelCounts({
          ...{ metrics, channels, now: clock.now, warn: parts.warn },
          rollBack: (name) => audit.administration.channels.rollBack(alarmActor(randomUUID()), name),
        });
  const count = requestCounter(metrics);
  // Where a header or a name chooses a channel each request has to be looked at.
  const isChosen = Object.values(settings.config.channels).some(({ share, header }) => share ?? header);
  const hosts = new KnownHosts([settings.host, ...(settings.config.access.hosts ?? [])]);
  // Where a name leads is known when the server listens.
  let guarded = open;
  const local = createLocalServer({
    decide: (request) => decide(request, context),
    fetched: audit.fetched,
    identify: (request) => readHolder(request, context),
    isOpen: () => open && !isChosen,
    generation: rulings.generation,
    isKnownHost: (host) => !guarded || hosts.has(host),
    answer: guardLoops(parts.way, (request) => asking.run(request.client, () => stack(request, processInvocation))),
    filePath: (key) => opened.store.path(key),
    isPrivate: (module) => router.isPrivate(module),
    now: clock.now,
    log: requestLog(settings.log, parts.write, () => new Date(clock.now())),
    count: (route, status, channel) => {
      count(route, status);
      if (channel !== undefined) counts?.count(channel, status);
    },
    failed,
    tls: readCertificate(settings.tls),
    connections: settings.config.limits.connections,
  });
  const stopWatching = purges.watch(() => local.forgetLists());
  await audit.begin();
  await listen(local.server, settings);
  guarded = open && isLoopback((local.server.address() as AddressInfo).address);
  const sweep = setInterval(() => sweepStagedFiles(settings.data, clock.now()).catch(() => {}), stagedSweepInterval);
  const forget = setInterval(() => ifPossible(() => sweepMemories(opened.database, clock.now())), memorySweep.interval);
  for (const each of [sweep, forget]) each.unref();
  follows.startSweep(settings.config);
  const stopLogUpkeep = startLogUpkeep({ opened, logging, clock, warn: parts.warn });
  const stop = async () => {
    for (const each of [sweep, forget]) clearInterval(each);
    stopWatching();
    await stopListening(local);
    await follows.stop();
    await stopLogUpkeep();
    await log.stop();
    await audit.stop();
    rulings.close();
    opened.database.close();
  };
  return { url: address(), gosumdb: opened.ownLog.verifierKey, stop };
}

/** What `decide` says of what is blocked; undefined where that cannot be read. */
function blockLines(rulings: WatchedRulings): NonNullable<EdgeContext["blocked"]> {
  return ({ module = "", version = "" }) => {
    try {
      const ruling = rulings.find(module, version);
      return ruling === undefined ? "" : blockedText(ruling, version);
    } catch {
      return undefined;
    }
  };
}

/** What fails of it now is done the next time. */
function ifPossible(work: () => void): void {
  try {
    work();
  } catch {}
}

/** In one process the edge's word needs no signature; whether they may is decided again all the same. */
function admitter(settings: Settings): Admit<ForwardedRequest> {
  const access = localAccess(settings);
  return async ({ identity, routed }) => {
    checkIdentity(identity, routed.route, routed.module, access);
    return identity;
  };
}
