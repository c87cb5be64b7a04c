import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { SignedHead, SignedHeads } from "../proxy/store/log-store.ts";
import { orStoreFailed } from "./aws-failure.ts";
import { parseSignedHead, signedHeadAttributes } from "./log-rows.ts";
import { attributes, keyAttributes, signedHeadKey } from "./table.ts";

/** Signed heads as rows of the log's table, replaced by larger ones only: both methods are one call. */
export class DynamoSignedHeads implements SignedHeads {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async read(name: string): Promise<SignedHead | undefined> {
    const read = new GetItemCommand({
      TableName: this.#table,
      Key: keyAttributes(signedHeadKey(name)),
      ConsistentRead: true,
    });
    return await orStoreFailed("reading the signed head of the log", async () => {
      const { Item } = await this.#client.send(read);
      return Item && parseSignedHead(Item);
    });
  }

  async grow(name: string, next: SignedHead): Promise<SignedHead> {
    const { size } = attributes.signedHead;
    const row = signedHeadAttributes(next);
    const put = new PutItemCommand({
      TableName: this.#table,
      Item: { ...keyAttributes(signedHeadKey(name)), ...row },
      ConditionExpression: `attribute_not_exists(${attributes.key.partition}) OR ${size} < :size`,
      ExpressionAttributeValues: { ":size": row[size] ?? { NULL: true } },
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    });
    return await orStoreFailed("writing the signed head of the log", async () => {
      try {
        await this.#client.send(put);
        return next;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return parseSignedHead(error.Item ?? {});
        throw error;
      }
    });
  }
}
