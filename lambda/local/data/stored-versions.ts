import { statSync } from "node:fs";
import { isCodedError } from "../../golang/coded-error.ts";
import { type FileKind, fileKey, type ModuleVersion, parseFileKey } from "../../proxy/store/layout.ts";
import type { ModuleStore } from "../../proxy/store/module-store.ts";
import { publishedOrigin } from "../../proxy/store/published-origin.ts";
import type { DirectoryModuleStore } from "./directory-module-store.ts";
import type { Failpoint } from "./failpoints.ts";
import type { IndexDatabase } from "./index-database.ts";
import { transact } from "./sqlite-schema.ts";
import { originFlags, versionIndexStatements } from "./sqlite-version-index.ts";
import { attempt } from "./storage-failure.ts";

/** Rows per transaction: a modfront that runs beside waits for one of them at most, a few milliseconds. */
const batchSize = 1000;

interface SeenVersion extends ModuleVersion {
  readonly firstSeen: number;
  readonly flags: number;
}

/** Which modules come in as a unit of three files. */
export type IsPrivate = (modulePath: string) => boolean;

export interface StoredVersionsParts {
  readonly store: DirectoryModuleStore;
  readonly isPrivate: IsPrivate;
  /** Asked of a private version that has all three files: false where it waits for its record. */
  readonly mayShow: (module: ModuleVersion) => Promise<boolean>;
  readonly failpoint: Failpoint;
}

/**
 * Makes each version visible that has a file, a private one when it has all three and its record: any other is completed by
 * who asks for what is missing. Says how many were not visible before.
 */
export async function addStoredVersions(
  database: IndexDatabase,
  { store, isPrivate, mayShow, failpoint }: StoredVersionsParts,
): Promise<number> {
  const add = database.durable.prepare(versionIndexStatements.addVersion);
  const addAll = (rows: readonly SeenVersion[]) =>
    rows.reduce((added, row) => added + Number(add.run(row.path, row.version, row.firstSeen, row.flags).changes), 0);
  let added = 0;
  let batch: SeenVersion[] = [];
  const flush = () => {
    added += attempt(() => transact(database.durable, () => addAll(batch)));
    batch = [];
    failpoint("reindex.batch.after");
  };
  for await (const key of store.keys("")) {
    const file = parseFileKey(key);
    if (file === undefined) continue;
    const isUnit = isPrivate(file.module.path);
    if (isUnit && !((await hasAllFiles(store, file.module)) && (await mayShow(file.module)))) continue;
    const flags = originFlags({ origin: isUnit ? await publishedOrigin(store, file.module) : undefined });
    batch.push({ ...file.module, firstSeen: writtenAt(store.path(key)), flags });
    if (batch.length === batchSize) flush();
  }
  flush();
  return added;
}

/** Milliseconds since the epoch: the nearest to when a version was first seen that its files can tell. */
function writtenAt(path: string): number {
  return Math.floor(statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
}

const fileKinds: readonly FileKind[] = ["info", "mod", "zip"];

/**
 * Removes the rows of versions without a file; says how many there were. Rows are written after files, so that such a row
 * is of a version whose files somebody deleted.
 */
export async function removeOrphans(database: IndexDatabase, store: ModuleStore): Promise<number> {
  const page = database.quick.prepare(
    "SELECT module AS path, version FROM version WHERE (module, version) > (?, ?) ORDER BY module, version LIMIT ?",
  );
  const removals = [versionIndexStatements.removeVersion, versionIndexStatements.removeFacts].map((sql) =>
    database.durable.prepare(sql),
  );
  const remove = ({ path, version }: ModuleVersion) => {
    for (const statement of removals) statement.run(path, version);
  };
  let removed = 0;
  let last: ModuleVersion = { path: "", version: "" };
  for (;;) {
    const rows = attempt(() => page.all(last.path, last.version, batchSize) as unknown as ModuleVersion[]);
    for (const row of rows) {
      if (await hasFile(store, row)) continue;
      attempt(() => transact(database.durable, () => remove(row)));
      removed++;
    }
    const end = rows.at(-1);
    if (end === undefined) return removed;
    last = end;
  }
}

/** True when any file of the version is stored. */
export async function hasFile(store: ModuleStore, module: ModuleVersion): Promise<boolean> {
  return (await storedKinds(store, module)) > 0;
}

/** True when all three files of the version are stored. */
export async function hasAllFiles(store: ModuleStore, module: ModuleVersion): Promise<boolean> {
  return (await storedKinds(store, module)) === fileKinds.length;
}

async function storedKinds(store: ModuleStore, module: ModuleVersion): Promise<number> {
  try {
    const sizes = await Promise.all(fileKinds.map((kind) => store.size(fileKey(module, kind))));
    return sizes.filter((size) => size !== undefined).length;
  } catch (error) {
    // A name that cannot be escaped has no file.
    if (isCodedError(error, "invalid-module-path", "invalid-version", "internal")) return 0;
    throw error;
  }
}

/** How many versions there are. Reads all of them: for maintenance. */
export function countVersions(database: IndexDatabase): number {
  return attempt(() => Number(database.quick.prepare("SELECT count(*) AS count FROM version").get()?.count));
}
