import { join } from "node:path";
import type { TokenStore } from "../../lambda/http/token-store.ts";
import { FileTokenStore } from "../../lambda/local/file-token-store.ts";
import { tokenFile } from "../../lambda/local/local-access.ts";
import { readSettings } from "../../lambda/local/settings.ts";
import type { Terminal } from "./verb.ts";

/** Whose tokens: those of a data folder. */
export interface TokenPlace {
  readonly data?: string | undefined;
  readonly config?: string | undefined;
}

/** Returns the store of tokens that the flags name; without any, that of the data folder `npm start` would use. */
export async function openTokenStore({ data, config }: TokenPlace, { environment }: Terminal): Promise<TokenStore> {
  const flags = Object.entries({ data, config }).flatMap(([flag, value]) =>
    value === undefined ? [] : [`--${flag}=${value}`],
  );
  const settings = readSettings({ args: flags, environment, isTerminal: false, goEnvProxy: () => undefined });
  return new FileTokenStore(join(settings.data, tokenFile));
}
