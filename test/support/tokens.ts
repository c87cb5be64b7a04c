import { hmac } from "../../lambda/access/hmac.ts";
import { packAccess, packTokens } from "../../lambda/access/packed-settings.ts";
import type { TokenState, TokenStore } from "../../lambda/access/token-store.ts";
import { emptyTokenState } from "../../lambda/access/token-store.ts";
import type { AccessSettings, KeyValues } from "../../lambda/edge/access-settings.ts";

/** A `TokenStore` in memory. */
export class MemoryTokenStore implements TokenStore {
  state: TokenState = emptyTokenState;

  async read(): Promise<TokenState> {
    return this.state;
  }

  async update<Result>(change: (state: TokenState) => readonly [TokenState, Result]): Promise<Result> {
    const [state, result] = change(this.state);
    this.state = state;
    return result;
  }
}

/** What `decide` knows when these settings and tokens have reached it. */
export function edgeContext(settings: AccessSettings, state: TokenState, now: number) {
  const values = { access: packAccess(settings), tokens: packTokens(state, now) };
  const keyValues: KeyValues = { get: (name) => values[name] };
  return { keyValues, hmac, now: () => now };
}

/** The Authorization header that go sends for a token in netrc or a URL. */
export function basic(token: string, user = "gopher"): string {
  return `Basic ${Buffer.from(`${user}:${token}`).toString("base64")}`;
}
