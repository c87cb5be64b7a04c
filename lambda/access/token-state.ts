import type { Note, TokenKeys, TokenRecord } from "./token-store.ts";

/** Everything about tokens at once. */
export interface TokenState extends TokenKeys {
  readonly tokens: readonly TokenRecord[];
}

/** Before the first token: nobody can be let in. */
export const emptyTokenState: TokenState = { keys: [], identityKeys: [], tokens: [] };

/** A place that keeps the whole state as one thing. */
export interface TokenStatePlace {
  /** Returns the state as last written, `emptyTokenState` before that; throws when it cannot be read. */
  read(): Promise<TokenState>;

  /**
   * Replaces the state by the one that `change` returns for the present one, and returns the result it returns beside.
   *
   * Atomic, and one after another even across processes: `change` may be called again when another writer was faster.
   * Nothing is written when it throws.
   */
  update<Result>(
    change: (state: TokenState) => readonly [state: TokenState, result: Result],
    note?: Note,
  ): Promise<Result>;
}
