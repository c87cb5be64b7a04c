import { ConditionalCheckFailedException, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import type { UsedTokens } from "../access/oidc/used-tokens.ts";
import { orStoreFailed } from "./aws-failure.ts";
import { attributes, keyAttributes, usedKey } from "./table.ts";

/** The ID tokens that were used, a row of the index's table for each, which is swept when it has ended. */
export class DynamoUsedTokens implements UsedTokens {
  readonly #client: Pick<DynamoDBClient, "send">;
  readonly #table: string;

  constructor(client: Pick<DynamoDBClient, "send">, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async use(id: string, until: number): Promise<boolean> {
    const put = new PutItemCommand({
      TableName: this.#table,
      Item: { ...keyAttributes(usedKey(id)), [attributes.sweep]: { N: String(Math.ceil(until)) } },
      ConditionExpression: `attribute_not_exists(${attributes.key.partition})`,
    });
    return await orStoreFailed("writing down that an ID token was used", async () => {
      try {
        await this.#client.send(put);
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    });
  }
}

/** Those of a deployment, whose table is in its primary region. */
export function openUsedTokens(table: string, region: string): UsedTokens {
  return new DynamoUsedTokens(new DynamoDBClient({ region }), table);
}
