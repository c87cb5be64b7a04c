import type { ModuleVersion } from "../../proxy/store/layout.ts";
import type { ModuleStore } from "../../proxy/store/module-store.ts";
import { publishedOrigin } from "../../proxy/store/published-origin.ts";
import type { IndexDatabase } from "./index-database.ts";
import { originFlags, versionIndexStatements } from "./sqlite-version-index.ts";
import { attempt } from "./storage-failure.ts";
import { hasAllFiles, hasFile } from "./stored-versions.ts";

/** The statements of the repair; the condition is that of the index `lease_unfinished`, word for word. */
export const unfinishedFillStatements = {
  find: "SELECT name FROM lease WHERE held_until > 0 OR failure_code = 'store-failed'",
  end: "DELETE FROM lease WHERE name = :name AND held_until <= :now",
  remember: "INSERT INTO lease (name, fence, held_until) VALUES (:name, 0, 1) ON CONFLICT DO NOTHING",
} as const;

/** True for a private version whose record is in a signed head of our log. */
export type IsLogged = (module: ModuleVersion) => Promise<boolean>;

export interface FinishedFills {
  /** How many rows were missing. */
  readonly added: number;
  /** Private versions whose files are whole and that are not in the log yet: they have no row, and wait for their record. */
  readonly unlogged: readonly ModuleVersion[];
}

/**
 * Gives a row to versions whose file was stored when the process died, or the disk filled up, just before their row was
 * written.
 *
 * Nobody would notice such a version otherwise: its files are served without a look at the index. The leases that were
 * not released, or released because the medium failed, name all versions that it can have happened to; on a clean start
 * there are none, so it costs nothing. Safe beside other processes: what they are at work on gets its row a moment early.
 */
export async function finishFills(
  database: IndexDatabase,
  store: ModuleStore,
  { now, isLogged }: { readonly now: number; readonly isLogged: IsLogged },
): Promise<FinishedFills> {
  const { quick, durable } = database;
  const add = attempt(() => durable.prepare(versionIndexStatements.addVersion));
  const end = attempt(() => quick.prepare(unfinishedFillStatements.end));
  const leases = attempt(() => quick.prepare(unfinishedFillStatements.find).all()) as unknown as { name: string }[];
  const unlogged: ModuleVersion[] = [];
  let added = 0;
  for (const { name } of leases) {
    const found = leased(name);
    if (found !== undefined && (await isComplete(store, found))) {
      const { path, version } = found.module;
      if (found.isUnit && !(await isLogged(found.module))) {
        unlogged.push(found.module);
        continue;
      }
      const flags = originFlags({ origin: found.isUnit ? await publishedOrigin(store, found.module) : undefined });
      added += Number(attempt(() => add.run(path, version, now, flags).changes));
    }
    attempt(() => end.run({ name, now }));
  }
  return { added, unlogged };
}

/** Has the next start find a private version that waits for its record, as if a process had died before it was visible. */
export function rememberUnlogged({ quick }: IndexDatabase, { path, version }: ModuleVersion): void {
  attempt(() => quick.prepare(unfinishedFillStatements.remember).run({ name: `${path}@${version} unit` }));
}

/** A private version is visible when it is whole; one that is not is completed by who asks for what is missing. */
function isComplete(store: ModuleStore, { module, isUnit }: Leased): Promise<boolean> {
  return isUnit ? hasAllFiles(store, module) : hasFile(store, module);
}

interface Leased {
  readonly module: ModuleVersion;
  readonly isUnit: boolean;
}

/** What a lease was about, by its name: `"github.com/Azure/x@v1.0.0 zip"`, or `… unit` for a private version. */
function leased(name: string): Leased | undefined {
  const [, path, version, what] = /^(.+)@([^@ ]+) (info|mod|zip|unit)$/.exec(name) ?? [];
  if (path === undefined || version === undefined) return undefined;
  return { module: { path, version }, isUnit: what === "unit" };
}
