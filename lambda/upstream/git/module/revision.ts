import { compareStrings } from "../../../golang/encoding.ts";
import { eachInTurns } from "../../../proxy/store/in-turns.ts";
import { Absence, unknownRevision } from "../discovery/absence.ts";
import type { Commit } from "../pack/commit.ts";
import type { RefListing } from "../repository/ref-listing.ts";
import type { Code } from "./code.ts";
import { tagsOn } from "./tags.ts";

/** What a name or hash stands for at the moment. */
export interface Revision {
  readonly commit: Commit;
  /** The first 12 digits of the commit's id. */
  readonly short: string;
  /** The tag that was asked for. */
  readonly tag: string | undefined;
  /** The ref by which it was found, in full: `"refs/heads/main"`. */
  readonly ref: string | undefined;
  /** The tags on the commit, in byte order. */
  readonly tags: readonly string[];
}

interface Found {
  readonly id: string;
  readonly tag?: string | undefined;
  readonly ref?: string | undefined;
}

/** Seconds since 1970: what is later cannot be written in an answer. */
const latestTime = 253_402_300_799;

/** Digits of a hash, at least. */
const fewestDigits = 7;

/**
 * Finds a revision: a tag, else a branch, else HEAD, else a hash (Stat of cmd/go/internal/modfetch/codehost/git.go).
 *
 * A hash that is no tip must be reached by a branch or a tag: servers hand out by hash what only a pull request reaches,
 * and anyone can make one. Throws `Absence`.
 */
export async function findRevision(code: Code, name: string): Promise<Revision> {
  const found = findRef(code.refs, name) ?? (await findHash(code, name));
  const commit = await code.subject(found.id, name);
  if (commit.time > latestTime) throw new Absence(`revision ${name} is from after the year 9999`);
  const tags = await tagsOn(code.refs, commit.id);
  return { commit, short: commit.id.slice(0, 12), tag: found.tag, ref: found.ref, tags };
}

/** What the repository's HEAD is at. Throws `Absence` where there is none yet. */
export async function findHead(code: Code): Promise<Revision> {
  const { id } = code.refs.head;
  if (id === undefined) throw new Absence("no commits");
  return { ...(await findRevision(code, id)), ref: "HEAD" };
}

function findRef(refs: RefListing, name: string): Found | undefined {
  const tag = refs.tags.get(name);
  if (tag !== undefined) return { id: tag.target, tag: name, ref: `refs/tags/${name}` };
  const head = refs.heads.get(name);
  if (head !== undefined) return { id: head, ref: `refs/heads/${name}` };
  return name === "HEAD" && refs.head.id !== undefined ? { id: refs.head.id } : undefined;
}

async function findHash(code: Code, name: string): Promise<Found> {
  const digits = code.refs.objectFormat === "sha256" ? 64 : 40;
  if (name.length < fewestDigits || name.length > digits || !/^[0-9a-f]+$/.test(name)) throw unknownRevision(name);
  const tip = await findTip(code.refs, name);
  if (tip !== undefined) return tip;
  const id = await (await code.publicHistory()).resolve(name);
  const found = new Set(id === undefined ? [] : [id]);
  await eachInTurns(code.refs.tags.values(), (tag) => {
    if (tag.id.startsWith(name)) found.add(tag.target);
  });
  const [only, ...more] = found;
  if (only === undefined || more.length > 0) throw unknownRevision(name);
  return { id: only };
}

/** The tip that begins with these digits. go names the first ref that is there in an `Origin`, but never HEAD. */
async function findTip({ head, heads, tags }: RefListing, digits: string): Promise<Found | undefined> {
  const found = new Set<string>();
  let first: string | undefined;
  const look = (ref: string, id: string) => {
    if (!id.startsWith(digits)) return;
    found.add(id);
    if (first === undefined || compareStrings(ref, first) < 0) first = ref;
  };
  if (head.id !== undefined) look("HEAD", head.id);
  await eachInTurns(heads, ([name, id]) => look(`refs/heads/${name}`, id));
  await eachInTurns(tags, ([name, { target }]) => look(`refs/tags/${name}`, target));
  const [id, ...more] = found;
  if (more.length > 0) throw new Absence(`ambiguous revision ${digits}`);
  return id === undefined ? undefined : { id, ref: first === "HEAD" ? undefined : first };
}
