import { CodedError } from "../../lambda/golang/coded-error.ts";
import { canonicalVersion } from "../../lambda/golang/module.ts";
import { isPseudoVersion } from "../../lambda/golang/pseudo.ts";
import { build, major } from "../../lambda/golang/semver.ts";
import { printable } from "../../lambda/golang/shown-text.ts";

/** The version, as it may be published: canonical, and none that go makes up itself. Throws `CodedError` "usage". */
export function parseVersion(text: string): string {
  if (canonicalVersion(text) !== text || text === "") throw wrong(text, "is no version such as v1.2.3 or v1.2.3-rc.1");
  if (isPseudoVersion(text)) throw wrong(text, "is a pseudo-version, which stands for a commit and is not published");
  if (build(text) !== "") throw wrong(text, "has a suffix that no module with a go.mod has");
  return text;
}

function wrong(text: string, why: string): CodedError {
  return new CodedError("usage", `${printable(JSON.stringify(text), 200)} ${why}`);
}

/** A module's tag, and where the module is: `"sub/v1.2.3"`. */
export interface NamedTag {
  readonly tag: string;
  readonly version: string;
  /** The module's folder, without the `v2` that it may have within. */
  readonly directory: string;
}

/**
 * Reads `--tag` for a module in `directory` of the repository: its version, or the whole name of the tag, as go would look for it:
 * that of `sub` and of `sub/v2` begins with `sub/`. At the top of the repository the name of the tag says where the module is.
 *
 * Throws `CodedError` "usage".
 */
export function parseTag(text: string, directory: string): NamedTag {
  const slash = text.lastIndexOf("/");
  const version = parseVersion(text.slice(slash + 1));
  const own = withoutMajor(directory, version);
  if (slash < 0) return { tag: own === "" ? version : `${own}/${version}`, version, directory: own };
  const named = text.slice(0, slash);
  if (named === "" || text.startsWith("/") || /[\x00-\x1f\x7f]/.test(text)) throw wrong(text, "is no name of a tag");
  if (directory !== "" && named !== directory && named !== own) {
    throw wrong(text, `is no tag of the module in ${printable(directory, 200)}`);
  }
  return { tag: text, version, directory: named };
}

/** The folder by which tags of this version begin: that of a major version does not count. */
export function withoutMajor(directory: string, version: string): string {
  const last = directory.slice(directory.lastIndexOf("/") + 1);
  const isMajor = last === major(version) && last !== "v0" && last !== "v1";
  return isMajor ? directory.slice(0, -last.length).replace(/\/$/, "") : directory;
}
