import { isPseudoVersion } from "../../golang/pseudo.ts";
import { compare, prerelease } from "../../golang/semver.ts";
import type { FillPlane } from "../store/fill-plane.ts";
import { fileKey } from "../store/layout.ts";
import type { ModuleStore } from "../store/module-store.ts";
import type { VersionIndex } from "../store/version-index.ts";

export interface NewVersionsParts {
  readonly fill: FillPlane;
  readonly index: VersionIndex;
  readonly store: ModuleStore;
}

/** How many new versions of one module are filled at once; what is older than these nobody is about to ask for. */
const newVersions = 3;

/** How many stored versions, the highest first, are looked at to learn whether zips of the module are wanted. */
const lookedAt = 10;

/** Fills the versions of a list, one a line, that are newer than what is stored. Throws what the fill plane throws. */
export async function fillNewVersions(parts: NewVersionsParts, path: string, list: string): Promise<void> {
  const { versions } = await parts.index.module(path);
  const stored = versions
    .map(({ version }) => version)
    .sort(compare)
    .reverse();
  const { kinds, above } = await wanted(parts, path, stored);
  for (const version of newerThan(above, stored, list))
    for (const kind of kinds) await parts.fill.fill({ kind, module: { path, version } });
}

/**
 * What new versions are wanted as, and above which they are new: zips above the highest version of which a zip is stored;
 * where there is none, `.info` and `.mod` above the highest stored. That a version is stored does not say that its zip
 * is: whoever asked for the latest got only its `.info` and `.mod`. A module without any version was named by someone.
 */
async function wanted({ store }: NewVersionsParts, path: string, stored: readonly string[]) {
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
