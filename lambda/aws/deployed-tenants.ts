import { readText, tenantKey } from "../edge/access-settings.ts";
import { CodedError } from "../golang/coded-error.ts";
import { noSuchStack, readPlaces } from "./deployed-places.ts";
import { type KeyValueClient, openKeyValues, readKeyValue } from "./key-value-store.ts";

/** Returns those of these names that are tenants at the edge: what is configured here may not be deployed yet, or any more. */
export async function knownTenants(
  keyValues: KeyValueClient,
  storeArn: string,
  names: readonly string[],
): Promise<readonly string[]> {
  const known: string[] = [];
  for (const name of new Set(names)) {
    // A tenant that is gone keeps its text, without a pattern.
    if (readText(await readKeyValue(keyValues, storeArn, tenantKey(name)))) known.push(name);
  }
  return known;
}

/** The same of the deployment called `name`, with the AWS credentials at hand. Throws as `readPlaces` does. */
export async function readDeployedTenants(
  name: string,
  controlFunction: string,
  names: readonly string[],
): Promise<readonly string[]> {
  if (names.length === 0) return [];
  const { MODFRONT_KEY_VALUE_STORE } = await readPlaces(name, controlFunction);
  if (MODFRONT_KEY_VALUE_STORE === undefined) throw noSuchStack(name);
  try {
    return await knownTenants(openKeyValues(), MODFRONT_KEY_VALUE_STORE, names);
  } catch (cause) {
    const message = "the deployment's tenants cannot be read: are these AWS credentials allowed to?";
    throw new CodedError("tokens-unavailable", message, { cause });
  }
}
