import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { TreeHeadStore } from "../proxy/store/tree-head-store.ts";
import { noSuchStack, readPlaces } from "./deployed-places.ts";
import { DynamoTreeHeadStore } from "./dynamo-tree-head-store.ts";

export interface DeployedHeads {
  /** Of the checksum databases that the deployment verifies, with the evidence of forks. */
  readonly heads: TreeHeadStore;
  /** `name+hash+key` of its own log. */
  readonly gosumdb: string;
}

/**
 * Opens what a deployment knows of checksum databases, by its name, with the AWS credentials at hand: they have to read the
 * configuration of two functions, and for the heads to get and put rows of the table.
 *
 * Its control function knows the region, and its fill function in that region the table. Throws as `readPlaces` does.
 */
export async function openDeployedHeads(
  name: string,
  functions: { readonly control: string; readonly fill: string },
): Promise<DeployedHeads> {
  const { MODFRONT_PRIMARY_REGION: region } = await readPlaces(name, functions.control);
  if (!region) throw noSuchStack(name);
  const { MODFRONT_TABLE: table, MODFRONT_GOSUMDB: gosumdb } = await readPlaces(name, functions.fill, region);
  if (!table || !gosumdb) throw noSuchStack(name);
  return { heads: new DynamoTreeHeadStore(new DynamoDBClient({ region }), table), gosumdb };
}
