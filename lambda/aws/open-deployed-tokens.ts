import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { TokenStore } from "../access/token-store.ts";
import { WholeTokenStore } from "../access/whole-token-store.ts";
import type { Clock } from "../proxy/store/clock.ts";
import { noSuchStack, readPlaces } from "./deployed-places.ts";
import { openKeyValues } from "./key-value-store.ts";
import { KeyValueTokenStore } from "./key-value-token-store.ts";

/**
 * Opens the tokens of a deployment by its name (`aws.name` of the configuration), with the AWS credentials at hand.
 *
 * Their places are in the environment of the control plane's function, `controlFunction`. Throws as
 * `readPlaces` does.
 */
export async function openDeployedTokens(
  name: string,
  controlFunction: string,
  clock: Pick<Clock, "now" | "sleep">,
): Promise<TokenStore> {
  const variables = await readPlaces(name, controlFunction);
  const { MODFRONT_EDGE_SECRET, MODFRONT_PRIMARY_REGION, MODFRONT_KEY_VALUE_STORE } = variables;
  if (!MODFRONT_EDGE_SECRET || !MODFRONT_PRIMARY_REGION || !MODFRONT_KEY_VALUE_STORE) throw noSuchStack(name);
  return new WholeTokenStore(
    new KeyValueTokenStore({
      keyValues: openKeyValues(),
      storeArn: MODFRONT_KEY_VALUE_STORE,
      secrets: new SecretsManagerClient({ region: MODFRONT_PRIMARY_REGION }),
      edgeSecret: MODFRONT_EDGE_SECRET,
      now: () => Math.floor(clock.now() / 1000),
      sleep: clock.sleep,
    }),
  );
}
