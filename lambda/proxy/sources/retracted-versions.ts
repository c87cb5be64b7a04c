import { parseLaxSteps } from "../../golang/modfile.ts";
import { sortKey } from "../../golang/semver.ts";
import { sortedStrings } from "../../golang/sorted-strings.ts";
import { type Steps, stepsPerTurn } from "../../golang/steps.ts";

/** Bytes of a go.mod that is read for its retractions: no honest one is longer. */
const goModLimit = 256 * 1024;

/** Characters: versions in lists are shorter, because files have their names. */
const longestEnd = 255;

/** Says of a version whether it is retracted. */
export type IsRetracted = (version: string) => boolean;

export const nothingRetracted: IsRetracted = () => false;

/**
 * What a go.mod retracts, to be asked of any number of versions.
 *
 * A go.mod of more than 256 KiB retracts nothing, and neither does a range that ends in more than 255 characters. Throws
 * `ModFileError` for what `go` cannot read.
 */
export function* retractedVersions(goMod: Uint8Array): Steps<IsRetracted> {
  if (goMod.length > goModLimit) return nothingRetracted;
  const { retract } = yield* parseLaxSteps(goMod);
  const rows: string[] = [];
  let count = 0;
  for (const { low, high } of retract) {
    if (++count % stepsPerTurn === 0) yield;
    if (low.length > longestEnd || high.length > longestEnd) continue;
    rows.push(`${sortKey(low)}\0${sortKey(high)}`);
  }
  return yield* lookup(yield* sortedStrings(rows));
}

/** Ranges by their lower end, each with the highest upper end of all up to it: the last one that begins in time decides. */
function* lookup(ranges: readonly string[]): Steps<IsRetracted> {
  const lows: string[] = [];
  const highs: string[] = [];
  for (const range of ranges) {
    if (lows.length % stepsPerTurn === stepsPerTurn - 1) yield;
    const [low = "", high = ""] = range.split("\0");
    // An upside-down range holds nothing, and must not lend its end to those below it.
    const highest = highs.at(-1) ?? "";
    lows.push(low);
    highs.push(low <= high && high > highest ? high : highest);
  }
  return (version) => {
    const key = sortKey(version);
    const at = countUpTo(lows, key) - 1;
    return at >= 0 && key <= (highs[at] ?? "");
  };
}

/** How many of the ordered keys are not above `key`. */
function countUpTo(keys: readonly string[], key: string): number {
  let low = 0;
  for (let high = keys.length; low < high; ) {
    const middle = (low + high) >> 1;
    if ((keys[middle] ?? "") <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}
