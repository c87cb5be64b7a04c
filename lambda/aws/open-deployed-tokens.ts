import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { TokenStore } from "../access/token-store.ts";
import type { Clock } from "../proxy/store/clock.ts";
import { noSuchStack, readPlaces } from "./deployed-places.ts";
import { DeployedTokenStore } from "./deployed-token-store.ts";
import { openTokenRecords } from "./dynamo-token-records.ts";
import { openKeyValues } from "./key-value-store.ts";

/**
 * Opens the tokens of a deployment by its name (`aws.name` of the configuration), with the AWS credentials at hand.
 *
 * Their places are in the environment of the control plane's function, `controlFunction`. Throws as
 * `readPlaces` does.
 */
export async function openDeployedTokens(
  name: string,
  controlFunction: string,
  clock: Pick<Clock, "sleep">,
): Promise<TokenStore> {
  const variables = await readPlaces(name, controlFunction);
  const { MODFRONT_EDGE_SECRET, MODFRONT_PRIMARY_REGION: region, MODFRONT_KEY_VALUE_STORE } = variables;
  if (!MODFRONT_EDGE_SECRET || !region || !MODFRONT_KEY_VALUE_STORE) throw noSuchStack(name);
  // A deployment of an earlier version names no table: its key values say that it must be deployed first.
  const places = { storeArn: MODFRONT_KEY_VALUE_STORE, table: variables.MODFRONT_TABLE ?? name, region };
  return openTokenStore({ ...places, edgeSecret: MODFRONT_EDGE_SECRET }, clock);
}

/** Where the tokens of a deployment are. */
export interface TokenPlaces {
  readonly storeArn: string;
  readonly table: string;
  readonly edgeSecret: string;
  /** The primary region, where table and secret are. */
  readonly region: string;
}

export function openTokenStore(
  { storeArn, table, edgeSecret, region }: TokenPlaces,
  clock: Pick<Clock, "sleep">,
): TokenStore {
  return new DeployedTokenStore({
    keyValues: openKeyValues(),
    storeArn,
    records: openTokenRecords(table, region),
    secrets: new SecretsManagerClient({ region }),
    edgeSecret,
    sleep: clock.sleep,
  });
}
