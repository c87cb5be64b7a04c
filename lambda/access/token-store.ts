import type { Role } from "../edge/token.ts";

/** What is remembered of a token: enough to list and revoke it, never the token itself. */
export interface TokenRecord {
  readonly id: string;
  readonly subject: string;
  readonly role: Role;
  /** Comma-separated patterns in GOPRIVATE syntax, and `@name` for those of a tenant. */
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

/** Whoever reads them can make any token. */
export interface TokenKeys {
  /** The newest first; it signs. Older ones only verify. */
  readonly keys: readonly SigningKey[];
  /** Sign the identity header of the edge, the newest first; apart from `keys`, so that a Lambda cannot make tokens. */
  readonly identityKeys: readonly string[];
}

/** Before the first token: nobody can be let in. */
export const noTokenKeys: TokenKeys = { keys: [], identityKeys: [] };

export interface TokenPage {
  readonly items: readonly TokenRecord[];
  /** Where the next page begins; absent on the last one. A page may be short, or even empty, and not be the last. */
  readonly next?: string | undefined;
}

/**
 * Writes down that something changes. It is called before the change takes effect, and when it rejects, the change does
 * not happen. On one machine what it writes into the same database is kept or lost with the change; deployed, where two
 * services are written, what it wrote may stand alone after a crash, and the change never without it.
 */
export type Note<Subject = void> = (subject: Subject) => Promise<void>;

/** Where tokens are kept. After a change has returned, every edge must act by it within seconds. */
export interface TokenStore {
  /** Returns the keys as last written, `noTokenKeys` before that; throws when they cannot be read. */
  readKeys(): Promise<TokenKeys>;

  /**
   * Replaces the keys by those that `change` returns for the present ones, and returns the result it returns beside.
   *
   * Atomic, and one after another even across processes: `change` may be called again when another writer was faster.
   * Nothing is written when it throws.
   */
  updateKeys<Result>(
    change: (keys: TokenKeys) => readonly [keys: TokenKeys, result: Result],
    note?: Note,
  ): Promise<Result>;

  /** Returns the record with this id, unless there is none or it was swept after its end. */
  find(id: string): Promise<TokenRecord | undefined>;

  /**
   * Returns at most `limit` records in the order of their ids, which begin with the time; `after` is the `next` of the
   * page before. What ended by itself may still be among them.
   */
  list(limit: number, after?: string): Promise<TokenPage>;

  /** Remembers a new token. Throws `CodedError` "token-exists" when there is one with its id. */
  add(record: TokenRecord, note?: Note): Promise<void>;

  /**
   * Revokes the token of this record, which `find` returned, at this second. Revoking it again changes nothing.
   *
   * Throws `CodedError` "revocations-full" when the edge can be told of no more.
   */
  revoke(record: TokenRecord, at: number, note?: Note): Promise<void>;
}
