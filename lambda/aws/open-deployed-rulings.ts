import type { RulingStore } from "../proxy/store/ruling-store.ts";
import { noSuchStack, readPlaces } from "./deployed-places.ts";
import { DeployedRulingStore, openRulings } from "./deployed-ruling-store.ts";

/** Opens the rulings of a deployment by its name, with the AWS credentials at hand. Throws as `readPlaces` does. */
export async function openDeployedRulings(
  name: string,
  controlFunction: string,
  now: () => number,
): Promise<RulingStore> {
  const { MODFRONT_TABLE: table, ...variables } = await readPlaces(name, controlFunction);
  const { MODFRONT_PRIMARY_REGION: region, MODFRONT_KEY_VALUE_STORE: storeArn } = variables;
  if (!table || !region || !storeArn) throw noSuchStack(name);
  return new DeployedRulingStore(openRulings({ table, region, storeArn }, now));
}
