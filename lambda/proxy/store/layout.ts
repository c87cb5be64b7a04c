import { isCodedError } from "../../golang/coded-error.ts";
import { escapePath, escapeVersion, unescapePath, unescapeVersion } from "../../golang/module.ts";
import type { Tile } from "../../golang/tile.ts";
import { isVersionOf } from "./module-version.ts";

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

/** The file of a module version whose `fileKey` this is; `undefined` for any other key. */
export function parseFileKey(key: string): { readonly module: ModuleVersion; readonly kind: FileKind } | undefined {
  const [, escapedPath, escapedVersion, kind] = /^(.+)\/@v\/([^/]+)\.(info|mod|zip)$/.exec(key) ?? [];
  if (escapedPath === undefined || escapedVersion === undefined) return undefined;
  try {
    const module = { path: unescapePath(escapedPath), version: unescapeVersion(escapedVersion) };
    return isVersionOf(module.path, module.version) ? { module, kind: kind as FileKind } : undefined;
  } catch (error) {
    if (isCodedError(error)) return undefined;
    throw error;
  }
}

/** Bytes: file systems end names there, and S3 keys. */
const longestName = 255;
const longestKey = 1024;

/** How many characters an escaped version of the module may have, so that each kind of file can have its name. */
export function longestVersion(path: string): number {
  return Math.min(longestName, longestKey - `${escapePath(path)}/@v/`.length) - ".info".length;
}

/** The key of something of a checksum database, `path` as in the URL: `"sumdb/sum.golang.org/lookup/…"`. */
export function sumdbKey(name: string, path: string): string {
  return `sumdb/${name}/${path}`;
}

/** The database and the path of a `sumdbKey`; `undefined` for any other key. */
export function parseSumdbKey(key: string): { readonly name: string; readonly path: string } | undefined {
  const [, name, path] = /^sumdb\/([^/]+)\/(.+)$/.exec(key) ?? [];
  return name === undefined || path === undefined ? undefined : { name, path };
}

/** Prefix of everything that is not the module protocol: staging, bundles, preheat lists. A module path cannot start with "-". */
export const internalPrefix = "-/";

/** Where the files of a private version wait until its record is signed; swept after a day. */
export const stagedPrefix = `${internalPrefix}staged/`;

/** Where the audit log of a deployment lies: objects that nobody may overwrite or delete. */
export const auditPrefix = `${internalPrefix}audit/`;

/** The key under which bytes with this SHA-256 (in hex) wait. */
export function stagedKey(sha256: string): string {
  return `${stagedPrefix}${sha256}`;
}

/** Where zips wait that somebody wants to publish, each under a name of chance; swept after a day. */
export const uploadPrefix = `${internalPrefix}upload/`;

/** The key of such a zip: `id` is letters, digits, `-` and `_`. */
export function uploadKey(id: string): string {
  return `${uploadPrefix}${id}`;
}

/**
 * The key of the `.info` that a published version has: made once, before anything else of it, so that whoever goes on with a
 * publication that broke off says the same of it; and by it a version is known as published.
 */
export function publishedKey(module: ModuleVersion): string {
  return `${internalPrefix}published/${fileKey(module, "info")}`;
}

/** The folder of our own log: of what is kept of it beside its table. */
export const logFolder = `${internalPrefix}log/`;

/** The key of something that is kept of our own log beside its table, `path` as in `"head/…"` and `"tile/8/0/000"`. */
export function logKey(name: string, path: string): string {
  return `${logFolder}${name}/${path}`;
}

/** What a stored or composed answer is, whoever it is for: its type, and how long caches may keep it. */
export interface ObjectPolicy {
  readonly contentType: string;
  readonly cacheControl: string;
}

const immutable = "public, max-age=31536000, immutable";
/**
 * Of private modules. CloudFront, where who may read is decided before the cache, keeps what does not say `private`; any
 * other shared cache keeps what does not say `public` from the next who asks with a token (RFC 9111 3.5).
 */
const privateImmutable = "max-age=31536000, immutable";
const shortLived = "max-age=60, stale-while-revalidate=30, stale-if-error=86400";
const text = "text/plain; charset=utf-8";

/** The table of docs/protocol.md "Bodies and headers", row for row. */
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
  /** Records of our own log, of which each is for those who may read its module. */
  records: { contentType: "application/octet-stream", cacheControl: "no-store" },
  head: { contentType: text, cacheControl: "max-age=60" },
  supported: { contentType: text, cacheControl: "public, max-age=3600" },
  /** Nobody reads it through a cache: staging, and whatever else lies under `internalPrefix`. */
  internal: { contentType: "application/octet-stream", cacheControl: "no-store" },
} as const satisfies Record<string, ObjectPolicy>;

export type PolicyName = keyof typeof policies;

/** What is different where the module is private. */
const privatePolicies: Partial<Record<PolicyName, ObjectPolicy>> = {
  zip: { ...policies.zip, cacheControl: privateImmutable },
  mod: { ...policies.mod, cacheControl: privateImmutable },
  info: { ...policies.info, cacheControl: privateImmutable },
  lookup: { ...policies.lookup, cacheControl: "max-age=3600" },
};

/** The policy of an answer about a public module, or about a private one. */
export function policyOf(name: PolicyName, isPrivate: boolean): ObjectPolicy {
  return (isPrivate ? privatePolicies[name] : undefined) ?? policies[name];
}

/** The policy of a tile: a partial one is outgrown. */
export function tilePolicy({ h, w }: Pick<Tile, "h" | "w">): "fullTile" | "partialTile" {
  return w === 2 ** h ? "fullTile" : "partialTile";
}
