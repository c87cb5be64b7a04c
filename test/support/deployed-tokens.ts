import {
  accessValues,
  changedValues,
  closingValues,
  type DeployedAccess,
} from "../../lambda/access/deployed-values.ts";
import { DeployedTokenStore } from "../../lambda/aws/deployed-token-store.ts";
import type { DynamoTokenRecords } from "../../lambda/aws/dynamo-token-records.ts";
import { moveEarlierTokens } from "../../lambda/aws/earlier-tokens.ts";
import { changeKeyValues } from "../../lambda/aws/key-value-writes.ts";
import type { FakeKeyValues } from "./fake-key-values.ts";

export const deployedKey = "d".repeat(43);
export const storeArn = "arn:aws:cloudfront::000000000000:key-value-store/modfront";

/** Everything is for token holders, and there is nothing private. */
export const nobodys: DeployedAccess = { anonymous: "none", private: [], tenants: {} };

/** What `cdk deploy` has done to the edge's store at this second: before the edge's code changes, and after. */
export async function deployAccess(
  keyValues: FakeKeyValues,
  records: Pick<DynamoTokenRecords, "add">,
  access: DeployedAccess,
  now: number,
  step?: "prepare",
): Promise<void> {
  await changeKeyValues(keyValues.client, storeArn, async (present) => ({
    puts: closingValues(present, access, deployedKey),
  }));
  if (step === "prepare") return;
  await changeKeyValues(keyValues.client, storeArn, async (present) => {
    const moved = await moveEarlierTokens(present, records, now);
    return { ...moved, puts: new Map([...changedValues(present, accessValues(access)), ...moved.puts]) };
  });
}

type Parts = ConstructorParameters<typeof DeployedTokenStore>[0];

/** The tokens of a deployment whose secret nobody reads, unless there are parts that do. */
export function openTokens(
  keyValues: FakeKeyValues,
  records: DynamoTokenRecords,
  parts: Partial<Parts> = {},
): DeployedTokenStore {
  return new DeployedTokenStore({
    keyValues: keyValues.client,
    storeArn,
    records,
    secrets: { send: async () => {} },
    edgeSecret: "modfront/edge",
    sleep: async () => {},
    ...parts,
  });
}
