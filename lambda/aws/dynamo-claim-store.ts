import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { Claim, ClaimStore } from "../proxy/store/claim-store.ts";
import type { ModuleVersion } from "../proxy/store/layout.ts";
import { orStoreFailed } from "./aws-failure.ts";
import { attributes, claimKey, keyAttributes } from "./table.ts";

/**
 * Claims as rows of the log's table, which belongs to one region: in a global table two regions could both write the first
 * claim, and the later would stay.
 *
 * Both methods are one call. A client's own retry, sent because the answer to a landed write was lost, meets its own
 * claim and is told so like anybody else.
 */
export class DynamoClaimStore implements ClaimStore {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async claim(module: ModuleVersion, claim: Claim): Promise<Claim> {
    const put = new PutItemCommand({
      TableName: this.#table,
      Item: { ...keyAttributes(claimKey(module)), ...rowOf(claim) },
      ConditionExpression: `attribute_not_exists(${attributes.key.partition})`,
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    });
    return await orStoreFailed("writing a claim", async () => {
      try {
        await this.#client.send(put);
        return claim;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return claimOf(error.Item);
        throw error;
      }
    });
  }

  async read(module: ModuleVersion): Promise<Claim | undefined> {
    const read = new GetItemCommand({
      TableName: this.#table,
      Key: keyAttributes(claimKey(module)),
      ConsistentRead: true,
    });
    return await orStoreFailed("reading a claim", async () => {
      const { Item } = await this.#client.send(read);
      return Item && claimOf(Item);
    });
  }
}

function rowOf({ zip, goMod, info }: Claim): Record<string, AttributeValue> {
  const a = attributes.claim;
  return { [a.zip]: { S: zip }, [a.goMod]: { S: goMod }, [a.info]: { S: info } };
}

/** Throws where a row is not whole: what is not known to be the claim must not pass for it. */
function claimOf(row: Record<string, AttributeValue> | undefined): Claim {
  const a = attributes.claim;
  const [zip, goMod, info] = [row?.[a.zip]?.S, row?.[a.goMod]?.S, row?.[a.info]?.S];
  if (zip === undefined || goMod === undefined || info === undefined) throw new Error("a claim's row is not whole");
  return { zip, goMod, info };
}
