import { hash, randomBytes, randomInt } from "node:crypto";
import type { Role } from "../edge/token.ts";
import { formatClaims } from "../edge/token.ts";
import { CodedError } from "../golang/coded-error.ts";
import { faultOfPatterns, splitAllPatterns } from "../golang/module-pattern.ts";
import { hmac } from "./hmac.ts";
import { dropEnded, packTokens } from "./packed-settings.ts";
import type { SigningKey, TokenRecord, TokenState, TokenStore } from "./token-store.ts";

export interface TokenRequest {
  /** Whom the token is for: printable ASCII, at most 100 characters. */
  readonly subject: string;
  readonly role: string;
  /** Comma-separated patterns in GOPRIVATE syntax, at most 500 characters; default: everything for admin, else nothing. */
  readonly modules?: string | undefined;
  /** For how long, 1 to 3,650. */
  readonly days: number;
}

const day = 86_400;

/**
 * Makes a token and returns it with what is remembered of it. This is the only time the token exists outside its
 * holder's hands.
 *
 * Throws `CodedError` "bad-token-request" when the request is out of bounds.
 */
export async function createToken(
  store: TokenStore,
  request: TokenRequest,
  now: number,
): Promise<{ readonly token: string; readonly record: TokenRecord }> {
  const role = checkRole(request.role);
  const subject = checkText("subject", request.subject, 1, 100);
  const modules = checkPatterns(request.modules ?? (role === "admin" ? "*" : ""));
  const days = checkDays(request.days);
  return store.update((present) => {
    const state = dropEnded(present.keys.length > 0 ? present : newState(present.identityKeys), now);
    const key = state.keys[0] as SigningKey;
    const id = unusedId(state);
    const record = { id, subject, role, modules, created: now, expires: now + days * day, key: key.id };
    const token = signToken(record, key.secret);
    return [
      { ...state, tokens: [...state.tokens, record] },
      { token, record },
    ];
  });
}

/** Returns the tokens that have not ended by themselves, oldest first, revoked ones included. */
export async function listTokens(store: TokenStore, now: number): Promise<readonly TokenRecord[]> {
  return dropEnded(await store.read(), now).tokens;
}

/**
 * Revokes the token with this id; every edge refuses it within seconds. Revoking it again changes nothing.
 *
 * Throws `CodedError` "no-such-token", or "revocations-full" when too many are revoked and none has expired.
 */
export async function revokeToken(store: TokenStore, id: string, now: number): Promise<void> {
  await store.update((present) => {
    const kept = dropEnded(present, now);
    if (!kept.tokens.some((token) => token.id === id)) {
      throw new CodedError("no-such-token", "no token has this id, or it has ended: modfront token list shows them");
    }
    const revoke = (token: TokenRecord) => (token.id === id ? { ...token, revoked: token.revoked ?? now } : token);
    const state = { ...kept, tokens: kept.tokens.map(revoke) };
    packTokens(state, now);
    return [state, undefined];
  });
}

/**
 * Signs with a new key from now on. The previous one still verifies, so tokens go on until the next rotation; with
 * `dropOld` it does not, and every token issued so far ends: what to do when a key may have leaked.
 */
export async function rotateKey(store: TokenStore, options: { readonly dropOld: boolean }, now: number): Promise<void> {
  await store.update((present) => {
    const keep = options.dropOld ? 0 : 1;
    const state = {
      ...present,
      keys: [newKey(), ...present.keys.slice(0, keep)],
      identityKeys: [newSecret(), ...present.identityKeys.slice(0, keep)],
    };
    return [dropEnded(state, now), undefined];
  });
}

function signToken(record: TokenRecord, secret: string): string {
  const claims = Buffer.from(formatClaims(record, record.expires)).toString("base64url");
  return `mf_${claims}.${hmac(secret, `mf_${claims}`)}`;
}

/** Returns the state in which the first token is made. Where an edge is at work already, its identity key goes on. */
export function newState(identityKeys: readonly string[] = []): TokenState {
  return { keys: [newKey()], identityKeys: identityKeys.length > 0 ? identityKeys : [newSecret()], tokens: [] };
}

function newKey(): SigningKey {
  const secret = newSecret();
  return { id: keyId(secret), secret };
}

/** Returns the id of a signing key, which can be told without telling the key: `"3f9a1c"`. */
export function keyId(secret: string): string {
  return hash("sha256", secret).slice(0, 6);
}

function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** Short, because each revoked one takes its length in the edge's key value; unique among the living. */
function unusedId(state: TokenState): string {
  for (;;) {
    const id = randomInt(36 ** 6)
      .toString(36)
      .padStart(6, "0");
    if (!state.tokens.some((token) => token.id === id)) return id;
  }
}

const roles: readonly Role[] = ["viewer", "publisher", "operator", "admin"];

function checkRole(text: string): Role {
  const role = roles.find((each) => each === text);
  if (role === undefined) throw new CodedError("bad-token-request", `the role is one of ${roles.join(", ")}`);
  return role;
}

function checkText(name: string, text: string, min: number, max: number): string {
  if (/^[\x20-\x7e]*$/.test(text) && text.length >= min && text.length <= max) return text;
  throw new CodedError("bad-token-request", `${name}: ${min} to ${max} printable ASCII characters are expected`);
}

/** Patterns as the edge reads them: without blanks, and each one able to match. */
function checkPatterns(text: string): string {
  const patterns = splitAllPatterns(checkText("modules", text, 0, 500));
  const fault = faultOfPatterns(patterns);
  if (fault !== undefined) throw new CodedError("bad-token-request", `modules: ${fault}`);
  return patterns.join(",");
}

function checkDays(days: number): number {
  if (Number.isInteger(days) && days >= 1 && days <= 3650) return days;
  throw new CodedError("bad-token-request", "days: a whole number from 1 to 3650 is expected");
}
