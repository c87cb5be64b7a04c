import type { Role } from "../edge/token.ts";

/** What is remembered of a token: enough to list and revoke it, never the token itself. */
export interface TokenRecord {
  readonly id: string;
  readonly subject: string;
  readonly role: Role;
  /** Comma-separated patterns in GOPRIVATE syntax. */
  readonly modules: string;
  /** Unix seconds. */
  readonly created: number;
  readonly expires: number;
  /** The id of the signing key: the token ends with its key. */
  readonly key: string;
  /** Unix seconds of its revocation. */
  readonly revoked?: number | undefined;
}

export interface SigningKey {
  readonly id: string;
  readonly secret: string;
}

/** Everything about tokens. It holds the signing keys: whoever reads it can make any token. */
export interface TokenState {
  /** The newest first; it signs. Older ones only verify. */
  readonly keys: readonly SigningKey[];
  /** Sign the identity header of the edge, the newest first; apart from `keys`, so that a Lambda cannot make tokens. */
  readonly identityKeys: readonly string[];
  readonly tokens: readonly TokenRecord[];
}

/** Before the first token: nobody can be let in. */
export const emptyTokenState: TokenState = { keys: [], identityKeys: [], tokens: [] };

/**
 * Where the state of tokens is kept. After `update` has returned, every edge must act by the new state within seconds.
 */
export interface TokenStore {
  /** Returns the state as last written, `emptyTokenState` before that; throws when it cannot be read. */
  read(): Promise<TokenState>;

  /**
   * Replaces the state by the one that `change` returns for the present one, and returns the result it returns beside.
   *
   * Atomic, and one after another even across processes: `change` may be called again when another writer was faster.
   * Nothing is written when it throws.
   */
  update<Result>(change: (state: TokenState) => readonly [state: TokenState, result: Result]): Promise<Result>;
}
