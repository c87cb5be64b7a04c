import { createHash, type Hash } from "node:crypto";

/** The hash by which a repository names its objects. */
export type ObjectFormat = "sha1" | "sha256";

/** An object's name: 40 lower-case hex digits in a SHA-1 repository, 64 in a SHA-256 one. */
export type ObjectId = string;

/** Bytes of an id. */
export const idBytes: Readonly<Record<ObjectFormat, number>> = { sha1: 20, sha256: 32 };

/** True for a whole id, in lower case. */
export function isObjectId(text: string, format: ObjectFormat): boolean {
  return text.length === 2 * idBytes[format] && /^[0-9a-f]+$/.test(text);
}

/** What an object is, as packfiles number them. */
export const objectTypes = { commit: 1, tree: 2, blob: 3, tag: 4 } as const;

const typeNames: readonly string[] = ["", "commit", "tree", "blob", "tag"];

/** A hash that has taken in what stands before an object's bytes: its type and size. */
export function objectHash(format: ObjectFormat, type: number, size: number): Hash {
  return createHash(format).update(`${typeNames[type]} ${size}\0`);
}
