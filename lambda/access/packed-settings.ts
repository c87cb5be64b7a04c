import type { AccessSettings, TokenSettings } from "../edge/access-settings.ts";
import { CodedError } from "../golang/coded-error.ts";
import { isValue } from "./private-texts.ts";
import type { TokenState } from "./token-state.ts";

/**
 * Returns the key value `access`: who is served what without a token.
 *
 * Of private modules it has the patterns that `layOutPrivate` finds no other place for. Throws `CodedError`
 * "private-full" when they do not fit: about 980 bytes of them do.
 */
export function packAccess({ anonymous, private: patterns }: AccessSettings): string {
  const value = JSON.stringify({ anonymous, private: patterns });
  if (!isValue(value)) {
    throw new CodedError(
      "private-full",
      "private: patterns of one element, and those with a glob in the first two, must fit 980 bytes together: use wider ones",
    );
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
  if (!isValue(value)) {
    throw new CodedError("revocations-full", "too many revoked tokens: rotate the key and issue new tokens instead");
  }
  return value;
}

/** Returns the state without the tokens that ended by themselves: expired, or signed with a key that is gone. */
export function dropEnded(state: TokenState, now: number): TokenState {
  const keys = new Set(state.keys.map((key) => key.id));
  return { ...state, tokens: state.tokens.filter((token) => now < token.expires && keys.has(token.key)) };
}
