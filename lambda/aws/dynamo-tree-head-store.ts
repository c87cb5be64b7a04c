import { type DynamoDBClient, GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import type { TreeHeadStore } from "../proxy/store/tree-head-store.ts";
import { awsErrorName, orStoreFailed } from "./aws-failure.ts";
import { attributes, headKey, keyAttributes } from "./table.ts";

/** Heads as rows of the table, replaced under the condition that the old note is still there: one call each. */
export class DynamoTreeHeadStore implements TreeHeadStore {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    const answer = await orStoreFailed("reading the verified head", () =>
      this.#client.send(
        new GetItemCommand({ TableName: this.#table, Key: keyAttributes(headKey(name)), ConsistentRead: true }),
      ),
    );
    return answer.Item?.[attributes.head.note]?.B;
  }

  async replace(name: string, old: Uint8Array | undefined, next: Uint8Array): Promise<boolean> {
    const condition =
      old === undefined
        ? { ConditionExpression: `attribute_not_exists(${attributes.key.partition})` }
        : { ConditionExpression: `${attributes.head.note} = :old`, ExpressionAttributeValues: { ":old": { B: old } } };
    return await orStoreFailed("writing the verified head", async () => {
      try {
        const item = { ...keyAttributes(headKey(name)), [attributes.head.note]: { B: next } };
        await this.#client.send(new PutItemCommand({ TableName: this.#table, Item: item, ...condition }));
        return true;
      } catch (error) {
        if (awsErrorName(error) === "ConditionalCheckFailedException") return false;
        throw error;
      }
    });
  }
}
