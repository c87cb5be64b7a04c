import { accessValues, closingValues } from "../../lambda/access/deployed-values.ts";
import { hmac } from "../../lambda/access/hmac.ts";
import { packAccess, packTokens } from "../../lambda/access/packed-settings.ts";
import { emptyTokenState, type TokenState, type TokenStatePlace } from "../../lambda/access/token-state.ts";
import { WholeTokenStore } from "../../lambda/access/whole-token-store.ts";
import {
  type AccessSettings,
  type KeyValues,
  readAccess,
  readText,
  readTokens,
} from "../../lambda/edge/access-settings.ts";
import { splitPatterns } from "../../lambda/golang/module-pattern.ts";

class MemoryTokens implements TokenStatePlace {
  state = emptyTokenState;

  async read(): Promise<TokenState> {
    return this.state;
  }

  async update<Result>(
    change: (state: TokenState) => readonly [TokenState, Result],
    note?: () => Promise<void>,
  ): Promise<Result> {
    const [state, result] = change(this.state);
    await note?.();
    this.state = state;
    return result;
  }
}

/** A `TokenStore` in memory. */
export class MemoryTokenStore extends WholeTokenStore {
  readonly #tokens: MemoryTokens;

  constructor(tokens = new MemoryTokens()) {
    super(tokens);
    this.#tokens = tokens;
  }

  get state(): TokenState {
    return this.#tokens.state;
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
  return values.set("tokens", packTokens(state, now));
}

/** A context in which everything is open to everybody. */
export const openContext = {
  keyValues: keyValuesOf(new Map([["access", packAccess({ anonymous: "all", private: "" })]])),
  hmac: () => "",
  now: () => 0,
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
