// What the edge is told: two values, so that no request needs more than two reads of CloudFront's KeyValueStore, each at
// most 1 KB as that store demands. lambda/access/packed-settings.ts writes them.

/** What was read of the key values; undefined where one cannot be read: then nobody is let in who needs to be looked at. */
export interface KeyValues {
  access(): AccessSettings | undefined;
  tokens(): TokenSettings | undefined;
}

export type Anonymous = "none" | "public" | "all";

/** The value `access`: what is served to whom without a token. */
export interface AccessSettings {
  readonly anonymous: Anonymous;
  /** The patterns of private modules, comma-separated in GOPRIVATE syntax. */
  readonly private: string;
}

/** The value `tokens`: what it takes to judge one. */
export interface TokenSettings {
  /** Signing keys, the newest first: two while keys rotate. */
  readonly keys: readonly string[];
  /** Signs the identity header that the edge sends on. */
  readonly identityKey: string;
  /** Ids of revoked tokens that have not expired, with a space between two. */
  readonly revoked: string;
}

const anonymousModes = ["none", "public", "all"];

/** Reads the value `access`; undefined unless it is exactly what modfront writes. */
export function readAccess(text: string | undefined): AccessSettings | undefined {
  return read<AccessSettings>(
    text,
    (value) => anonymousModes.indexOf(value.anonymous) >= 0 && typeof value.private === "string",
  );
}

/** Reads the value `tokens`; undefined unless it is exactly what modfront writes. */
export function readTokens(text: string | undefined): TokenSettings | undefined {
  return read<TokenSettings>(
    text,
    (value) => value.keys.every(isKey) && isKey(value.identityKey) && typeof value.revoked === "string",
  );
}

/** Anybody could sign with an empty key. */
function isKey(key: unknown): boolean {
  return typeof key === "string" && key.length > 31;
}

function read<Settings>(text: string | undefined, isSound: (value: Settings) => boolean): Settings | undefined {
  try {
    const value = JSON.parse(text as string);
    return isSound(value) ? value : undefined;
  } catch {
    // Whatever this text is, it says nothing about who may.
    return undefined;
  }
}
