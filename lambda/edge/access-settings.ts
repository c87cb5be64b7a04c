// What the edge is told: values of at most 1 KB each, as CloudFront's KeyValueStore demands. A request that needs no
// token needs four of them, any other seven at most, and one more where very many versions of a module are blocked;
// lambda/access/packed-settings.ts writes them. Beside the two of this
// file there are texts behind a "=":
//
// - `p 0` to `p 255`: patterns of private modules, by the first two elements of their paths; `access` has the others
// - `r 0` to `r 1023`: which tokens are revoked, by their ids (revocations.ts)
// - `b 0` to `b 2047`: what is blocked, by the paths of modules (blocks.ts)
// - `t <name>`: the patterns of a tenant

/** What was read of the key values; undefined where one cannot be read: then nobody is let in who needs to be looked at. */
export interface KeyValues {
  access(): AccessSettings | undefined;
  tokens(): TokenSettings | undefined;
  /** The text of another key, without its "=". */
  readonly text: (key: string) => string | undefined;
}

export type Anonymous = "none" | "public" | "all";

/** The value `access`: what is served to whom without a token. Behind the edge, all that is known of who may what. */
export interface AccessSettings {
  readonly anonymous: Anonymous;
  /** The patterns of private modules, comma-separated in GOPRIVATE syntax; at the edge those that no `p` has. */
  readonly private: string;
  /** The channels, where there are any; behind the edge, which has decided, nobody asks. */
  readonly channels?: readonly ChannelRow[] | undefined;
  /** The patterns of each tenant, likewise, behind the edge. */
  readonly tenants?: Readonly<Record<string, string>> | undefined;
}

/**
 * A channel as the value `access` has it: `["/~canary", "6N9b", "x-canary", "yes", [["/go.dev/v1/", "/corp.example/v1/"]],
 * "canary"]`. lambda/proxy/channels writes it.
 *
 * `below`: its share are the token holders whose points sort below it, but for those of the rows before; empty for no share.
 * `header`: in small letters, empty for none, and then `value` is null. `rewrites`: beginnings of escaped paths, and what stands in their place, one after
 * the other. `channel`: its name, or empty for the default, which one that was rolled back is; `since`: since when, in Unix
 * seconds.
 */
export type ChannelRow = readonly [
  named: string,
  below: string,
  header: string,
  value: string | null,
  rewrites: readonly (readonly [from: string, to: string])[],
  channel: string,
  since?: number,
];

/** The value `tokens`: what it takes to judge one. */
export interface TokenSettings {
  /** Signing keys, the newest first: two while keys rotate. */
  readonly keys: readonly string[];
  /** Signs the identity header that the edge sends on. */
  readonly identityKey: string;
  /** Ids of revoked tokens that no `r` has, with a space between two: those that an earlier version revoked. */
  readonly revoked: string;
  /** That the records of tokens are in the table: an earlier version, which keeps them in the store, does not write it. */
  readonly records?: "table";
}

/** How many keys there are of each kind, all of them from the start: a read that fails is never "there is none". */
export const privateShards = 256;
export const revokedShards = 1024;
export const blockShards = 2048;

/** The key with the patterns that begin with these two elements, undefined for a path of one. */
export function privateKey(path: string): string | undefined {
  const two = /^[^/]+\/[^/]+/.exec(path);
  return two ? `p ${shardOf(two[0], privateShards)}` : undefined;
}

export function tenantKey(name: string): string {
  return `t ${name}`;
}

/** Spreads short texts over so many places. Who chooses them can fill one, which costs nobody but themselves. */
export function shardOf(text: string, count: number): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (hash * 31 + text.charCodeAt(i)) % 65_521;
  return hash % count;
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

/** Reads any other value; undefined unless it begins as modfront writes it. */
export function readText(text: string | undefined): string | undefined {
  return text && text[0] === "=" ? text.slice(1) : undefined;
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
