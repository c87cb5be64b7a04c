import { defaultLogName } from "../../proxy/log/log-name.ts";
import { OwnLog } from "../../proxy/log/own-log.ts";
import { OwnLogReads } from "../../proxy/log/own-log-reads.ts";
import type { Clock } from "../../proxy/store/clock.ts";
import type { LogStore } from "../../proxy/store/log-store.ts";
import type { ModuleStore } from "../../proxy/store/module-store.ts";
import type { RecordReads } from "../../proxy/store/record-log.ts";
import { type Failpoint, noFailpoint } from "./failpoints.ts";
import type { IndexDatabase } from "./index-database.ts";
import { type LogKey, logSigner } from "./log-key-file.ts";
import { SqliteLogMending } from "./sqlite-log-mending.ts";
import { SqliteLogStore } from "./sqlite-log-store.ts";
import { SqlitePendingRecords } from "./sqlite-pending-records.ts";
import { SqliteSignedHeads } from "./sqlite-signed-heads.ts";

/** Our own checksum database in a data folder, in this process. */
export interface OpenedLog {
  readonly name: string;
  /** `"name+hash+key"`: what follows `GOSUMDB=`. */
  readonly verifierKey: string;
  readonly log: OwnLog;
  readonly reads: RecordReads;
  readonly store: LogStore;
}

export interface OpenedLogParts {
  readonly database: IndexDatabase;
  readonly files: ModuleStore;
  readonly key: LogKey;
  /** Of the configuration; the key has one where it says none. */
  readonly name: string | undefined;
  readonly clock: Pick<Clock, "sleep">;
  readonly failpoint?: Failpoint | undefined;
}

/** `"name+hash+key"` of a key; `name` is that of the configuration. */
export function logVerifierKey(key: LogKey, name: string | undefined): string {
  return logSigner(key, nameOf(key, name)).verifierKey;
}

/** What to do about a log of which the index has less than was signed, and the copies too. */
export function lostLog({ found, signed }: { readonly found: bigint; readonly signed: bigint }): string {
  return `the log has lost records: ${signed} were signed, and ${found} can be found. Nothing is appended to it, and no private version comes in, until index.sqlite is restored from a backup, or the log begins anew under another name (log.name), to which every GOSUMDB has to be set`;
}

/** What to say of records that had lost their numbers. */
export function renumberedLog(records: bigint): string {
  return `somebody changed the log in index.sqlite by hand: ${records} of its records had lost their numbers, which were made anew from the records`;
}

function nameOf({ publicKey }: LogKey, name: string | undefined): string {
  return name ?? defaultLogName(publicKey);
}

/** Puts the log together over the rows of the index; nothing is read or written yet. */
export function openOwnLog(parts: OpenedLogParts): OpenedLog {
  const { database, files, key, clock, failpoint = noFailpoint } = parts;
  const signer = logSigner(key, nameOf(key, parts.name));
  const { name, verifierKey } = signer;
  const store = new SqliteLogStore(database, failpoint);
  const heads = new SqliteSignedHeads(database, failpoint);
  const pending = new SqlitePendingRecords(database, failpoint);
  const mending = new SqliteLogMending(database);
  const log = new OwnLog({ store, pending, heads, files, signer, clock, copies: true, mending });
  return { name, verifierKey, log, reads: new OwnLogReads({ store, heads, files, verifierKey, clock }), store };
}
