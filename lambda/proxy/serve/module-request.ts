import type { RoutedPath } from "../../edge/routed-path.ts";
import type { RouteName } from "../../edge/routes.ts";
import { isCodedError } from "../../golang/coded-error.ts";
import { checkPath, escapeVersion } from "../../golang/module.ts";
import type { FileKind, ModuleVersion } from "../store/layout.ts";
import { isVersionOf } from "../store/module-version.ts";
import { ServedError } from "../store/served-error.ts";

/** What a path of the module protocol asks for, with paths and versions unescaped and checked. */
export type ModuleRequest =
  | { readonly kind: "list" | "latest"; readonly path: string }
  | { readonly kind: FileKind; readonly module: ModuleVersion }
  | { readonly kind: "query"; readonly path: string; readonly query: string };

/**
 * Checks what was taken from a path by the complete rules, `"/github.com/!azure/x/@v/v1.2.3.info"`.
 *
 * A version is one only when it is canonical and of the path's major; `.info` of anything else is a query. Throws
 * `ServedError` "bad-request" for malformed paths and versions, "not-found" for `.mod` and `.zip` of a query and for
 * whatever is not of a module.
 */
export function parseModuleRequest({ route, module, version }: RoutedPath): ModuleRequest {
  if (!isModuleRoute(route) || module === undefined) throw new ServedError("not-found", "no such page");
  attempt("module path", () => checkPath(module));
  if (route === "list" || route === "latest") return { kind: route, path: module };
  if (version === undefined) throw new ServedError("not-found", "no such page");
  attempt("version", () => escapeVersion(version));
  if (isVersionOf(module, version)) return { kind: route, module: { path: module, version } };
  if (route === "info") return { kind: "query", path: module, query: version };
  throw new ServedError("not-found", `not a canonical version: ${version}`);
}

function isModuleRoute(route: RouteName): route is "list" | "latest" | FileKind {
  return route === "list" || route === "latest" || route === "info" || route === "mod" || route === "zip";
}

function attempt(what: string, verify: () => void): void {
  try {
    verify();
  } catch (cause) {
    throw new ServedError("bad-request", isCodedError(cause) ? cause.message : `malformed ${what}`, { cause });
  }
}
