import { isCodedError } from "../../golang/coded-error.ts";
import { canonicalVersion, check, unescapePath, unescapeVersion } from "../../golang/module.ts";
import type { FileKind, ModuleVersion } from "../store/layout.ts";
import { ServedError } from "../store/served-error.ts";

/** What a path of the module protocol asks for, with paths and versions unescaped and checked. */
export type ModuleRequest =
  | { readonly kind: "list" | "latest"; readonly path: string }
  | { readonly kind: FileKind; readonly module: ModuleVersion }
  | { readonly kind: "query"; readonly path: string; readonly query: string };

const fileName = /^(.+)\.(info|mod|zip)$/s;

/**
 * Reads a canonical escaped path, `"/github.com/!azure/x/@v/v1.2.3.info"`.
 *
 * A version is one only when it is canonical and of the path's major; `.info` of anything else is a query. Throws
 * `ServedError` "bad-request" for malformed paths, escapes and versions, "not-found" for `.mod` and `.zip` of a query.
 */
export function parseModuleRequest(target: string): ModuleRequest {
  const latest = /^\/(.+)\/@latest$/s.exec(target);
  if (latest?.[1] !== undefined) return { kind: "latest", path: parsePath(latest[1]) };
  const below = /^\/(.+?)\/@v\/([^/]+)$/s.exec(target);
  if (below?.[1] === undefined || below[2] === undefined) throw new ServedError("not-found", "no such page");
  const path = parsePath(below[1]);
  if (below[2] === "list") return { kind: "list", path };
  const file = fileName.exec(below[2]);
  if (file?.[1] === undefined) throw new ServedError("not-found", "no such file: a version has .info, .mod and .zip");
  return parseFile(path, file[1], file[2] as FileKind);
}

function parseFile(path: string, escapedVersion: string, kind: FileKind): ModuleRequest {
  const version = attempt("version", () => unescapeVersion(escapedVersion));
  if (isCanonical(path, version)) return { kind, module: { path, version } };
  if (kind === "info") return { kind: "query", path, query: version };
  throw new ServedError("not-found", `not a canonical version: ${version}`);
}

function parsePath(escaped: string): string {
  return attempt("module path", () => unescapePath(escaped));
}

function isCanonical(path: string, version: string): boolean {
  if (canonicalVersion(version) !== version) return false;
  try {
    check(path, version);
    return true;
  } catch {
    return false;
  }
}

function attempt<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new ServedError("bad-request", isCodedError(cause) ? cause.message : `malformed ${what}`, { cause });
  }
}
