import { isCodedError } from "../../golang/coded-error.ts";
import {
  canonicalVersion,
  check,
  escapePath,
  escapeVersion,
  unescapePath,
  unescapeVersion,
} from "../../golang/module.ts";
import type { ModuleStore } from "../../proxy/store/module-store.ts";
import type { Failpoint } from "./failpoints.ts";
import { type IndexDatabase, transact } from "./index-database.ts";
import { versionIndexStatements } from "./sqlite-version-index.ts";
import { attempt } from "./storage-failure.ts";

/** Rows per transaction: a modfront that runs beside waits for one of them at most, a few milliseconds. */
const batchSize = 1000;

/** A version whose row is written or removed. */
export interface StoredVersion {
  readonly module: string;
  readonly version: string;
}

/** Makes each version visible that has a file; says how many were not before. */
export async function addStoredVersions(
  database: IndexDatabase,
  store: ModuleStore,
  failpoint: Failpoint,
): Promise<number> {
  const add = database.durable.prepare(versionIndexStatements.addVersion);
  const addAll = (rows: readonly StoredVersion[]) =>
    rows.reduce((added, row) => added + Number(add.run(row.module, row.version).changes), 0);
  let added = 0;
  let batch: StoredVersion[] = [];
  const flush = () => {
    added += attempt(() => transact(database.durable, () => addAll(batch)));
    batch = [];
    failpoint("reindex.batch.after");
  };
  for await (const key of store.keys("")) {
    const stored = parseVersionKey(key);
    if (stored !== undefined) batch.push(stored);
    if (batch.length === batchSize) flush();
  }
  flush();
  return added;
}

const fileEnds = [".info", ".mod", ".zip"] as const;

/** The version whose file `key` is; `undefined` for what belongs to none, such as tiles or files that others put there. */
function parseVersionKey(key: string): StoredVersion | undefined {
  const [, escapedPath, escapedVersion] = /^(.+)\/@v\/([^/]+)\.(?:info|mod|zip)$/.exec(key) ?? [];
  if (escapedPath === undefined || escapedVersion === undefined) return undefined;
  try {
    const stored = { module: unescapePath(escapedPath), version: unescapeVersion(escapedVersion) };
    check(stored.module, stored.version);
    return canonicalVersion(stored.version) === stored.version ? stored : undefined;
  } catch (error) {
    if (isCodedError(error)) return undefined;
    throw error;
  }
}

/**
 * Removes the rows of versions without a file; says how many there were. Rows are written after files, so that such a row
 * is of a version whose files somebody deleted.
 */
export async function removeOrphans(database: IndexDatabase, store: ModuleStore): Promise<number> {
  const page = database.quick.prepare(
    "SELECT module, version FROM version WHERE (module, version) > (?, ?) ORDER BY module, version LIMIT ?",
  );
  const remove = database.durable.prepare("DELETE FROM version WHERE module = ? AND version = ?");
  let removed = 0;
  let last: StoredVersion = { module: "", version: "" };
  for (;;) {
    const rows = attempt(() => page.all(last.module, last.version, batchSize) as unknown as StoredVersion[]);
    for (const row of rows) {
      if (await hasFile(store, row)) continue;
      attempt(() => remove.run(row.module, row.version));
      removed++;
    }
    const end = rows.at(-1);
    if (end === undefined) return removed;
    last = end;
  }
}

/** True when any file of the version is stored. */
export async function hasFile(store: ModuleStore, { module, version }: StoredVersion): Promise<boolean> {
  try {
    const stem = `${escapePath(module)}/@v/${escapeVersion(version)}`;
    for (const end of fileEnds) if ((await store.size(stem + end)) !== undefined) return true;
    return false;
  } catch (error) {
    // A name that cannot be escaped has no file.
    if (isCodedError(error, "invalid-module-path", "invalid-version", "internal")) return false;
    throw error;
  }
}

/** How many versions there are. Reads all of them: for maintenance. */
export function countVersions(database: IndexDatabase): number {
  return attempt(() => Number(database.quick.prepare("SELECT count(*) AS count FROM version").get()?.count));
}
