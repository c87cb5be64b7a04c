import { isCodedError } from "../../golang/coded-error.ts";
import { canonicalVersion, check } from "../../golang/module.ts";

/**
 * True for a canonical version that a module of this path can have, such as `"v2.0.0"` of `"example.com/m/v2"`.
 *
 * x/mod's `check` alone lets `v1.5` and `v1.0.0+build` pass, and `canonicalVersion` knows nothing of the path.
 */
export function isVersionOf(path: string, version: string): boolean {
  if (canonicalVersion(version) !== version) return false;
  try {
    check(path, version);
    return true;
  } catch (error) {
    if (isCodedError(error)) return false;
    throw error;
  }
}
