import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isCodedError } from "../../golang/coded-error.ts";
import type { Restored } from "../../proxy/log/restored-log.ts";
import type { ModuleVersion } from "../../proxy/store/layout.ts";
import { ServedError } from "../../proxy/store/served-error.ts";
import { temporaryName } from "../../runtime/temporary-files.ts";
import { replaceDamaged } from "./damaged-index.ts";
import { DirectoryModuleStore } from "./directory-module-store.ts";
import { type Failpoint, noFailpoint } from "./failpoints.ts";
import { type IndexDatabase, indexFile, markFilled, openIndexDatabase } from "./index-database.ts";
import type { OpenedLog } from "./opened-log.ts";
import { salvageLog, salvageRows } from "./salvaged-rows.ts";
import { SqliteTreeHeadStore } from "./sqlite-tree-head-store.ts";
import { fileFailure } from "./storage-failure.ts";
import { adoptHeads, newestHeads, type ReadHead, salvageHeads } from "./stored-heads.ts";
import { addStoredVersions, countVersions, type IsPrivate, removeOrphans } from "./stored-versions.ts";
import { rememberUnlogged } from "./unfinished-fills.ts";

export interface ReindexOptions {
  /** The data folder. */
  readonly data: string;
  /** Milliseconds since the epoch, for the sweep of temporary files. */
  readonly now: number;
  readonly readHead: ReadHead;
  readonly isPrivate: IsPrivate;
  /** Our own log over the rows of an index; without one private versions do not wait for their records. */
  readonly openLog?: ((database: IndexDatabase) => OpenedLog) | undefined;
  readonly failpoint?: Failpoint;
}

export interface ReindexCounts {
  /** Versions in the index now. */
  readonly versions: number;
  /** How many of them it did not know before, and how many it knew that have no file any more. */
  readonly added: number;
  readonly removed: number;
  /** Private versions that are not visible because they have no record in our log: the next start logs them. */
  readonly unlogged: number;
  /** What became of our own log; `undefined` where it cannot be read. */
  readonly log: Restored | undefined;
  /** Checksum databases whose head was taken from stored notes, because it was missing or older. */
  readonly heads: number;
  /** Where the damaged index lies now, as a name in the data folder; `undefined` when it was sound. */
  readonly movedAside: string | undefined;
}

/**
 * Brings the index in line with the files of a data folder.
 *
 * A sound index is corrected in place, beside a running modfront too. A damaged one is replaced by a new one, built
 * apart and put in its place when it is complete, so that a crash never leaves half an index; modfront must be stopped
 * for that, because a process that has the damaged file open goes on with it. Claims, flags, facts and first sight are
 * taken over as far as they can be read, our own log if all of it can. What was only remembered is lost then, and so are the counters of leases, whose
 * holders are gone.
 *
 * Throws `CodedError` "index-too-new", and `ServedError` "store-failed" when the medium fails.
 */
export async function reindex(options: ReindexOptions): Promise<ReindexCounts> {
  const failpoint = options.failpoint ?? noFailpoint;
  const store = await DirectoryModuleStore.open(options.data, options.now);
  const { readHead, isPrivate, openLog } = options;
  const correctHere = (database: IndexDatabase, damaged: string | undefined) =>
    correct(database, { store, damaged, readHead, isPrivate, openLog, failpoint });
  const path = join(options.data, indexFile);
  const sound = openSound(path);
  if (sound !== undefined) return { ...(await correctHere(sound, undefined)), movedAside: undefined };
  const folder = join(options.data, "tmp", temporaryName());
  try {
    await mkdir(folder);
    const rebuilt = join(folder, indexFile);
    const counts = await correctHere(openIndexDatabase(rebuilt), path);
    failpoint("reindex.built");
    return { ...counts, movedAside: await replaceDamaged(options.data, rebuilt, failpoint) };
  } catch (error) {
    throw fileFailure(error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function openSound(path: string): IndexDatabase | undefined {
  try {
    return openIndexDatabase(path);
  } catch (error) {
    if (isCodedError(error, "index-damaged")) return undefined;
    throw error;
  }
}

interface Sources {
  readonly store: DirectoryModuleStore;
  /** The damaged index, where there is one. */
  readonly damaged: string | undefined;
  readonly readHead: ReadHead;
  readonly isPrivate: IsPrivate;
  readonly openLog: ReindexOptions["openLog"];
  readonly failpoint: Failpoint;
}

/** Writes what the files say into a database, and closes it. */
async function correct(database: IndexDatabase, sources: Sources): Promise<Omit<ReindexCounts, "movedAside">> {
  const { store, damaged, readHead, isPrivate, openLog, failpoint } = sources;
  try {
    const ownLog = openLog?.(database);
    if (damaged !== undefined) salvageLog(damaged, database);
    const log = await ownLog?.log.restore().catch(unlessOurs);
    const reads = ownLog?.reads;
    const unlogged = new Set<string>();
    const mayShow = async (module: ModuleVersion) => {
      if (reads === undefined || (await reads.lookup(module).catch(unlessOurs)) !== undefined) return true;
      rememberUnlogged(database, module);
      unlogged.add(`${module.path}@${module.version}`);
      return false;
    };
    const added = await addStoredVersions(database, { store, isPrivate, mayShow, failpoint });
    const removed = await removeOrphans(database, store);
    if (damaged !== undefined) salvageRows(damaged, database);
    const newest = await newestHeads(store, damaged === undefined ? new Map() : salvageHeads(damaged), readHead);
    const heads = await adoptHeads(new SqliteTreeHeadStore(database), newest, readHead);
    markFilled(database);
    return { versions: countVersions(database), added, removed, unlogged: unlogged.size, heads, log };
  } finally {
    database.close();
  }
}

/** The files are listed also where the log cannot be read: what it does not prove waits, and each start says why. */
function unlessOurs(error: unknown): undefined {
  if (!(error instanceof ServedError)) throw error;
}
