import { createHash } from "node:crypto";

/**
 * The one table's layout: `p` is the partition key, `s` the sort key, every other attribute a letter or two, because
 * attribute names are part of the row and a module with 10,000 versions must fit one 1 MB page of a Query.
 */
export interface RowKey {
  readonly p: string;
  readonly s: string;
}

/** The name of the attribute by which DynamoDB sweeps a row; only memories carry it, never a version or a fence. */
export const sweepAttribute = "x";

/**
 * The partition of a module: a hash of 132 bits, so that the row of a version stays short however long its path.
 *
 * `"golang.org/x/mod"` becomes `"m "` and 22 letters.
 */
export function modulePartition(path: string): string {
  return `m ${createHash("sha256").update(path).digest("base64url").slice(0, 22)}`;
}

/** Sorts before every memory and version, so that the Query of a module can begin after it. */
export const moduleSort = "m";
/** Between the memories of single files and the versions, which all begin with "v". */
export const memorySorts = { list: "u list", latest: "u latest" } as const;
/** What the Query of a module spans: list, latest and versions, and neither queries nor missing files. */
export const moduleSpan = { from: "u", to: "w" } as const;

export function leaseKey(name: string): RowKey {
  return { p: `l ${name}`, s: "lease" };
}

export function headKey(name: string): RowKey {
  return { p: `h ${name}`, s: "head" };
}

/** The key in the shape the client wants it. */
export function keyAttributes(key: RowKey): { readonly p: { readonly S: string }; readonly s: { readonly S: string } } {
  return { p: { S: key.p }, s: { S: key.s } };
}
