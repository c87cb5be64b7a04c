import { hash } from "node:crypto";

/** A strong entity tag of these bytes: `'"2jmj7l5rSw0yVb_vlWAYkK"'`. */
export function entityTag(bytes: Uint8Array): string {
  return `"${hash("sha256", bytes, "base64url").slice(0, 22)}"`;
}

/**
 * Whether `If-None-Match` names the entity tag (RFC 9110, 13.1.2: weak comparison, `*` matches any). Nothing names an
 * answer without a tag: it was made for this request, so nobody can have it already.
 */
export function matchesTag(ifNoneMatch: string, tag: string | undefined): boolean {
  if (tag === undefined) return false;
  if (ifNoneMatch.trim() === "*") return true;
  return ifNoneMatch.split(",").some((candidate) => candidate.trim().replace(/^W\//, "") === tag);
}
