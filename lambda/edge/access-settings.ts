// What the edge is told: two values, so that no request needs more than two reads of CloudFront's KeyValueStore, each at
// most 1 KB as that store demands. lambda/access/packed-settings.ts writes them.

export type KeyValueName = "access" | "tokens";

export interface KeyValues {
  /** Returns a value, or undefined where it cannot be read: then nobody is let in who needs to be looked at. */
  get(name: KeyValueName): string | undefined;
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
export const readAccess = remember<AccessSettings>((value) =>
  anonymousModes.indexOf(value.anonymous) >= 0 && typeof value.private === "string" ? value : undefined,
);

/** Reads the value `tokens`; undefined unless it is exactly what modfront writes. */
export const readTokens = remember<TokenSettings>((value) =>
  value.keys.every(isKey) && isKey(value.identityKey) && typeof value.revoked === "string" ? value : undefined,
);

/** Anybody could sign with an empty key. */
function isKey(key: unknown): boolean {
  return typeof key === "string" && key.length > 31;
}

/** A local server reads the same value 50,000 times a second: it is parsed again only when the text has changed. */
function remember<Settings>(check: (value: Settings) => Settings | undefined) {
  let known: string | undefined;
  let settings: Settings | undefined;
  return (text: string | undefined): Settings | undefined => {
    if (text === known) return settings;
    known = text;
    settings = undefined;
    try {
      if (text !== undefined) settings = check(JSON.parse(text));
    } catch {
      // Whatever this text is, it says nothing about who may.
    }
    return settings;
  };
}
