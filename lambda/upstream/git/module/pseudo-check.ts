import { isCodedError } from "../../../golang/coded-error.ts";
import { pseudoVersion, pseudoVersionBase, pseudoVersionRev, pseudoVersionTime } from "../../../golang/pseudo.ts";
import { compare, major } from "../../../golang/semver.ts";
import { eachInTurns } from "../../../proxy/store/in-turns.ts";
import { Absence } from "../discovery/absence.ts";
import type { Code } from "./code.ts";
import type { ModulePlace } from "./module-place.ts";
import type { Revision } from "./revision.ts";
import { type Tag, tagsWith } from "./tags.ts";

/**
 * Holds a pseudo-version that was asked for against its commit (validatePseudoVersion of
 * cmd/go/internal/modfetch/coderepo.go).
 *
 * Otherwise anyone who names a version could make up as many for one commit as they like, and as high as they like: its digits
 * and time must be exact, and the tag that it follows must be there, on a commit before, and not on this one. Throws `Absence`.
 */
export async function checkPseudoVersion(
  code: Code,
  place: ModulePlace,
  revision: Revision,
  version: string,
): Promise<void> {
  const wrong = (why: string) => new Absence(`invalid pseudo-version ${version}: ${why}`);
  const { rev, time, base } = readParts(version, wrong);
  if (rev !== revision.short) throw wrong(`${faultOfDigits(rev, revision.short)} (expected ${revision.short})`);
  if (time.getTime() !== revision.commit.time * 1000) {
    const expected = pseudoVersion("", "", new Date(revision.commit.time * 1000), "x").slice("v0.0.0-".length, -2);
    throw wrong(`does not match version-control timestamp (expected ${expected})`);
  }
  if (base === "") {
    if (place.major !== "" || major(version) !== "v1") return;
    throw wrong("major version without preceding tag must be v0, not v1");
  }
  const own = revision.tags.find((tag) => withoutPrefix(tag, place.tagPrefix) === base);
  if (own !== undefined) throw wrong(`tag (${own}) found on revision ${rev} is already canonical`);
  await checkBase(code, place, { revision, base, wrong });
}

interface Parts {
  readonly rev: string;
  readonly time: Date;
  /** The tag that the version follows, or empty. */
  readonly base: string;
}

function readParts(version: string, wrong: (why: string) => Absence): Parts {
  try {
    return {
      rev: pseudoVersionRev(version),
      time: pseudoVersionTime(version),
      base: pseudoVersionBase(version.replace(/\+incompatible$/, "")),
    };
  } catch (error) {
    if (isCodedError(error, "invalid-pseudo-version")) throw wrong(error.message);
    throw error;
  }
}

function faultOfDigits(rev: string, short: string): string {
  if (rev.startsWith(short)) return "revision is longer than canonical";
  return short.startsWith(rev) ? "revision is shorter than canonical" : "does not match short name of revision";
}

/** go cuts the prefix where it is, so that a tag of the root may stand for one of a folder. */
function withoutPrefix(tag: string, prefix: string): string {
  return tag.startsWith(prefix) ? tag.slice(prefix.length) : tag;
}

interface Claim {
  readonly revision: Revision;
  readonly base: string;
  readonly wrong: (why: string) => Absence;
}

async function checkBase(code: Code, { tagPrefix }: ModulePlace, { revision, base, wrong }: Claim): Promise<void> {
  let last: Tag | undefined;
  // All at once: many tags may differ in build metadata only, and each look is one at the whole history.
  const targets = new Set<string>();
  await eachInTurns(await tagsWith(code.refs, tagPrefix + base), (tag) => {
    if (compare(tag.name.slice(tagPrefix.length), base) !== 0) return;
    last = tag;
    targets.add(tag.target);
  });
  if (last === undefined) throw wrong(`preceding tag (${base}) not found`);
  const history = await code.history();
  if ((await history.ancestorsAmong(targets, revision.commit.id)).size > 0) return;
  throw wrong(`revision ${revision.short} is not a descendent of preceding tag (${last.name})`);
}
