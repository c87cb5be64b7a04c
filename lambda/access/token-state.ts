import type { TokenKeys, TokenRecord } from "./token-store.ts";

/** Everything about tokens at once, as earlier versions kept it. */
export interface TokenState extends TokenKeys {
  readonly tokens: readonly TokenRecord[];
}
