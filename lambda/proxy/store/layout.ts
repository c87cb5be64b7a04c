import { escapePath, escapeVersion } from "../../golang/module.ts";

/** The three files of a module version, by the suffix the protocol gives them. */
export type FileKind = "info" | "mod" | "zip";

/** A module version in `go`'s own spelling: `{ path: "github.com/Azure/x", version: "v1.2.3" }`. */
export interface ModuleVersion {
  readonly path: string;
  readonly version: string;
}

/** The escaped protocol path without its leading slash: `"github.com/!azure/x/@v/v1.2.3.zip"`. The key is the path. */
export function fileKey(module: ModuleVersion, kind: FileKind): string {
  return `${escapePath(module.path)}/@v/${escapeVersion(module.version)}.${kind}`;
}

/** The key of something of a checksum database, `path` as in the URL: `"sumdb/sum.golang.org/lookup/…"`. */
export function sumdbKey(name: string, path: string): string {
  return `sumdb/${name}/${path}`;
}

/** Prefix of everything that is not the module protocol: staging, bundles, preheat lists. A module path cannot start with "-". */
export const internalPrefix = "-/";

/** What a stored or composed answer is, whoever it is for: its type, and how long caches may keep it. */
export interface ObjectPolicy {
  readonly contentType: string;
  readonly cacheControl: string;
}

const immutable = "public, max-age=31536000, immutable";
const shortLived = "max-age=60, stale-while-revalidate=30, stale-if-error=86400";
const text = "text/plain; charset=utf-8";

/** PROTOCOL.md's table of bodies and headers, row for row. */
export const policies = {
  zip: { contentType: "application/zip", cacheControl: immutable },
  mod: { contentType: text, cacheControl: immutable },
  info: { contentType: "application/json", cacheControl: immutable },
  query: { contentType: "application/json", cacheControl: shortLived },
  latest: { contentType: "application/json", cacheControl: shortLived },
  list: { contentType: text, cacheControl: shortLived },
  fullTile: { contentType: "application/octet-stream", cacheControl: immutable },
  partialTile: { contentType: "application/octet-stream", cacheControl: "public, max-age=3600" },
  lookup: { contentType: text, cacheControl: "public, max-age=3600" },
  head: { contentType: text, cacheControl: "max-age=60" },
  supported: { contentType: text, cacheControl: "public, max-age=3600" },
} as const satisfies Record<string, ObjectPolicy>;

export type PolicyName = keyof typeof policies;
