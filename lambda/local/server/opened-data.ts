import { join } from "node:path";
import type { Config } from "../../config/config.ts";
import { CodedError } from "../../golang/coded-error.ts";
import { signedTreeSize, sumdbVerifier } from "../../proxy/checksums/known-sumdb.ts";
import type { UpstreamRouter } from "../../proxy/sources/upstream.ts";
import type { Clock } from "../../proxy/store/clock.ts";
import { DirectoryModuleStore } from "../data/directory-module-store.ts";
import type { Failpoint } from "../data/failpoints.ts";
import { type IndexDatabase, indexFile, openIndexDatabase } from "../data/index-database.ts";
import { closeDataFolder } from "../data/private-folder.ts";
import { reindex } from "../data/reindex.ts";
import { sweepStagedFiles } from "../data/staged-files.ts";
import { finishFills } from "../data/unfinished-fills.ts";

/** A data folder in use: its files and its index, which agree. */
export interface OpenedData {
  readonly store: DirectoryModuleStore;
  readonly database: IndexDatabase;
}

export interface OpenDataParts {
  readonly clock: Pick<Clock, "now">;
  readonly router: Pick<UpstreamRouter, "isPrivate">;
  readonly warn: (line: string) => void;
  readonly failpoint?: Failpoint;
}

interface DataSettings {
  /** The folder. */
  readonly data: string;
  readonly config: Pick<Config, "sumdb">;
}

/** Opens a data folder, new or not, and mends what a crash left. Throws `CodedError` "start" when it cannot be written. */
export async function openData(settings: DataSettings, parts: OpenDataParts): Promise<OpenedData> {
  const store = await openStore(settings.data, parts);
  return { store, database: await openIndex(settings, parts, store) };
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
  const isPrivate = (module: string) => router.isPrivate(module);
  const { versions } = await reindex({ data, now: clock.now(), readHead, isPrivate });
  if (versions > 0) warn(`the index was missing and was made anew: ${versions} versions are stored`);
  return database;
}
