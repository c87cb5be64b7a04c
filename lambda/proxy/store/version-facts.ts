const origins = ["upstream", "git", "published", "import"] as const;

/** Where a version came from. */
export type Origin = (typeof origins)[number];

/** What is known of a version's files; each is known when the file that tells it is stored. */
export interface VersionFacts {
  readonly origin?: Origin | undefined;
  /** Bytes of the zip. */
  readonly zipSize?: number | undefined;
  /** `"h1:…"` of the zip's files and of go.mod (x/mod dirhash). */
  readonly zipHash?: string | undefined;
  readonly goModHash?: string | undefined;
  /** SPDX identifiers of the licences found in the zip; empty: none was found. */
  readonly licences?: readonly string[] | undefined;
}

/** The origin of this name; `undefined` for what a later version may have written. */
export function parseOrigin(name: string | undefined | null): Origin | undefined {
  return origins.find((origin) => origin === name);
}

/** The facts that are there, or `undefined` where there are none. */
export function knownFacts(facts: VersionFacts): VersionFacts | undefined {
  const known = Object.entries(facts).filter(([, fact]) => fact !== undefined);
  return known.length === 0 ? undefined : Object.fromEntries(known);
}
