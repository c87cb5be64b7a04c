import { prerelease } from "../../golang/semver.ts";
import { type Steps, stepsPerTurn } from "../../golang/steps.ts";

// How `go` chooses what `latest` is among a module's tags, which are in semver order here: filterVersions of
// cmd/go/internal/modload/query.go. That looks at every version from below; what decides is found from where it lies.

/** Says of a version whether it may be chosen. */
export type IsAllowed = (version: string) => boolean;

/** Where the `+incompatible` versions of a module begin that has others below them. */
export interface IncompatibleStart {
  /** The number of versions below it. */
  readonly index: number;
  /** The highest other version below it. If that has a go.mod, its author wants nobody on majors that have none. */
  readonly lastCompatible: string;
}

/** The first allowed `+incompatible` version that has an allowed one of the other kind below it. */
export function* incompatibleStart(
  tagged: readonly string[],
  isAllowed: IsAllowed,
): Steps<IncompatibleStart | undefined> {
  const first = tagged.findIndex(isIncompatible);
  if (first < 0) return undefined;
  let lastCompatible = yield* findLast(tagged, first, isAllowed);
  for (let index = first; index < tagged.length; index++) {
    if (index % stepsPerTurn === 0) yield;
    const version = tagged[index] ?? "";
    if (!isAllowed(version)) continue;
    if (!isIncompatible(version)) lastCompatible = version;
    else if (lastCompatible !== undefined) return { index, lastCompatible };
  }
  return undefined;
}

/** Of the first `end` versions the highest allowed release, else the highest allowed prerelease. */
export function* highestVersion(
  tagged: readonly string[],
  end: number,
  isAllowed: IsAllowed,
): Steps<string | undefined> {
  const release = yield* findLast(tagged, end, (version) => prerelease(version) === "" && isAllowed(version));
  return release ?? (yield* findLast(tagged, end, isAllowed));
}

function* findLast(versions: readonly string[], end: number, isWanted: IsAllowed): Steps<string | undefined> {
  for (let index = end - 1; index >= 0; index--) {
    if (index % stepsPerTurn === 0) yield;
    const version = versions[index];
    if (version !== undefined && isWanted(version)) return version;
  }
  return undefined;
}

function isIncompatible(version: string): boolean {
  return version.endsWith("+incompatible");
}
