import { modulePath } from "../../../golang/modfile.ts";
import { pathMajorPrefix, splitPathVersion } from "../../../golang/module.ts";
import { major } from "../../../golang/semver.ts";
import { Absence } from "../discovery/absence.ts";
import type { Code } from "./code.ts";
import type { ModulePlace } from "./module-place.ts";

/** Where a module is in one commit. */
export interface FoundModule {
  /** `""`, `"sub/dir"`, or with the major version within: `"sub/dir/v2"`. */
  readonly directory: string;
  /** As it is stored; `undefined` for a module at the repository's root that has none. */
  readonly goMod: Uint8Array | undefined;
}

/**
 * Finds the module in a commit (findDir of cmd/go/internal/modfetch/coderepo.go).
 *
 * Its go.mod is in its folder or, from v2 on, in a folder of that name within; it must be for the right major version, and
 * only one of the two may be. `version` and `revision` are for texts. Throws `Absence`.
 */
export async function findModule(
  code: Code,
  place: ModulePlace,
  commit: string,
  { version, revision }: { readonly version: string; readonly revision: string },
): Promise<FoundModule> {
  const { directory, pathMajor, pathPrefix, root } = place;
  const file = join(directory, "go.mod");
  const goMod = await code.file(commit, file);
  const named = goMod === undefined ? "" : modulePath(goMod);
  const fits =
    goMod !== undefined && (isMajor(named, pathMajor) || (pathMajor === "" && named.startsWith("gopkg.in/")));
  const within = hasFolderOfMajor(place) ? join(directory, pathMajor.slice(1)) : undefined;
  if (within !== undefined) {
    const goModWithin = await code.file(commit, join(within, "go.mod"));
    if (goModWithin !== undefined) {
      const namedWithin = modulePath(goModWithin);
      const fitsWithin = isMajor(namedWithin, pathMajor);
      if (fits && fitsWithin) {
        const both = `${pathPrefix}/${file} and ...${pathMajor}/go.mod both have ...${pathMajor} module paths`;
        throw new Absence(`${both} at revision ${revision}`);
      }
      if (fitsWithin) return { directory: within, goMod: goModWithin };
      throw wrongPath(`${root}/${join(within, "go.mod")}`, namedWithin, { pathMajor, version, revision, suffix: "" });
    }
  }
  if (fits) return { directory, goMod };
  const suffix = within === undefined ? "" : ` (and ...${pathMajor}/go.mod does not exist)`;
  if (goMod !== undefined) throw wrongPath(file, named, { pathMajor, version, revision, suffix });
  if (directory === "" && !pathMajor.startsWith("/")) return { directory: "", goMod: undefined };
  const missing = within === undefined ? `${pathPrefix}/go.mod` : `${pathPrefix}/go.mod and ...${pathMajor}/go.mod`;
  throw new Absence(`missing ${missing} at revision ${revision}`);
}

function hasFolderOfMajor({ pathMajor, path, root }: ModulePlace): boolean {
  return pathMajor.startsWith("/") && root !== path;
}

interface Wrong {
  readonly pathMajor: string;
  readonly version: string;
  readonly revision: string;
  readonly suffix: string;
}

function wrongPath(file: string, named: string, { pathMajor, version, revision, suffix }: Wrong): Absence {
  const what = () => {
    if (named === "") return `is missing module path${suffix}`;
    if (pathMajor !== "") return `has non-...${pathMajor} module path "${named}"${suffix}`;
    if (!splitPathVersion(named).ok) return `has malformed module path "${named}"${suffix}`;
    return `has post-${major(version)} module path "${named}"${suffix}`;
  };
  return new Absence(`${file} ${what()} at revision ${revision}`);
}

/** Reports whether a module with the path `named` has the versions of a path that ends in `pathMajor`. */
function isMajor(named: string, pathMajor: string): boolean {
  if (named === "") return false;
  const { pathMajor: namedMajor, ok } = splitPathVersion(named);
  if (!ok) return false;
  if (pathMajor === "") return ["", "v0", "v1"].includes(pathMajorPrefix(namedMajor));
  // It may be a fork of the module, found elsewhere and used by a replace: only the major version is compared.
  return namedMajor !== "" && namedMajor.slice(1) === pathMajor.slice(1);
}

/** The go.mod of a module that has none. */
export function legacyGoMod(path: string): Uint8Array {
  return Buffer.from(`module ${path}\n`);
}

/** `"go.mod"` in `""`, `"sub/go.mod"` in `"sub"`. */
export function join(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}
