import { isCodedError } from "../../../golang/coded-error.ts";
import { prerelease } from "../../../golang/semver.ts";
import { type IsRetracted, nothingRetracted, retractedVersions } from "../../../proxy/sources/retracted-versions.ts";
import { inTurns } from "../../../proxy/store/in-turns.ts";
import type { Code } from "./code.ts";
import { findModule } from "./go-mod.ts";
import type { ModulePlace } from "./module-place.ts";
import { compatibleVersions } from "./versions.ts";

/** What the go.mod of a module's highest version retracts; where that cannot be read, nothing is retracted. */
export async function retractions(code: Code, place: ModulePlace): Promise<IsRetracted> {
  const versions = await compatibleVersions(code, place);
  const version = versions.findLast((each) => prerelease(each) === "") ?? versions.at(-1);
  if (version === undefined) return nothingRetracted;
  const revision = place.tagPrefix + version;
  const target = code.refs.tags.get(revision)?.target ?? "";
  try {
    await code.commit(target, revision);
    const { goMod } = await findModule(code, place, target, { version, revision });
    return goMod === undefined ? nothingRetracted : await inTurns(retractedVersions(goMod));
  } catch (error) {
    if (isCodedError(error, "absent", "invalid-go-mod")) return nothingRetracted;
    throw error;
  }
}
