import { blockShards } from "../edge/access-settings.ts";
import { blockKey } from "../edge/blocks.ts";
import { fingerprint } from "../edge/revocations.ts";
import { CodedError } from "../golang/coded-error.ts";
import { hmac } from "./hmac.ts";
import { isValue } from "./private-texts.ts";

/** Something that is refused wherever it is stored: a version, or a whole module where that is empty. */
export interface BlockedVersion {
  readonly module: string;
  readonly version: string;
  /** Milliseconds since the epoch; a part of a day counts as the day. */
  readonly until?: number | undefined;
}

/** Of a module with more entries those of versions are spread over all texts. */
const mostOfModule = 60;

const day = 86_400_000;

/** In place of a day: of what has no end (the year 2082), and that the entries of versions are elsewhere. */
const never = "\u9fff";
const elsewhere = "!";

/** The keys of all texts of blocks, empty ones: they must be there before the edge asks for them. */
export function noBlocks(): Map<string, string> {
  return new Map(Array.from({ length: blockShards }, (_, shard) => [`b ${shard}`, "="]));
}

/**
 * Returns the texts of all that is blocked at `now` (milliseconds), as lambda/edge/blocks.ts reads them.
 *
 * A text that gets too long sends the versions of its largest module elsewhere. Throws `CodedError` "blocks-full" where
 * that does not help: very many modules of one text are blocked as a whole.
 */
export function layOutBlocks(blocked: readonly BlockedVersion[], now: number): Map<string, string> {
  const modules = new Map<string, BlockedVersion[]>();
  for (const each of blocked) {
    if (each.until !== undefined && each.until <= now) continue;
    const own = modules.get(each.module);
    if (own === undefined) modules.set(each.module, [each]);
    else own.push(each);
  }
  const spread = new Set([...modules].filter(([, own]) => own.length > mostOfModule).map(([module]) => module));
  for (;;) {
    const texts = textsOf(modules, spread);
    const crowded = new Set([...texts].filter(([, text]) => !isValue(text)).map(([key]) => key));
    if (crowded.size === 0) return texts;
    const next = [...crowded].map((key) => largestOf(key, modules, spread));
    if (next.every((module) => module === undefined)) throw full();
    for (const module of next) if (module !== undefined) spread.add(module);
  }
}

function textsOf(
  modules: ReadonlyMap<string, readonly BlockedVersion[]>,
  spread: ReadonlySet<string>,
): Map<string, string> {
  const texts = noBlocks();
  const add = (key: string, name: string, end: string) =>
    texts.set(key, `${texts.get(key)}${fingerprint(name, hmac)}${end}`);
  for (const [module, own] of modules) {
    if (spread.has(module)) add(blockKey(module), module, elsewhere);
    for (const { version, until } of own) {
      const name = nameOf({ module, version });
      add(blockKey(spread.has(module) ? name : module), name, endOf(until));
    }
  }
  return texts;
}

function endOf(until: number | undefined): string {
  return until === undefined ? never : String.fromCharCode(Math.ceil(until / day));
}

/** The module with most entries in a text, of those whose versions can go elsewhere. */
function largestOf(
  key: string,
  modules: ReadonlyMap<string, readonly BlockedVersion[]>,
  spread: ReadonlySet<string>,
): string | undefined {
  const [largest] = [...modules]
    .filter(([module, own]) => own.length > 1 && !spread.has(module) && blockKey(module) === key)
    .sort(([one, a], [other, b]) => b.length - a.length || (one < other ? -1 : 1));
  return largest?.[0];
}

function full(): CodedError {
  return new CodedError(
    "blocks-full",
    "too many modules are blocked for the edge: deny them by a pattern of the policy",
  );
}

/** A day that no block ends on. */
const unlike = Date.UTC(2081, 0, 1);

/**
 * Returns the texts that differ since these names changed, whatever was said of them before, in the order in which they must be
 * written: however far that got, nothing is served that is blocked before and after.
 */
export function changedBlocks(
  blocked: readonly BlockedVersion[],
  names: readonly Pick<BlockedVersion, "module" | "version">[],
  now: number,
): ReadonlyMap<string, string> {
  const changed = new Set(names.map(nameOf));
  const others = blocked.filter((each) => !changed.has(nameOf(each)));
  const after = layOutBlocks(blocked, now);
  const before = [layOutBlocks(others, now), layOutBlocks([...others, ...names.map(asBlocked)], now)];
  const puts = [...after].filter(([key, text]) => before.some((texts) => texts.get(key) !== text));
  // Where it is said that entries are elsewhere comes after them, and where that is said no longer before.
  const homes = new Set(names.map(({ module }) => blockKey(module)));
  const place = ([key, text]: readonly [string, string]) => (text.includes(elsewhere) ? 2 : homes.has(key) ? 0 : 1);
  return new Map(puts.toSorted((one, other) => place(one) - place(other)));
}

function asBlocked({ module, version }: Pick<BlockedVersion, "module" | "version">): BlockedVersion {
  return { module, version, until: unlike };
}

function nameOf({ module, version }: Pick<BlockedVersion, "module" | "version">): string {
  return version === "" ? module : `${module}@${version}`;
}
