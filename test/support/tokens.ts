import { accessValues, closingValues } from "../../lambda/access/deployed-values.ts";
import { hmac } from "../../lambda/access/hmac.ts";
import { packAccess } from "../../lambda/access/packed-settings.ts";
import { addEntry, revocationEntry } from "../../lambda/access/revocations.ts";
import type { TokenState } from "../../lambda/access/token-state.ts";
import {
  type Note,
  noTokenKeys,
  type TokenKeys,
  type TokenPage,
  type TokenRecord,
  type TokenStore,
} from "../../lambda/access/token-store.ts";
import {
  type AccessSettings,
  type KeyValues,
  readAccess,
  readText,
  readTokens,
  type TokenSettings,
} from "../../lambda/edge/access-settings.ts";
import { revokedKey } from "../../lambda/edge/revocations.ts";
import { splitPatterns } from "../../lambda/golang/module-pattern.ts";

/** A `TokenStore` in memory. */
export class MemoryTokenStore implements TokenStore {
  #keys: TokenKeys = noTokenKeys;
  readonly #tokens = new Map<string, TokenRecord>();

  get state(): TokenState {
    return { ...this.#keys, tokens: [...this.#tokens.values()] };
  }

  async readKeys(): Promise<TokenKeys> {
    return this.#keys;
  }

  async updateKeys<Result>(change: (keys: TokenKeys) => readonly [TokenKeys, Result], note?: Note): Promise<Result> {
    await note?.();
    const [keys, result] = change(this.#keys);
    this.#keys = keys;
    return result;
  }

  async find(id: string): Promise<TokenRecord | undefined> {
    return this.#tokens.get(id);
  }

  async list(limit: number, after = ""): Promise<TokenPage> {
    const rest = [...this.#tokens.values()].filter(({ id }) => id > after).sort((a, b) => (a.id < b.id ? -1 : 1));
    const items = rest.slice(0, limit);
    return rest.length > limit ? { items, next: items.at(-1)?.id } : { items };
  }

  async add(record: TokenRecord, note?: Note): Promise<void> {
    await note?.();
    this.#tokens.set(record.id, record);
  }

  async revoke(record: TokenRecord, at: number, note?: Note): Promise<void> {
    await note?.();
    this.#tokens.set(record.id, { ...record, revoked: record.revoked ?? at });
  }
}

/** Key values as the edge reads them; a text that is not among them cannot be read. */
export function keyValuesOf(values: ReadonlyMap<string, string>): KeyValues {
  return {
    access: () => readAccess(values.get("access")),
    tokens: () => readTokens(values.get("tokens")),
    text: (key) => readText(values.get(key)),
  };
}

/** All key values, with these settings and tokens. */
export function edgeValues(settings: AccessSettings, state: TokenState, now: number): Map<string, string> {
  const { tenants = {} } = settings;
  const access = {
    anonymous: settings.anonymous,
    private: splitPatterns(settings.private),
    tenants: Object.fromEntries(Object.entries(tenants).map(([name, own]) => [name, { modules: splitPatterns(own) }])),
  };
  const values = new Map([...closingValues(new Map(), access, "i".repeat(43)), ...accessValues(access)]);
  for (const [key, value] of tokenValues(state, now)) values.set(key, value);
  const { channels } = settings;
  const known = readAccess(values.get("access"));
  if (channels !== undefined && known !== undefined) values.set("access", packAccess({ ...known, channels }));
  return values;
}

/** The key values that say who was let in and who was let out again. */
function tokenValues({ keys, identityKeys, tokens }: TokenState, now: number): ReadonlyMap<string, string> {
  const settings = { keys: keys.map(({ secret }) => secret), identityKey: identityKeys[0] ?? "", revoked: "" };
  const values = new Map([["tokens", JSON.stringify(settings satisfies TokenSettings)]]);
  for (const token of tokens) {
    if (token.revoked === undefined) continue;
    const key = revokedKey(token.id);
    values.set(key, addEntry(readText(values.get(key)) ?? "", revocationEntry(token, hmac), now));
  }
  return values;
}

/** A context in which everything is open to everybody. */
export const openContext = {
  keyValues: keyValuesOf(new Map([["access", packAccess({ anonymous: "all", private: "" })]])),
  hmac: () => "",
  now: () => 0,
  blocked: () => "",
};

/** What `decide` knows when these settings and tokens have reached it. */
export function edgeContext(settings: AccessSettings, state: TokenState, now: number) {
  return { keyValues: keyValuesOf(edgeValues(settings, state, now)), hmac, now: () => now };
}

/** The id in a token, which its holder can read. */
export function idOf(token: string): string {
  const [claims = ""] = token.slice("mf_".length).split(".");
  return JSON.parse(Buffer.from(claims, "base64url").toString())[0];
}

/** The Authorization header that go sends for a token in netrc or a URL. */
export function basic(token: string, user = "gopher"): string {
  return `Basic ${Buffer.from(`${user}:${token}`).toString("base64")}`;
}
