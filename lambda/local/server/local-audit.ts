import { join } from "node:path";
import type { AuditEvent } from "../../access/audit/audit-event.ts";
import { AuditedChanges, type Happened } from "../../access/audit/audited-changes.ts";
import { AuditedChannels } from "../../access/audited-channels.ts";
import { AuditedTokens } from "../../access/audited-tokens.ts";
import { type Fetch, FetchRecorder } from "../../access/fetch-recorder.ts";
import type { UsedTokens } from "../../access/oidc/used-tokens.ts";
import { changeHappened } from "../../access/settled-changes.ts";
import type { Administration } from "../../admin/administration.ts";
import { AuditedCredentials } from "../../admin/audited-credentials.ts";
import { AuditedRulings } from "../../admin/audited-rulings.ts";
import type { ChannelAdministration } from "../../admin/channel-routes.ts";
import type { CredentialAdministration } from "../../admin/credential-routes.ts";
import type { RulingAdministration } from "../../admin/ruling-routes.ts";
import { chosenChannels } from "../../proxy/channels/channel-parts.ts";
import { isForkDecided } from "../../proxy/checksums/fork-evidence.ts";
import type { TreeHeadStore } from "../../proxy/store/tree-head-store.ts";
import { SqliteChannelStates } from "../access/sqlite-channel-states.ts";
import { SqliteCredentialStore } from "../access/sqlite-credential-store.ts";
import { SqliteTokenStore } from "../access/sqlite-token-store.ts";
import { SqliteUsedTokens } from "../access/sqlite-used-tokens.ts";
import { auditFile, openAuditDatabase } from "../data/audit-database.ts";
import type { Failpoint } from "../data/failpoints.ts";
import { SqliteAuditLog } from "../data/sqlite-audit-log.ts";
import { SqliteRulingStore } from "../data/sqlite-ruling-store.ts";
import type { LocalParts } from "./local-parts.ts";
import type { Settings } from "./settings.ts";

/** Milliseconds between two writes of fetches, and between two looks for what is too old or was left by a crash. */
const flushInterval = 1000;
const upkeepInterval = 3_600_000;
const day = 86_400_000;

/** The audit log of a running server. */
export interface LocalAudit {
  /** What is changed over HTTP, and written down here before. */
  readonly administration: Administration &
    CredentialAdministration &
    ChannelAdministration &
    Pick<RulingAdministration, "rulings">;
  /** Through which whatever else is changed goes. */
  readonly changes: AuditedChanges;
  /** The ID tokens that were exchanged, which is written down too. */
  readonly used: UsedTokens;
  /** Told of each fetch; absent where they are not written down. */
  readonly fetched: ((fetch: Fetch) => void) | undefined;
  /** Told of each other request that was refused for who asked. */
  readonly refused: (event: AuditEvent) => void;
  /** Settles what a crash left, and begins to write and to forget. Throws `CodedError` "credentials-unreadable". */
  begin(): Promise<void>;
  stop(): Promise<void>;
}

/** Opens the audit log of the data folder. Throws `CodedError` "audit-damaged" and "audit-too-new". */
export function openLocalAudit(
  { data, config }: Pick<Settings, "data" | "config">,
  {
    clock,
    router,
    warn,
    heads,
    ofVersions,
    failpoint,
  }: Pick<LocalParts, "clock" | "router" | "warn"> & {
    /** The heads of checksum databases, and what was decided about their forks. */
    readonly heads: TreeHeadStore;
    /** Whether a change of versions has happened. */
    readonly ofVersions: Happened;
    readonly failpoint?: Failpoint;
  },
): LocalAudit {
  const database = openAuditDatabase(join(data, auditFile));
  const log = new SqliteAuditLog(database, failpoint);
  const changes = new AuditedChanges(log, clock.now);
  const recorder = new FetchRecorder({
    fetches: config.audit.fetches,
    isPrivate: (module) => router.isPrivate(module),
    write: (events) => log.writeMany(events),
    failed: () => warn("the audit log cannot be written: fetches of the last second are missing in it"),
    now: clock.now,
  });
  const store = new SqliteTokenStore(data);
  const now = () => Math.floor(clock.now() / 1000);
  const used = new SqliteUsedTokens(data, now);
  const tokens = new AuditedTokens({ store, changes, tenants: Object.keys(config.tenants), now });
  const set = new SqliteCredentialStore(data, failpoint);
  const credentials = new AuditedCredentials({
    ...{ store: set, changes, tenants: Object.keys(config.tenants) },
    now: clock.now,
  });
  const ruled = new SqliteRulingStore(data, failpoint);
  const rulings = new AuditedRulings({ store: ruled, changes, tenants: config.tenants, now: clock.now });
  const states = new SqliteChannelStates(data, chosenChannels(config.channels));
  const channels = new AuditedChannels({ states, changes, now });
  const timers: NodeJS.Timeout[] = [];
  const repeat = (work: () => Promise<unknown>, interval: number) => {
    const ifPossible = () => {
      work().catch(() => {});
    };
    timers.push(setInterval(ifPossible, interval).unref());
  };
  const ofAccess: Happened = async (event) =>
    (await credentials.happened(event)) ??
    (await channels.happened(event)) ??
    (await rulings.happened(event)) ??
    (await ofVersions(event)) ??
    (await tokens.happened(event));
  const happened = changeHappened(ofAccess, (name) => isForkDecided(heads, name));
  const settle = () => changes.settle(happened);
  const forget = () => log.forget(clock.now() - config.audit.days * day);
  return {
    administration: {
      store,
      tokens,
      credentials,
      channels,
      rulings,
      audit: log,
      tenants: config.tenants,
      now: clock.now,
    },
    changes,
    used,
    fetched: config.audit.fetches === "none" ? undefined : (fetch) => recorder.record(fetch),
    refused: (event) => recorder.refuse(event),
    begin: async () => {
      await set.list();
      await settle();
      await forget();
      repeat(() => recorder.flush(), flushInterval);
      repeat(forget, upkeepInterval);
      // Another process may have died meanwhile: the CLI, or a server beside this one.
      repeat(settle, upkeepInterval);
    },
    stop: async () => {
      for (const timer of timers) clearInterval(timer);
      await recorder.flush();
      store.close();
      used.close();
      set.close();
      ruled.close();
      states.close();
      database.close();
    },
  };
}
