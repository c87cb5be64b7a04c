import type { RoutedPath } from "../../edge/routed-path.ts";
import { parseTilePath } from "../../golang/tile.ts";
import { type ModuleVersion, type PolicyName, tilePolicy } from "../store/layout.ts";
import { isVersionOf } from "../store/module-version.ts";
import { ServedError } from "../store/served-error.ts";

/** A checksum database that is served below `/sumdb/<name>/`. */
export interface ServedDatabase {
  readonly name: string;
  /** Whether it is our own log, which has private modules too, or the mirror of somebody's. */
  readonly isOurs: boolean;
}

/** What a path below `/sumdb/<name>/` asks for, of which database, and the policy of its answer. */
export type SumdbRequest = { readonly database: ServedDatabase } & (
  | { readonly kind: "supported" }
  | { readonly kind: "head"; readonly policy: PolicyName }
  | { readonly kind: "lookup"; readonly policy: PolicyName; readonly module: ModuleVersion }
  | { readonly kind: "tile"; readonly policy: PolicyName; readonly path: string }
);

/** The widest tile of height 8, the only height that checksum databases serve. */
const tileHeight = 8;

/**
 * Reads `"/sumdb/sum.golang.org/lookup/github.com/!azure/x@v1.2.3"` and its siblings, of any of these databases.
 *
 * Throws `ServedError` "not-found" for any other database and path, "bad-request" for malformed module paths and tiles.
 */
export function parseSumdbRequest(routed: RoutedPath, databases: readonly ServedDatabase[]): SumdbRequest {
  const database = databases.find(({ name }) => routed.path.startsWith(`/sumdb/${name}/`));
  if (database === undefined) throw new ServedError("not-found", "this proxy does not know that checksum database");
  const path = routed.path.slice(`/sumdb/${database.name}/`.length);
  if (path === "supported") return { database, kind: "supported" };
  if (path === "latest") return { database, kind: "head", policy: "head" };
  if (path.startsWith("lookup/")) return { database, kind: "lookup", policy: "lookup", module: checkLookup(routed) };
  if (path.startsWith("tile/")) return parseTile(database, path);
  throw new ServedError("not-found", "a checksum database has lookup, tile, latest and supported");
}

/** Only canonical versions of the path's major have records: anything else need not travel to be unknown there. */
function checkLookup({ module = "", version = "" }: RoutedPath): ModuleVersion {
  if (isVersionOf(module, version)) return { path: module, version };
  throw new ServedError("bad-request", "malformed lookup: it is <module path>@<canonical version>");
}

function parseTile(database: ServedDatabase, path: string): SumdbRequest {
  try {
    const tile = parseTilePath(path);
    if (tile.h !== tileHeight) throw new ServedError("not-found", "tiles have height 8");
    const policy = database.isOurs && tile.l < 0 ? "records" : tilePolicy(tile);
    return { database, kind: "tile", policy, path };
  } catch (cause) {
    if (cause instanceof ServedError) throw cause;
    throw new ServedError("bad-request", "malformed tile path", { cause });
  }
}
