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
      const name = version === "" ? module : `${module}@${version}`;
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
