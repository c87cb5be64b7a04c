import { canonicalVersion } from "../../golang/module.ts";
import { compare, sortKey } from "../../golang/semver.ts";

const operators = [">=", "<=", ">", "<", "="] as const;

interface Comparison {
  readonly operator: (typeof operators)[number];
  readonly version: string;
  /** Of the version, which is compared with those of many others. */
  readonly key: string;
}

/** Alternatives, each of which is comparisons that must all hold. */
export type VersionRanges = readonly (readonly Comparison[])[];

/** Says whether the comparison holds, by how the version compares with the one that is named. */
const holds: Readonly<Record<Comparison["operator"], (order: -1 | 0 | 1) => boolean>> = {
  ">=": (order) => order >= 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  "<": (order) => order < 0,
  "=": (order) => order === 0,
};

/**
 * Reads alternatives between commas, each of them comparisons with a blank between that all must hold: `">=v1.2.0 <v1.4.0,
 * v2.0.1"`. A version alone is that version. Versions compare by semver: a pre-release is below its release, and
 * `+incompatible` does not count. `undefined` for anything else, and where an alternative can hold for nothing.
 */
export function parseRanges(text: string): VersionRanges | undefined {
  const ranges = text.split(",").map(parseAlternative);
  return ranges.every((range) => range !== undefined) ? ranges : undefined;
}

/** Reports whether a version is in one of the ranges. */
export function isInRanges(ranges: VersionRanges, version: string): boolean {
  const key = sortKey(version);
  return ranges.some((range) => isIn(range, key));
}

function parseAlternative(text: string): readonly Comparison[] | undefined {
  const words = text.split(" ").filter((word) => word !== "");
  const range = words.map(parseComparison);
  if (range.length === 0 || !range.every((each) => each !== undefined)) return undefined;
  return isPossible(range) ? range : undefined;
}

function parseComparison(word: string): Comparison | undefined {
  const operator = operators.find((each) => word.startsWith(each));
  const version = word.slice(operator?.length ?? 0);
  if (version === "" || canonicalVersion(version) !== version) return undefined;
  return { operator: operator ?? "=", version, key: sortKey(version) };
}

function isIn(range: readonly Comparison[], key: string): boolean {
  return range.every(({ operator, key: named }) => holds[operator](key === named ? 0 : key < named ? -1 : 1));
}

/** False where the highest lower bound is above the lowest upper one: such a rule protects nothing. */
function isPossible(range: readonly Comparison[]): boolean {
  const lower = range.filter(({ operator }) => operator !== "<" && operator !== "<=");
  const upper = range.filter(({ operator }) => operator !== ">" && operator !== ">=");
  return lower.every((low) =>
    upper.every((high) => {
      const order = compare(low.version, high.version);
      return order < 0 || (order === 0 && low.operator !== ">" && high.operator !== "<");
    }),
  );
}
