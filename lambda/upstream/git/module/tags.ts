import { createHash } from "node:crypto";
import { compareStrings } from "../../../golang/encoding.ts";
import { isPseudoVersion } from "../../../golang/pseudo.ts";
import { canonical } from "../../../golang/semver.ts";
import { sortedStrings } from "../../../golang/sorted-strings.ts";
import { eachInTurns, inTurns } from "../../../proxy/store/in-turns.ts";
import type { RefListing } from "../repository/ref-listing.ts";

/** A tag, and the object that it comes to. */
export interface Tag {
  readonly name: string;
  readonly target: string;
}

/** All tags' names in byte order: sorted once for whatever is asked of a listing, and kept with it. */
const sortedNames = new WeakMap<RefListing, Promise<readonly string[]>>();

function namesOf(refs: RefListing): Promise<readonly string[]> {
  const names = sortedNames.get(refs) ?? inTurns(sortedStrings([...refs.tags.keys()]));
  sortedNames.set(refs, names);
  return names;
}

/** The tags whose names begin with `prefix`, in byte order. */
export async function tagsWith(refs: RefListing, prefix: string): Promise<readonly Tag[]> {
  const names = await namesOf(refs);
  const found: Tag[] = [];
  await eachInTurns(namesFrom(names, prefix), (name) => {
    found.push({ name, target: refs.tags.get(name)?.target ?? "" });
  });
  return found;
}

/** The names of the tags on a commit, in byte order. */
export async function tagsOn(refs: RefListing, commit: string): Promise<readonly string[]> {
  const found: string[] = [];
  await eachInTurns(await namesOf(refs), (name) => {
    if (refs.tags.get(name)?.target === commit) found.push(name);
  });
  return found;
}

/** Of sorted names those that begin with `prefix`: they are next to each other. */
function* namesFrom(names: readonly string[], prefix: string): Generator<string, void> {
  let low = 0;
  for (let high = names.length; low < high; ) {
    const middle = (low + high) >>> 1;
    if (compareStrings(names[middle] ?? "", prefix) < 0) low = middle + 1;
    else high = middle;
  }
  for (let name = names[low]; name?.startsWith(prefix); name = names[++low]) yield name;
}

/** The version that a tag stands for. */
export interface TaggedVersion {
  readonly version: string;
  /** The tag is the version; else it has build metadata too, and can only be the base of a pseudo-version. */
  readonly isCanonical: boolean;
}

/** What a tag means for a module with this prefix; `undefined` for one that means nothing. */
export function versionOfTag(tag: string, prefix: string): TaggedVersion | undefined {
  // go looks at the whole tag, not at what follows the prefix.
  if (!tag.startsWith(prefix) || isPseudoVersion(tag)) return undefined;
  const name = tag.slice(prefix.length);
  const version = canonical(name);
  if (version === "" || !name.startsWith(version)) return undefined;
  return { version, isCanonical: version === name };
}

/** go's checksum over the tags that decide about pseudo-versions (Tags of modfetch/codehost/git.go), as in an `Origin`. */
export async function tagSum(refs: RefListing, prefix: string): Promise<string> {
  const directory = prefix.slice(0, prefix.lastIndexOf("/") + 1);
  const hash = createHash("sha256");
  await eachInTurns(await tagsWith(refs, prefix), ({ name, target }) => {
    const short = name.startsWith(directory) ? name.slice(directory.length) : name;
    const version = canonical(short);
    if (version !== "" && short.startsWith(version) && !isPseudoVersion(short)) hash.update(`"${name}" ${target}\n`);
  });
  return `t1:${hash.digest("base64")}`;
}
