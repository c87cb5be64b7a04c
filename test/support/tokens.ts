import { hmac } from "../../lambda/access/hmac.ts";
import { packAccess, packTokens } from "../../lambda/access/packed-settings.ts";
import { emptyTokenState, type TokenState, type TokenStatePlace } from "../../lambda/access/token-state.ts";
import { WholeTokenStore } from "../../lambda/access/whole-token-store.ts";
import { type AccessSettings, type KeyValues, readAccess, readTokens } from "../../lambda/edge/access-settings.ts";

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

/** Key values as the edge reads them. */
export function keyValuesOf(values: { readonly access?: string; readonly tokens?: string }): KeyValues {
  return { access: () => readAccess(values.access), tokens: () => readTokens(values.tokens) };
}

/** A context in which everything is open to everybody. */
export const openContext = {
  keyValues: keyValuesOf({ access: packAccess({ anonymous: "all", private: "" }) }),
  hmac: () => "",
  now: () => 0,
};

/** What `decide` knows when these settings and tokens have reached it. */
export function edgeContext(settings: AccessSettings, state: TokenState, now: number) {
  const values = { access: packAccess(settings), tokens: packTokens(state, now) };
  return { keyValues: keyValuesOf(values), hmac, now: () => now };
}

/** The Authorization header that go sends for a token in netrc or a URL. */
export function basic(token: string, user = "gopher"): string {
  return `Basic ${Buffer.from(`${user}:${token}`).toString("base64")}`;
}
