import type { KeyValues } from "./access-settings.ts";
import { decodeBase64 } from "./base64.ts";
import type { Hmac } from "./hmac.ts";
import { isRevoked, revokedKey } from "./revocations.ts";

export type Role = "viewer" | "publisher" | "operator" | "admin";

/** Who asks: the holder of a token, or `anonymous` with an empty id. */
export interface Identity {
  /** The token's id, which may be logged and is what is revoked. */
  readonly id: string;
  readonly role: Role | "anonymous";
  /** Whom the token was made for; printable ASCII. */
  readonly subject: string;
  /** Which private modules it opens: comma-separated patterns in GOPRIVATE syntax, `@name` for a tenant's; printable ASCII. */
  readonly modules: string;
  /** Why an anonymous one who showed credentials is nobody else. */
  readonly fault?: NoIdentity | undefined;
}

/** Why credentials make nobody known: they are no good token, or tokens cannot be checked at the moment. */
export type NoIdentity = TokenFault | "unchecked";

/** What a token says. */
export interface Claims extends Identity {
  readonly role: Role;
  /** Unix seconds from which on it is refused. */
  readonly expires: number;
}

/** Why a token is refused. Only the holder of a genuine one learns that it is expired or revoked. */
export type TokenFault = "malformed" | "unsigned" | "expired" | "revoked";

/** Returns who is nobody in particular, maybe in spite of having shown something. */
export function nobody(fault?: NoIdentity): Identity {
  return { id: "", role: "anonymous", subject: "", modules: "", fault };
}

export const anonymous = nobody();

/** Bounds what is decoded and hashed for someone unknown; the longest token that can be made is shorter. */
const maxCredentials = 2048;

/**
 * Returns the token in an Authorization header: a Bearer token, or the password of Basic credentials with any user name.
 * Undefined for everything else, also for a header that came twice.
 */
export function readCredentials(header: string | readonly string[] | undefined): string | undefined {
  if (typeof header !== "string" || header.length > maxCredentials) return undefined;
  const match = /^(basic|bearer) +([\w.+/=-]+)$/i.exec(header);
  if (!match) return undefined;
  const credentials = match[2] as string;
  if ((match[1] as string).length === 6) return credentials;
  const pair = /^[^:]*:(.*)$/.exec(decodeBase64(credentials) || "");
  return pair ? pair[1] : undefined;
}

/**
 * Returns the claims of a token, or why it is refused; "unchecked" when what it takes to tell cannot be read.
 *
 * A token is `mf_`, the claims as base64url of a JSON array, `.` and the HMAC of all before the `.`. The claims are
 * attacker-controlled, so they are not even decoded before the signature is verified.
 */
export function verifyToken(token: string, keyValues: KeyValues, now: number, hmac: Hmac): Claims | NoIdentity {
  const settings = keyValues.tokens();
  if (!settings) return "unchecked";
  const match = /^(mf_([\w-]+))\.([\w-]{43})$/.exec(token);
  if (!match) return "malformed";
  if (!isSigned(match[1] as string, match[3] as string, settings.keys, hmac)) return "unsigned";
  const claims = parseClaims(decodeBase64(match[2] as string));
  if (!claims) return "malformed";
  if (now >= claims.expires) return "expired";
  if (` ${settings.revoked} `.indexOf(` ${claims.id} `) >= 0) return "revoked";
  const revoked = keyValues.text(revokedKey(claims.id));
  if (revoked === undefined) return "unchecked";
  return isRevoked(revoked, claims.id, hmac) ? "revoked" : claims;
}

/** Returns an identity and its end as the text that is signed: a JSON array, to which later claims are appended. */
export function formatClaims(identity: Identity, expires: number): string {
  const claims = [identity.id, identity.role, expires, identity.subject, identity.modules];
  return JSON.stringify(identity.fault === undefined ? claims : claims.concat(identity.fault));
}

const roles = ["viewer", "publisher", "operator", "admin"];

function parseClaims(text: string | undefined): Claims | undefined {
  const claims = parseSigned(text);
  return claims && roles.indexOf(claims.role) >= 0 ? (claims as Claims) : undefined;
}

/** Reads what `formatClaims` wrote; undefined for anything else. */
export function parseSigned(text: string | undefined): (Identity & { readonly expires: number }) | undefined {
  try {
    const fields = JSON.parse(text as string);
    if (typeof fields[2] !== "number") return undefined;
    return {
      id: `${fields[0]}`,
      role: fields[1],
      expires: fields[2],
      subject: `${fields[3]}`,
      modules: `${fields[4]}`,
      fault: fields[5],
    };
  } catch {
    return undefined;
  }
}

/** True when the signature is one of these keys'. Every key is tried, and every character compared, whatever came before. */
export function isSigned(message: string, signature: string, keys: readonly string[], hmac: Hmac): boolean {
  let found = false;
  for (let k = 0; k < keys.length; k++) {
    const expected = hmac(keys[k] as string, message);
    let difference = expected.length ^ signature.length;
    for (let i = 0; i < expected.length; i++) difference |= expected.charCodeAt(i) ^ signature.charCodeAt(i);
    if (difference === 0) found = true;
  }
  return found;
}
