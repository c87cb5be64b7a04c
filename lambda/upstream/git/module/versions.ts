import { matchPathMajor } from "../../../golang/module.ts";
import { isPseudoVersion } from "../../../golang/pseudo.ts";
import { canonical, major, sorted } from "../../../golang/semver.ts";
import { eachInTurns, inTurns } from "../../../proxy/store/in-turns.ts";
import type { Code } from "./code.ts";
import type { ModulePlace } from "./module-place.ts";
import { tagsWith } from "./tags.ts";

/**
 * The versions of a module that are tagged, in semver order (Versions of cmd/go/internal/modfetch/coderepo.go).
 *
 * A tag counts when it is exactly a canonical version behind the module's prefix, without build metadata, of the right
 * major version, and none that looks like a pseudo-version. Throws `Absence` when one that is looked into is on no commit.
 */
export async function taggedVersions(code: Code, place: ModulePlace): Promise<readonly string[]> {
  const list = await compatibleVersions(code, place);
  if (!isWithoutMajor(place)) return list;
  const others = await canonicalTags(code, place, (version) => !matchPathMajor(version, ""));
  return [...list, ...(await incompatibleVersions(code, list, await inTurns(sorted(others))))];
}

/** Those of them that are not `+incompatible`. */
export async function compatibleVersions(code: Code, place: ModulePlace): Promise<readonly string[]> {
  const versions = await canonicalTags(code, place, (version) => matchPathMajor(version, place.pathMajor));
  return inTurns(sorted(versions));
}

async function canonicalTags(
  code: Code,
  { path, tagPrefix }: ModulePlace,
  isWanted: (version: string) => boolean,
): Promise<readonly string[]> {
  // The tags of gopkg.in/x.v2 are not those of gopkg.in/x.v2-unstable.
  if (path.startsWith("gopkg.in/") && path.endsWith("-unstable")) return [];
  const versions: string[] = [];
  await eachInTurns(await tagsWith(code.refs, `${tagPrefix}v`), ({ name }) => {
    const version = name.slice(tagPrefix.length);
    if (version === canonical(version) && !isPseudoVersion(version) && isWanted(version)) versions.push(version);
  });
  return versions;
}

/** Such a module may have versions from v2 on without saying so in its path, as long as it has no go.mod. */
function isWithoutMajor({ directory, pathMajor }: ModulePlace): boolean {
  return directory === "" && pathMajor === "";
}

/**
 * The `+incompatible` ones: none where the highest other version has a go.mod, whose author then wants nobody on them, and
 * none of a major version whose highest has one.
 */
async function incompatibleVersions(
  code: Code,
  compatible: readonly string[],
  tags: readonly string[],
): Promise<readonly string[]> {
  if (tags.length === 0) return [];
  const highest = compatible.at(-1);
  if (highest !== undefined && (await hasGoMod(code, highest))) return [];
  const last = new Map<string, string>();
  await eachInTurns(tags, (tag) => last.set(major(tag), tag));
  const without = new Set<string>();
  for (const [each, tag] of last) if (!(await hasGoMod(code, tag))) without.add(each);
  const found: string[] = [];
  await eachInTurns(tags, (tag) => {
    if (without.has(major(tag))) found.push(`${tag}+incompatible`);
  });
  return found;
}

async function hasGoMod(code: Code, tag: string): Promise<boolean> {
  return (await code.fileOfTag(tag, "go.mod")) !== undefined;
}
