import { hash } from "node:crypto";

/** A strong entity tag of these bytes: `'"2jmj7l5rSw0yVb_vlWAYkK"'`. */
export function entityTag(bytes: Uint8Array): string {
  return `"${hash("sha256", bytes, "base64url").slice(0, 22)}"`;
}

/** Whether `If-None-Match` names the entity tag (RFC 9110, 13.1.2: weak comparison, `*` matches anything). */
export function matchesTag(ifNoneMatch: string, tag: string): boolean {
  if (ifNoneMatch.trim() === "*") return true;
  return ifNoneMatch.split(",").some((candidate) => candidate.trim().replace(/^W\//, "") === tag);
}
