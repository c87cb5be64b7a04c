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
