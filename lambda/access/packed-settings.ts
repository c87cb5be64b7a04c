import { type AccessSettings, type KeyValues, readTokens, type TokenSettings } from "../edge/access-settings.ts";
import { CodedError } from "../golang/coded-error.ts";
import type { TokenState } from "./token-state.ts";

/** CloudFront's limit for one value, in bytes. */
const maxValue = 1024;

/**
 * Returns the key value `access`: who is served what without a token.
 *
 * Throws `CodedError` "private-too-long" when the patterns of private modules do not fit: about 980 bytes of them do.
 */
export function packAccess({ anonymous, private: patterns }: AccessSettings): string {
  const value = JSON.stringify({ anonymous, private: patterns });
  if (Buffer.byteLength(value) > maxValue) {
    throw new CodedError("private-too-long", "the patterns of private modules must fit 980 bytes: use wider ones");
  }
  return value;
}

/**
 * Returns the key value `tokens`: the signing keys and the revoked tokens that have neither expired nor lost their key.
 *
 * Throws `CodedError` "revocations-full" when they do not fit: 121 of them do beside two keys. Rotating the keys without
 * keeping the old one ends all tokens at once, and makes room.
 */
export function packTokens(state: TokenState, now: number): string {
  const revoked = dropEnded(state, now).tokens.filter((token) => token.revoked !== undefined);
  const settings: TokenSettings = {
    keys: state.keys.map((key) => key.secret),
    identityKey: state.identityKeys[0] ?? "",
    revoked: revoked.map((token) => token.id).join(" "),
  };
  const value = JSON.stringify(settings);
  if (Buffer.byteLength(value) > maxValue) {
    throw new CodedError("revocations-full", "too many revoked tokens: rotate the key and issue new tokens instead");
  }
  return value;
}

/**
 * Returns the key values as a deployment writes them, `present` being the value `tokens` that is there: signing keys and
 * revocations are those of whoever makes tokens, and stay as they are.
 *
 * Throws `CodedError` "private-too-long" as `packAccess` does.
 */
export function packDeployment(
  present: string | undefined,
  access: AccessSettings,
  identityKey: string,
): Readonly<Record<keyof KeyValues, string>> {
  const { keys, revoked } = readTokens(present) ?? { keys: [], revoked: "" };
  const tokens: TokenSettings = { keys, identityKey, revoked };
  return { access: packAccess(access), tokens: JSON.stringify(tokens) };
}

/** Returns the state without the tokens that ended by themselves: expired, or signed with a key that is gone. */
export function dropEnded(state: TokenState, now: number): TokenState {
  const keys = new Set(state.keys.map((key) => key.id));
  return { ...state, tokens: state.tokens.filter((token) => now < token.expires && keys.has(token.key)) };
}
