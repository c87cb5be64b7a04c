import { isPseudoVersion } from "../../../golang/pseudo.ts";
import type { Code } from "./code.ts";
import type { ModulePlace } from "./module-place.ts";
import type { Revision } from "./revision.ts";
import { tagSum } from "./tags.ts";

/** A version of a module, and the commit that it is. */
export interface ModuleInfo {
  readonly version: string;
  readonly revision: Revision;
  /** The answer to `.info`, as the go command writes it for a module that it had from its repository itself. */
  readonly json: Uint8Array;
}

/** Where a version came from, in the order of the fields in which go writes them. */
interface Origin {
  readonly VCS: "git";
  readonly URL: string;
  readonly Subdir?: string;
  readonly Hash: string;
  readonly TagPrefix?: string;
  readonly TagSum?: string;
  readonly Ref?: string;
}

/**
 * Describes what was found when `asked` was asked for (empty for the latest).
 *
 * To a query go answers with all that it depends on. What it keeps of a version depends on its tag alone, and that of a
 * pseudo-version on nothing.
 */
export async function moduleInfo(
  { code, place, revision }: { readonly code: Code; readonly place: ModulePlace; readonly revision: Revision },
  version: string,
  asked: string,
): Promise<ModuleInfo> {
  const origin: Origin = {
    VCS: "git",
    URL: code.url,
    ...(place.directory !== "" && { Subdir: place.directory }),
    Hash: revision.commit.id,
    ...(version !== asked && isPseudoVersion(version) && (await tagsOf(code, place))),
    ...(revision.ref !== undefined && !(version === asked && isPseudoVersion(version)) && { Ref: revision.ref }),
  };
  const time = new Date(revision.commit.time * 1000).toISOString().replace(".000Z", "Z");
  return {
    version,
    revision,
    json: Buffer.from(escapeHtml(JSON.stringify({ Version: version, Time: time, Origin: origin }))),
  };
}

/** What a pseudo-version depends on when it is made up. */
async function tagsOf(
  code: Code,
  { tagPrefix, pathMajor }: ModulePlace,
): Promise<Pick<Origin, "TagPrefix" | "TagSum">> {
  const prefix = tagPrefix + (pathMajor === "" ? "" : `${pathMajor.slice(1)}.`);
  return { ...(prefix !== "" && { TagPrefix: prefix }), TagSum: await tagSum(code.refs, prefix) };
}

/** Go's JSON is safe in HTML, and so are its bytes. */
function escapeHtml(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (match) => `\\u${match.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
