import { isCodedError } from "../../../golang/coded-error.ts";
import { unescapePath, unescapeVersion } from "../../../golang/module.ts";
import { Absence } from "../discovery/absence.ts";

/** What a path of the module protocol asks for. */
export type DirectRequest =
  | { readonly kind: "list"; readonly module: string }
  | { readonly kind: "latest"; readonly module: string }
  | { readonly kind: "info" | "mod" | "zip"; readonly module: string; readonly version: string };

/** Reads an escaped path: `"/github.com/!azure/x/@v/v1.0.0.info"`. Throws `Absence` for what no module can be at. */
export function parseDirectRequest(path: string): DirectRequest {
  const at = path.lastIndexOf("/@");
  const rest = path.slice(at + 1);
  const file = /^@v\/([^/]+)\.(info|mod|zip)$/.exec(rest);
  try {
    const module = unescapePath(path.slice(1, Math.max(1, at)));
    if (rest === "@latest") return { kind: "latest", module };
    if (rest === "@v/list") return { kind: "list", module };
    if (file !== null) {
      const [, version = "", kind] = file;
      return { kind: kind as "info" | "mod" | "zip", module, version: unescapeVersion(version) };
    }
  } catch (error) {
    if (!isCodedError(error, "invalid-module-path", "invalid-version")) throw error;
    throw new Absence(error.message);
  }
  throw new Absence("no file of a module");
}
