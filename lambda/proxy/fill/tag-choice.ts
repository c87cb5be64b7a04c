import { isCodedError } from "../../golang/coded-error.ts";
import { highestVersion, type IsAllowed, incompatibleStart } from "../sources/latest-version.ts";
import { type IsRetracted, nothingRetracted, retractedVersions } from "../sources/retracted-versions.ts";
import { inTurns } from "../store/in-turns.ts";

/** The go.mod of a version of the module; `undefined` where it cannot be had. */
export type ReadGoMod = (version: string) => Promise<Uint8Array | undefined>;

/** What `go` makes of a module's tags. */
export interface TagChoice {
  /** The tag whose go.mod speaks for the module: what would be the latest if nothing were retracted. */
  readonly highest: string | undefined;
  /** The latest that is not retracted. */
  readonly latest: string | undefined;
  readonly isRetracted: IsRetracted;
}

/** Chooses as `go` does: the highest release that is not retracted, else prerelease; see `incompatibleStart`. */
export async function chooseTag(path: string, tagged: readonly string[], readGoMod: ReadGoMod): Promise<TagChoice> {
  const read = once(readGoMod);
  const highest = await highestTag(path, tagged, () => true, read);
  const isRetracted = highest === undefined ? nothingRetracted : await readRetractions(await read(highest));
  const isAllowed = (version: string) => !isRetracted(version);
  const latest =
    highest === undefined || isAllowed(highest) ? highest : await highestTag(path, tagged, isAllowed, read);
  return { highest, latest, isRetracted };
}

async function highestTag(
  path: string,
  tagged: readonly string[],
  isAllowed: IsAllowed,
  readGoMod: ReadGoMod,
): Promise<string | undefined> {
  const start = await inTurns(incompatibleStart(tagged, isAllowed));
  const isModule = start !== undefined && !isMadeUp(path, await readGoMod(start.lastCompatible));
  return inTurns(highestVersion(tagged, isModule ? start.index : tagged.length, isAllowed));
}

/** True for the go.mod that stands for none: what proxies give for a version that has none of its own. */
function isMadeUp(path: string, goMod: Uint8Array | undefined): boolean {
  return goMod !== undefined && Buffer.from(`module ${path}\n`).equals(goMod);
}

/** A go.mod that cannot be had or read retracts nothing. */
async function readRetractions(goMod: Uint8Array | undefined): Promise<IsRetracted> {
  if (goMod === undefined) return nothingRetracted;
  try {
    return await inTurns(retractedVersions(goMod));
  } catch (error) {
    if (isCodedError(error)) return nothingRetracted;
    throw error;
  }
}

/** Most modules are asked twice for the same one. */
function once(readGoMod: ReadGoMod): ReadGoMod {
  const read = new Map<string, ReturnType<ReadGoMod>>();
  return (version) => {
    const goMod = read.get(version) ?? readGoMod(version);
    read.set(version, goMod);
    return goMod;
  };
}
