import type { TokenState } from "../../access/token-state.ts";
import { CodedError } from "../../golang/coded-error.ts";

/**
 * Reads the text of the file in which earlier versions kept tokens. Throws `CodedError` "tokens-unreadable" unless it has
 * the three parts of a `TokenState`.
 */
export function parseTokenFile(text: string): TokenState {
  const state = parseJson(text);
  if (Array.isArray(state?.keys) && Array.isArray(state.identityKeys) && Array.isArray(state.tokens)) return state;
  throw new CodedError("tokens-unreadable", "the file of tokens is damaged: restore it, or delete it to start anew");
}

function parseJson(text: string): TokenState | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
