import { isPseudoVersion } from "../../golang/pseudo.ts";
import { compare, prerelease } from "../../golang/semver.ts";
import type { FillPlane } from "../store/fill-plane.ts";
import { type FileKind, fileKey, type ModuleVersion, parseFileKey } from "../store/layout.ts";
import type { ModuleStore } from "../store/module-store.ts";
import type { VersionIndex } from "../store/version-index.ts";
import type { BackgroundJob } from "./background-job.ts";

export interface BackgroundParts {
  readonly fill: FillPlane;
  /** Makes the version of a stored file visible where it is not. */
  readonly reveal: (kind: FileKind, module: ModuleVersion) => Promise<void>;
  /** Logs some of what was stored before there was a log of our own. */
  readonly logBacklog: () => Promise<void>;
  readonly index: VersionIndex;
  readonly store: ModuleStore;
}

/** How many new versions of one module are filled at once; what is older than these nobody is about to ask for. */
const newVersions = 3;

/** How many stored versions, the highest first, are looked at to learn whether zips of the module are wanted. */
const lookedAt = 10;

/** Does a job. Throws what the fill plane throws; doing it again is harmless. */
export async function runJob(parts: BackgroundParts, job: BackgroundJob): Promise<void> {
  if (job.kind === "refresh") await refresh(parts, job.path);
  else if (job.kind === "reveal") await reveal(parts, job.key);
  else if (job.kind === "backlog") await parts.logBacklog();
  else await parts.fill.fill(job);
}

/** People put files of other names into the bucket, too. */
async function reveal(parts: BackgroundParts, key: string): Promise<void> {
  const file = parseFileKey(key);
  if (file !== undefined) await parts.reveal(file.kind, file.module);
}

/** Asks for the list and latest of a module, so that both are fresh, and fills the versions newer than what is stored. */
async function refresh(parts: BackgroundParts, path: string): Promise<void> {
  const { fill, index } = parts;
  const list = await fill.fill({ kind: "list", path });
  await fill.fill({ kind: "latest", path });
  const { versions } = await index.module(path);
  const stored = versions
    .map(({ version }) => version)
    .sort(compare)
    .reverse();
  const { kinds, above } = await wanted(parts, path, stored);
  for (const version of newerThan(above, stored, "body" in list ? new TextDecoder().decode(list.body) : ""))
    for (const kind of kinds) await fill.fill({ kind, module: { path, version } });
}

/**
 * What new versions are wanted as, and above which they are new: zips above the highest version of which a zip is stored;
 * where there is none, `.info` and `.mod` above the highest stored. That a version is stored does not say that its zip
 * is: whoever asked for the latest got only its `.info` and `.mod`. A module without any version was named by someone.
 */
async function wanted({ store }: BackgroundParts, path: string, stored: readonly string[]) {
  for (const version of stored.slice(0, lookedAt))
    if ((await store.size(fileKey({ path, version }, "zip"))) !== undefined)
      return { kinds: ["zip"], above: version } as const;
  const [above] = stored;
  return above === undefined ? ({ kinds: ["zip"], above } as const) : ({ kinds: ["info", "mod"], above } as const);
}

/** The newest releases of `list` above `above`; prereleases only where one is stored. */
function newerThan(above: string | undefined, stored: readonly string[], list: string): readonly string[] {
  const prereleases = stored.some((version) => prerelease(version) !== "" && !isPseudoVersion(version));
  return list
    .split("\n")
    .filter((version) => version !== "" && (above === undefined || compare(version, above) > 0))
    .filter((version) => prereleases || prerelease(version) === "")
    .slice(-newVersions);
}
