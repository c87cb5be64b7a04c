import { compare, prerelease } from "../golang/semver.ts";
import type { BackgroundJob } from "./background-job.ts";
import type { FillPlane } from "./fill-plane.ts";
import { fileKey } from "./layout.ts";
import type { ModuleStore } from "./module-store.ts";
import type { VersionIndex } from "./version-index.ts";

export interface BackgroundParts {
  readonly fill: FillPlane;
  readonly index: VersionIndex;
  readonly store: ModuleStore;
}

/** How many new versions of one module are filled at once; what is older than these nobody is about to ask for. */
const newVersions = 3;

/** Does a job. Throws what the fill plane throws; doing it again is harmless. */
export async function runJob(parts: BackgroundParts, job: BackgroundJob): Promise<void> {
  if (job.kind === "refresh") await refresh(parts, job.path);
  else await parts.fill.fill(job);
}

/**
 * Asks for the list and latest of a module, so that both are fresh, and fills the versions newer than what is stored: as
 * zips when a zip of the module was ever wanted, else their `.info` and `.mod` alone.
 */
async function refresh(parts: BackgroundParts, path: string): Promise<void> {
  const { fill, index } = parts;
  const list = await fill.fill({ kind: "list", path });
  await fill.fill({ kind: "latest", path });
  const { versions } = await index.module(path);
  const kinds = (await wantsZips(parts, path, versions)) ? (["zip"] as const) : (["info", "mod"] as const);
  for (const version of newerThan(versions, "body" in list ? new TextDecoder().decode(list.body) : ""))
    for (const kind of kinds) await fill.fill({ kind, module: { path, version } });
}

/** The newest releases of `list` that are above all of `stored`; prereleases only where one is stored. */
function newerThan(stored: readonly string[], list: string): readonly string[] {
  const withPrereleases = stored.some((version) => prerelease(version) !== "" && !isPseudo(version));
  const highest = stored.reduce((max, version) => (max === "" || compare(version, max) > 0 ? version : max), "");
  return list
    .split("\n")
    .filter((version) => version !== "" && (highest === "" || compare(version, highest) > 0))
    .filter((version) => withPrereleases || prerelease(version) === "")
    .slice(-newVersions);
}

function isPseudo(version: string): boolean {
  return /-(0\.|[\w.]+\.0\.)?\d{14}-[0-9a-f]{12}(\+incompatible)?$/.test(version);
}

/** Looked up in the newest stored versions only. A module of which nothing is stored was named by someone: with zips. */
async function wantsZips({ store }: BackgroundParts, path: string, stored: readonly string[]): Promise<boolean> {
  const newest = stored.toSorted(compare).slice(-newVersions);
  for (const version of newest) if ((await store.size(fileKey({ path, version }, "zip"))) !== undefined) return true;
  return newest.length === 0;
}
