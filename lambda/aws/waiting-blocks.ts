import { randomUUID } from "node:crypto";
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  QueryCommand,
} from "@aws-sdk/client-dynamodb";
import type { RulingName } from "../proxy/store/ruling-store.ts";
import { orStoreFailed } from "./aws-failure.ts";
import { attributes, keyAttributes, waitingKey, waitingPartition } from "./table.ts";

/** A module or version whose rulings changed, or are about to, and of which the edge may not know yet. */
export interface WaitingBlock extends Pick<RulingName, "module" | "version"> {
  /** Of the change: a later one of the same name is another row. */
  readonly change: string;
}

const a = attributes.ruling;

/** What the edge has yet to be told, in rows of the index's table: whoever writes to its store next takes them along. */
export class WaitingBlocks {
  readonly #client: Pick<DynamoDBClient, "send">;
  readonly #table: string;

  constructor(client: Pick<DynamoDBClient, "send">, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** Notes that a ruling changes; before it does. */
  async add({ module, version }: Pick<RulingName, "module" | "version">): Promise<void> {
    const Item = {
      ...keyAttributes(waitingKey({ module, version })),
      [a.module]: { S: module },
      [a.version]: { S: version },
      [a.request]: { S: randomUUID() },
    };
    const put = new PutItemCommand({ TableName: this.#table, Item });
    await orStoreFailed("keeping a ruling", () => this.#client.send(put));
  }

  async list(): Promise<readonly WaitingBlock[]> {
    const rows: WaitingBlock[] = [];
    let from: Record<string, AttributeValue> | undefined;
    do {
      const query = new QueryCommand({
        TableName: this.#table,
        KeyConditionExpression: "#p = :p",
        ExpressionAttributeNames: { "#p": attributes.key.partition },
        ExpressionAttributeValues: { ":p": { S: waitingPartition } },
        ConsistentRead: true,
        ...(from !== undefined && { ExclusiveStartKey: from }),
      });
      const { Items = [], LastEvaluatedKey } = await orStoreFailed("reading rulings", () => this.#client.send(query));
      for (const row of Items)
        rows.push({
          module: row[a.module]?.S ?? "",
          version: row[a.version]?.S ?? "",
          change: row[a.request]?.S ?? "",
        });
      from = LastEvaluatedKey;
    } while (from !== undefined);
    return rows;
  }

  /** The edge knows of these changes; a later one of the same name goes on waiting. */
  async settle(told: readonly WaitingBlock[]): Promise<void> {
    for (const { change, ...name } of told) {
      const remove = new DeleteItemCommand({
        TableName: this.#table,
        Key: keyAttributes(waitingKey(name)),
        ConditionExpression: "#q = :q",
        ExpressionAttributeNames: { "#q": a.request },
        ExpressionAttributeValues: { ":q": { S: change } },
      });
      await orStoreFailed("keeping a ruling", () => this.#client.send(remove).catch(unlessChanged));
    }
  }
}

function unlessChanged(error: unknown): void {
  if (!(error instanceof ConditionalCheckFailedException)) throw error;
}
