import { CodedError } from "../golang/coded-error.ts";
import { dropEnded, packTokens } from "./packed-settings.ts";
import type { TokenStatePlace } from "./token-state.ts";
import type { Note, TokenKeys, TokenPage, TokenRecord, TokenStore } from "./token-store.ts";

/** The `TokenStore` of a place that keeps everything at once. */
export class WholeTokenStore implements TokenStore {
  readonly #place: TokenStatePlace;

  constructor(place: TokenStatePlace) {
    this.#place = place;
  }

  async readKeys(): Promise<TokenKeys> {
    return await this.#place.read();
  }

  async updateKeys<Result>(change: (keys: TokenKeys) => readonly [TokenKeys, Result], note?: Note): Promise<Result> {
    return await this.#place.update((state) => {
      const [keys, result] = change(state);
      return [dropEnded({ ...keys, tokens: state.tokens }, 0), result];
    }, note);
  }

  async find(id: string): Promise<TokenRecord | undefined> {
    return (await this.#place.read()).tokens.find((token) => token.id === id);
  }

  async list(limit: number, after = ""): Promise<TokenPage> {
    const { tokens } = await this.#place.read();
    const rest = tokens.filter(({ id }) => id > after).sort((a, b) => (a.id < b.id ? -1 : 1));
    const items = rest.slice(0, limit);
    return { items, ...(rest.length > limit && { next: items.at(-1)?.id }) };
  }

  async add(record: TokenRecord, note?: Note): Promise<void> {
    await this.#place.update((present) => {
      const state = dropEnded(present, record.created);
      if (state.tokens.some(({ id }) => id === record.id)) throw new CodedError("token-exists", "the id is taken");
      return [{ ...state, tokens: [...state.tokens, record] }, undefined];
    }, note);
  }

  async revoke({ id }: TokenRecord, at: number, note?: Note): Promise<void> {
    const revoke = (token: TokenRecord) => (token.id === id ? { ...token, revoked: token.revoked ?? at } : token);
    await this.#place.update((present) => {
      const { tokens, ...keys } = dropEnded(present, at);
      const state = { ...keys, tokens: tokens.map(revoke) };
      packTokens(state, at);
      return [state, undefined];
    }, note);
  }
}
