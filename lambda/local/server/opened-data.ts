import { join } from "node:path";
import type { Config } from "../../config/config.ts";
import { CodedError } from "../../golang/coded-error.ts";
import { signedTreeSize, sumdbVerifier } from "../../proxy/checksums/known-sumdb.ts";
import type { UpstreamRouter } from "../../proxy/sources/upstream.ts";
import type { Clock } from "../../proxy/store/clock.ts";
import { explain } from "../../proxy/store/explain.ts";
import type { ModuleVersion } from "../../proxy/store/layout.ts";
import { DirectoryModuleStore } from "../data/directory-module-store.ts";
import type { Failpoint } from "../data/failpoints.ts";
import { type IndexDatabase, indexFile, openIndexDatabase } from "../data/index-database.ts";
import { openLogKey } from "../data/log-key-file.ts";
import { lostLog, type OpenedLog, openOwnLog, renumberedLog } from "../data/opened-log.ts";
import { closeDataFolder } from "../data/private-folder.ts";
import { reindex } from "../data/reindex.ts";
import { sweepStagedFiles } from "../data/staged-files.ts";
import { finishFills } from "../data/unfinished-fills.ts";

/** A data folder in use: its files and its index, which agree. */
export interface OpenedData {
  readonly store: DirectoryModuleStore;
  readonly database: IndexDatabase;
  /** Our own checksum database. */
  readonly ownLog: OpenedLog;
  /** Private versions that are whole and wait for their record. */
  readonly unlogged: readonly ModuleVersion[];
}

export interface OpenDataParts {
  readonly clock: Pick<Clock, "now" | "sleep">;
  readonly router: Pick<UpstreamRouter, "isPrivate">;
  readonly warn: (line: string) => void;
  readonly failpoint?: Failpoint;
}

interface DataSettings {
  /** The folder. */
  readonly data: string;
  readonly config: Pick<Config, "sumdb" | "log">;
}

/** Opens a data folder, new or not, and mends what a crash left. Throws `CodedError` "start" when it cannot be written. */
export async function openData(settings: DataSettings, parts: OpenDataParts): Promise<OpenedData> {
  const store = await openStore(settings.data, parts);
  const key = await openLogKey(settings.data);
  const { clock, failpoint } = parts;
  const openLog = (database: IndexDatabase) =>
    openOwnLog({ database, files: store, key, name: settings.config.log.name, clock, failpoint });
  const database = await openIndex(settings, parts, openLog);
  const ownLog = openLog(database);
  await restore(ownLog, parts.warn);
  // Where the log cannot be read nothing is: what waits for its record is told of behind the answers.
  const isLogged = (module: ModuleVersion) =>
    ownLog.reads.lookup(module).then(
      (record) => record !== undefined,
      () => false,
    );
  const { unlogged } = await finishFills(database, store, { now: clock.now(), isLogged });
  return { store, database, ownLog, unlogged };
}

/** What the index has lost of the log comes back from the copies of its records, or somebody has to choose another name. */
async function restore({ log }: OpenedLog, warn: (line: string) => void): Promise<void> {
  try {
    const restored = await log.restore();
    if (restored.kind === "restored")
      warn(`${restored.records} records of the log were not in the index: they were made anew from their copies`);
    if (restored.kind === "renumbered") warn(renumberedLog(restored.records));
    if (restored.kind === "lost") warn(lostLog(restored));
  } catch (error) {
    warn(`the log cannot be read: ${explain(error)}`);
  }
}

async function openStore(data: string, { clock, warn, failpoint }: OpenDataParts): Promise<DirectoryModuleStore> {
  try {
    if (await closeDataFolder(data))
      warn("the data folder was open to others on this machine: it is its owner's alone now");
    const store = await DirectoryModuleStore.open(data, clock.now(), failpoint);
    await sweepStagedFiles(data, clock.now());
    return store;
  } catch (cause) {
    throw new CodedError("start", "the data folder cannot be written: choose another with --data", { cause });
  }
}

/** The index; made anew from the files where it is missing, since everything stored must stay listed. */
async function openIndex(
  { data, config }: DataSettings,
  { clock, router, warn }: OpenDataParts,
  openLog: (database: IndexDatabase) => OpenedLog,
): Promise<IndexDatabase> {
  const database = openIndexDatabase(join(data, indexFile));
  if (!database.wantsReindex) return database;
  const verifier = sumdbVerifier(config.sumdb.name);
  const readHead = (name: string, note: Uint8Array) =>
    name === verifier?.name ? signedTreeSize(verifier, note) : undefined;
  const isPrivate = (module: string) => router.isPrivate(module);
  const { versions } = await reindex({ data, now: clock.now(), readHead, isPrivate, openLog });
  if (versions > 0) warn(`the index was missing and was made anew: ${versions} versions are stored`);
  return database;
}
