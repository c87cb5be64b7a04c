import { createHash } from "node:crypto";
import type { ModuleVersion } from "../proxy/store/layout.ts";
import type { LogPlace } from "../proxy/store/log-store.ts";
import type { RulingName } from "../proxy/store/ruling-store.ts";
import type { VersionFlag } from "../proxy/store/version-index.ts";

/** A row is named by its partition key and its sort key. */
export interface RowKey {
  readonly p: string;
  readonly s: string;
}

/**
 * Every attribute of a row, by the kind of row and what it says. Most are a letter: names are part of each row, and a
 * module with 10,000 versions must fit one 1 MB page of a Query.
 */
export const attributes = {
  key: { partition: "p", sort: "s" },
  /** The second after which DynamoDB may sweep the row; never a version: memories, leases, and what ends by itself. */
  sweep: "x",
  version: { firstSeen: "t", flags: "g" },
  facts: { path: "path", origin: "o", zipSize: "b", zipHash: "z", goModHash: "m", licences: "l" },
  memory: { text: "z", freshUntil: "u" },
  lease: { fence: "f", heldUntil: "u", holder: "o", code: "c", message: "e" },
  head: { note: "n" },
  token: { subject: "u", role: "r", modules: "o", created: "c", expires: "e", key: "k", revoked: "v" },
  credential: { kind: "k", user: "u", changed: "c", request: "r", secretName: "n", removed: "v" },
  ruling: { module: "m", version: "w", reason: "r", until: "u", by: "b", at: "c", request: "q", removed: "v" },
  claim: { zip: "z", goMod: "m", info: "i" },
  logHead: { epoch: "e", role: "r", mode: "m", size: "z", root: "h" },
  logRow: { hashes: "h", text: "t" },
  logNumber: { number: "n" },
  pending: { path: "path", version: "v", zip: "z", goMod: "m" },
  /** Of a record, also while it waits. */
  proof: { number: "pn", head: "ph" },
  signedHead: { size: "z", note: "n" },
  logName: { name: "n" },
} as const;

/** Each flag of a version in the set of letters `attributes.version.flags`. */
export const flagLetters: Readonly<Record<VersionFlag, string>> = { yanked: "y", evicted: "e", published: "p" };

/** How partitions begin in the table of the index, by what their rows are about. */
export const modulePrefix = "m ";
export const leasePrefix = "l ";
export const headPrefix = "h ";

/**
 * The partition of a module: a hash of 132 bits, so that the row of a version stays short however long its path.
 *
 * `"golang.org/x/mod"` becomes `"m "` and 22 letters.
 */
export function modulePartition(path: string): string {
  return `${modulePrefix}${createHash("sha256").update(path).digest("base64url").slice(0, 22)}`;
}

/** Before every memory and version, so that the Query of a module can begin after it. */
export function factsSort(version: string): string {
  return `f ${version}`;
}

/** Between the memories of single files and the versions, which all begin with "v". */
export const memorySorts = { list: "u list", latest: "u latest" } as const;
/** What the Query of a module spans: list, latest and versions, and neither queries nor missing files. */
export const moduleSpan = { from: "u", to: "w" } as const;

export function leaseKey(name: string): RowKey {
  return { p: `${leasePrefix}${name}`, s: "lease" };
}

export function headKey(name: string): RowKey {
  return { p: `${headPrefix}${name}`, s: "head" };
}

/** The partition of the records of tokens, in the table of the index: the only rows of it that the control plane may touch. */
export const tokenPartition = "t tokens";

export function tokenKey(id: string): RowKey {
  return { p: tokenPartition, s: id };
}

/** The partition of the credentials that were set, without their secrets. */
export const credentialPartition = "k credentials";

export function credentialKey({ tenant, match }: { readonly tenant: string; readonly match: string }): RowKey {
  return { p: credentialPartition, s: `${tenant} ${match}` };
}

/** How the partitions of what is ruled about modules begin, one for each kind. */
export const rulingPrefix = "b ";

/** A hash, because paths may be longer than sort keys; the rows of a module come one after another. */
export function rulingKey({ kind, module, version }: RulingName): RowKey {
  return { p: `${rulingPrefix}${kind}`, s: `${rulingSorts(module)}${version}` };
}

/** The partition of what the edge has yet to be told of them. */
export const waitingPartition = `${rulingPrefix}waiting`;

export function waitingKey({ module, version }: Pick<RulingName, "module" | "version">): RowKey {
  return { p: waitingPartition, s: `${rulingSorts(module)}${version}` };
}

/** How the sort keys of a module begin. */
export function rulingSorts(module: string): string {
  return `${createHash("sha256").update(module).digest("base64url").slice(0, 22)} `;
}

/** How the partitions of ID tokens that were used begin, one for each, in the table of the index. */
export const usedPrefix = "j ";

export function usedKey(id: string): RowKey {
  return { p: `${usedPrefix}${id}`, s: "used" };
}

/** How the partitions of claims, and those of the log, begin, in the table of the log. */
export const claimPrefix = "c ";
export const logPrefix = "log";

export function claimKey({ path, version }: ModuleVersion): RowKey {
  return { p: claimPrefix + path, s: version };
}

/** The one row that says what the log is. */
export const logHeadKey: RowKey = { p: `${logPrefix} head`, s: "head" };

/** The partition of the records that wait: one, so that one Query has them, and a fill plane that may write no other row. */
export const pendingPartition = `${logPrefix} pending`;

/** A hash, because paths may be longer than sort keys. */
export function pendingKey({ path, version }: ModuleVersion): RowKey {
  return { p: pendingPartition, s: createHash("sha256").update(`${path}@${version}`).digest("base64url") };
}

/** The newest signed head of the log called so. */
export function signedHeadKey(name: string): RowKey {
  return { p: `${logPrefix} note`, s: name };
}

/** The name that the log with this public key was given first. */
export function logNameKey(publicKey: Uint8Array): RowKey {
  return { p: `${logPrefix} name`, s: createHash("sha256").update(publicKey).digest("hex") };
}

/** The number of a module version's record. */
export function logNumberKey({ path, version }: ModuleVersion): RowKey {
  return { p: `${logPrefix} of ${path}`, s: version };
}

/**
 * A row of the log: those of a tile are one partition, in the order of their numbers. Level 0 has the records, level k the
 * subtrees of height 8k.
 *
 * `{ level: 0, number: 515n }` becomes `{ p: "log 2", s: "003" }`, `{ level: 1, number: 3n }` `{ p: "log1 0", s: "003" }`.
 */
export function logRowKey({ level, number }: LogPlace): RowKey {
  return {
    p: `${logPrefix}${level === 0 ? "" : level} ${number >> 8n}`,
    s: String(number & 255n).padStart(3, "0"),
  };
}

/** The key in the shape the client wants it. */
export function keyAttributes(key: RowKey): { readonly p: { readonly S: string }; readonly s: { readonly S: string } } {
  return { p: { S: key.p }, s: { S: key.s } };
}
