import { ConditionalCheckFailedException, type DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { orStoreFailed } from "./aws-failure.ts";
import { attributes, keyAttributes, logNameKey } from "./table.ts";

/**
 * The name of the log of this key: `proposed`, or what was proposed first. Clients remember a log by its name, so that it
 * stays when a deployment gets another domain. One call.
 */
export async function settleLogName(
  client: DynamoDBClient,
  table: string,
  publicKey: Uint8Array,
  proposed: string,
): Promise<string> {
  const { name } = attributes.logName;
  const put = new PutItemCommand({
    TableName: table,
    Item: { ...keyAttributes(logNameKey(publicKey)), [name]: { S: proposed } },
    ConditionExpression: `attribute_not_exists(${attributes.key.partition})`,
    ReturnValuesOnConditionCheckFailure: "ALL_OLD",
  });
  return await orStoreFailed("settling the name of the log", async () => {
    try {
      await client.send(put);
      return proposed;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      const first = error.Item?.[name]?.S;
      if (first === undefined) throw new Error("the row of the log's name is not whole", { cause: error });
      return first;
    }
  });
}
