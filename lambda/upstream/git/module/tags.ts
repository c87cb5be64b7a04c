import { createHash } from "node:crypto";
import { compareStrings } from "../../../golang/encoding.ts";
import { isPseudoVersion } from "../../../golang/pseudo.ts";
import { canonical } from "../../../golang/semver.ts";
import type { RefListing } from "../repository/ref-listing.ts";

/** A tag, and the object that it comes to. */
export interface Tag {
  readonly name: string;
  readonly target: string;
}

/** The tags whose names begin with `prefix`, in byte order. */
export function tagsWith(refs: RefListing, prefix: string): Tag[] {
  const found: Tag[] = [];
  for (const [name, { target }] of refs.tags) if (name.startsWith(prefix)) found.push({ name, target });
  return found.sort((a, b) => compareStrings(a.name, b.name));
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
export function tagSum(refs: RefListing, prefix: string): string {
  const directory = prefix.slice(0, prefix.lastIndexOf("/") + 1);
  const hash = createHash("sha256");
  for (const { name, target } of tagsWith(refs, prefix)) {
    const short = name.startsWith(directory) ? name.slice(directory.length) : name;
    const version = canonical(short);
    if (version !== "" && short.startsWith(version) && !isPseudoVersion(short)) hash.update(`"${name}" ${target}\n`);
  }
  return `t1:${hash.digest("base64")}`;
}
