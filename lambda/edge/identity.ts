import type { Hmac } from "./hmac.ts";
import { formatClaims, type Identity, isSigned, parseSigned } from "./token.ts";

/** The header in which the edge tells the Lambdas who asks. It is signed, short-lived, and never logged. */
export const identityHeader = "x-modfront-identity";

const lifetime = 60;

/** Keeps these signatures apart from those of tokens, should both ever be made with one key. */
const purpose = "identity ";

/** Returns the header's value: the identity, an end 60 s from now, and their HMAC. */
export function signIdentity(identity: Identity, key: string, now: number, hmac: Hmac): string {
  const text = formatClaims(identity, now + lifetime);
  return `${text}.${hmac(key, purpose + text)}`;
}

/** Returns who asks, anonymous included, or undefined: then the request did not come through the edge just now. */
export function verifyIdentity(
  header: string | readonly string[] | undefined,
  keys: readonly string[],
  now: number,
  hmac: Hmac,
): Identity | undefined {
  if (typeof header !== "string") return undefined;
  const dot = header.lastIndexOf(".");
  const text = header.slice(0, Math.max(dot, 0));
  if (dot < 0 || !isSigned(purpose + text, header.slice(dot + 1), keys, hmac)) return undefined;
  const claims = parseSigned(text);
  return claims !== undefined && now < claims.expires ? claims : undefined;
}
