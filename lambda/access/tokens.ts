import { hash, randomBytes, randomInt } from "node:crypto";
import type { Role } from "../edge/token.ts";
import { formatClaims } from "../edge/token.ts";
import { CodedError } from "../golang/coded-error.ts";
import { faultOfPatterns, splitAllPatterns } from "../golang/module-pattern.ts";
import { hmac } from "./hmac.ts";
import { faultOfTenantNames, isModulePattern } from "./tenants.ts";
import type { Note, SigningKey, TokenKeys, TokenPage, TokenRecord, TokenStore } from "./token-store.ts";

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

/** What else is known where a token is made. */
export interface TokenMaking {
  /** The names of the tenants: patterns can be theirs, as `@name`. */
  readonly tenants?: readonly string[] | undefined;
  readonly note?: Note<TokenRecord> | undefined;
}

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
  { tenants = [], note }: TokenMaking = {},
): Promise<{ readonly token: string; readonly record: TokenRecord }> {
  const days = checkDays(request.days);
  const { record, key } = await drawUp(() => signingKey(store), request, { now, expires: now + days * day, tenants });
  await store.add(record, note && (() => note(record)));
  return { token: signToken(record, key.secret), record };
}

/** What a token is made for that ends soon, of which no record is kept. */
export interface ShortTokenRequest extends Omit<TokenRequest, "days"> {
  readonly minutes: number;
}

/**
 * Makes a token that nothing remembers but what `note` writes down of it, before there is one: it cannot be listed, and
 * ends by itself or with its key. Throws as `createToken` does.
 */
export async function issueToken(
  key: () => Promise<SigningKey>,
  request: ShortTokenRequest,
  now: number,
  { tenants = [], note }: TokenMaking = {},
): Promise<{ readonly token: string; readonly record: TokenRecord }> {
  const { record, key: signing } = await drawUp(key, request, { now, expires: now + request.minutes * 60, tenants });
  await note?.(record);
  return { token: signToken(record, signing.secret), record };
}

async function drawUp(
  readKey: () => Promise<SigningKey>,
  request: Pick<TokenRequest, "subject" | "role" | "modules">,
  { now, expires, tenants }: { readonly now: number; readonly expires: number; readonly tenants: readonly string[] },
): Promise<{ readonly record: TokenRecord; readonly key: SigningKey }> {
  const role = checkRole(request.role);
  const subject = checkText("subject", request.subject, 1, 100);
  const modules = checkPatterns(request.modules ?? (role === "admin" ? "*" : ""), tenants);
  const key = await readKey();
  return { record: { id: newId(now), subject, role, modules, created: now, expires, key: key.id }, key };
}

/** Returns the key that signs now; the first token makes it. */
export async function signingKey(store: Pick<TokenStore, "readKeys" | "updateKeys">): Promise<SigningKey> {
  const [key] = (await store.readKeys()).keys;
  return key ?? (await store.updateKeys(firstKey));
}

function firstKey(present: TokenKeys): readonly [TokenKeys, SigningKey] {
  const keys = present.keys.length > 0 ? present : newKeys(present.identityKeys);
  return [keys, keys.keys[0] as SigningKey];
}

/** Returns a page of the tokens that have not ended by themselves, revoked ones included. */
export async function listTokens(
  store: TokenStore,
  now: number,
  { limit = 100, after }: { readonly limit?: number; readonly after?: string | undefined } = {},
): Promise<TokenPage> {
  const { keys } = await store.readKeys();
  const { items, ...rest } = await store.list(limit, after);
  return { ...rest, items: items.filter((token) => isLiving(token, keys, now)) };
}

/**
 * Revokes the token with this id; every edge refuses it within seconds. Revoking it again changes nothing.
 *
 * Throws `CodedError` "no-such-token", or "revocations-full" when too many are revoked and none has expired; and what
 * `check` throws of the token, before anything changes.
 */
export async function revokeToken(
  store: TokenStore,
  id: string,
  now: number,
  { check, note }: { readonly check?: (record: TokenRecord) => void; readonly note?: Note<TokenRecord> } = {},
): Promise<void> {
  const { keys } = await store.readKeys();
  const record = await store.find(id);
  if (record === undefined || !isLiving(record, keys, now)) {
    throw new CodedError("no-such-token", "no token has this id, or it has ended: modfront token list shows them");
  }
  check?.(record);
  await store.revoke(record, now, note && (() => note(record)));
}

/**
 * Signs with a new key from now on. The previous one still verifies, so tokens go on until the next rotation; with
 * `dropOld` it does not, and every token issued so far ends: what to do when a key may have leaked. Returns the id of the
 * new key.
 */
export async function rotateKey(
  store: TokenStore,
  { dropOld, note }: { readonly dropOld: boolean; readonly note?: Note },
): Promise<string> {
  const keep = dropOld ? 0 : 1;
  return await store.updateKeys(({ keys, identityKeys }) => {
    const key = newKey();
    const next = { keys: [key, ...keys.slice(0, keep)], identityKeys: [newSecret(), ...identityKeys.slice(0, keep)] };
    return [next, key.id];
  }, note);
}

/** False for a token that ended by itself: expired, or signed with a key that is gone. */
function isLiving(token: TokenRecord, keys: readonly SigningKey[], now: number): boolean {
  return now < token.expires && keys.some(({ id }) => id === token.key);
}

function signToken(record: TokenRecord, secret: string): string {
  const claims = Buffer.from(formatClaims(record, record.expires)).toString("base64url");
  return `mf_${claims}.${hmac(secret, `mf_${claims}`)}`;
}

/** Returns the keys with which the first token is made. Where an edge is at work already, its identity key goes on. */
export function newKeys(identityKeys: readonly string[] = []): TokenKeys {
  return { keys: [newKey()], identityKeys: identityKeys.length > 0 ? identityKeys : [newSecret()] };
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

/** 16 characters: the second, in 7 digits to the base 36 so that ids sort by it, and 46 random bits. */
function newId(now: number): string {
  const random = randomInt(36 ** 8, 36 ** 9);
  return now.toString(36).padStart(7, "0") + random.toString(36);
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
function checkPatterns(text: string, tenants: readonly string[]): string {
  const patterns = splitAllPatterns(checkText("modules", text, 0, 500));
  const fault = faultOfTenantNames(patterns, tenants) ?? faultOfPatterns(patterns.filter(isModulePattern));
  if (fault !== undefined) throw new CodedError("bad-token-request", `modules: ${fault}`);
  return patterns.join(",");
}

function checkDays(days: number): number {
  if (Number.isInteger(days) && days >= 1 && days <= 3650) return days;
  throw new CodedError("bad-token-request", "days: a whole number from 1 to 3650 is expected");
}
