import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { TokenStore } from "../../lambda/access/token-store.ts";
import { WholeTokenStore } from "../../lambda/access/whole-token-store.ts";
import { functionName } from "../../lambda/config/env.ts";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import { FileTokenStore } from "../../lambda/local/access/file-token-store.ts";
import { tokenFile } from "../../lambda/local/access/local-access.ts";
import { readDataSettings } from "../../lambda/local/server/data-settings.ts";
import type { Terminal } from "./verb.ts";

/** Whose tokens: those of a data folder, or of a deployment by its name. */
export interface TokenPlace {
  readonly data?: string | undefined;
  readonly config?: string | undefined;
  readonly stack?: string | undefined;
}

/** Returns the store of tokens that the flags name; without any, that of the data folder `npm start` would use. */
export async function openTokenStore(place: TokenPlace, { environment, now }: Terminal): Promise<TokenStore> {
  const { data, config, stack } = place;
  if (stack !== undefined) {
    if (data !== undefined) throw new CodedError("usage", "--stack and --data name two places: which one?");
    const { openDeployedTokens } = await import("../../lambda/aws/open-deployed-tokens.ts");
    return await openDeployedTokens(stack, functionName(stack, "control"), {
      now,
      sleep: (milliseconds) => sleep(milliseconds),
    });
  }
  const settings = readDataSettings({ data, config }, environment);
  return new WholeTokenStore(new FileTokenStore(join(settings.data, tokenFile)));
}
