import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { TokenPage, TokenRecord } from "../access/token-store.ts";
import type { Role } from "../edge/token.ts";
import { attributes, keyAttributes, tokenKey, tokenPartition } from "./table.ts";

type Row = Record<string, AttributeValue>;

/** How long a record stays after the end of its token, in seconds. */
const sweptAfter = 30 * 86_400;

/**
 * The records of tokens as rows of the index's table, one partition in the order of their ids: a page is one Query. They
 * are swept when they have ended. What decides about a token is in the edge's store alone; these rows are what people
 * are shown, in every region.
 */
export class DynamoTokenRecords {
  readonly #client: Pick<DynamoDBClient, "send">;
  readonly #table: string;

  constructor(client: Pick<DynamoDBClient, "send">, table: string) {
    this.#client = client;
    this.#table = table;
  }

  /** Keeps a record; false when there is one with its id, which stays as it is. */
  async add(record: TokenRecord): Promise<boolean> {
    const put = new PutItemCommand({
      TableName: this.#table,
      Item: rowOf(record),
      ConditionExpression: `attribute_not_exists(${attributes.key.partition})`,
    });
    try {
      await this.#client.send(put);
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  async find(id: string): Promise<TokenRecord | undefined> {
    const read = { TableName: this.#table, Key: keyAttributes(tokenKey(id)), ConsistentRead: true };
    const { Item } = await this.#client.send(new GetItemCommand(read));
    return Item && recordOf(Item);
  }

  async list(limit: number, after?: string): Promise<TokenPage> {
    const query = new QueryCommand({
      TableName: this.#table,
      KeyConditionExpression: "#p = :p",
      ExpressionAttributeNames: { "#p": attributes.key.partition },
      ExpressionAttributeValues: { ":p": { S: tokenPartition } },
      ConsistentRead: true,
      Limit: limit,
      ...(after !== undefined && { ExclusiveStartKey: keyAttributes(tokenKey(after)) }),
    });
    const { Items = [], LastEvaluatedKey } = await this.#client.send(query);
    const next = LastEvaluatedKey?.[attributes.key.sort]?.S;
    return { items: Items.map(recordOf), ...(next !== undefined && { next }) };
  }

  /** Notes when a token was revoked; the first time stays. */
  async noteRevoked(id: string, at: number): Promise<void> {
    const update = new UpdateItemCommand({
      TableName: this.#table,
      Key: keyAttributes(tokenKey(id)),
      UpdateExpression: "SET #r = if_not_exists(#r, :at)",
      ConditionExpression: "attribute_exists(#p)",
      ExpressionAttributeNames: { "#r": attributes.token.revoked, "#p": attributes.key.partition },
      ExpressionAttributeValues: { ":at": { N: String(at) } },
    });
    try {
      await this.#client.send(update);
    } catch (error) {
      // Swept meanwhile: it has ended, and needs no note.
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }
}

/** The records of a deployment, whose table is in its primary region. */
export function openTokenRecords(table: string, region: string): DynamoTokenRecords {
  return new DynamoTokenRecords(new DynamoDBClient({ region }), table);
}

function rowOf(record: TokenRecord): Row {
  const a = attributes.token;
  return {
    ...keyAttributes(tokenKey(record.id)),
    [attributes.sweep]: { N: String(record.expires + sweptAfter) },
    [a.subject]: { S: record.subject },
    [a.role]: { S: record.role },
    [a.modules]: { S: record.modules },
    [a.created]: { N: String(record.created) },
    [a.expires]: { N: String(record.expires) },
    [a.key]: { S: record.key },
    ...(record.revoked !== undefined && { [a.revoked]: { N: String(record.revoked) } }),
  };
}

function recordOf(row: Row): TokenRecord {
  const a = attributes.token;
  const text = (name: string) => row[name]?.S ?? "";
  const record = {
    id: text(attributes.key.sort),
    subject: text(a.subject),
    role: text(a.role) as Role,
    modules: text(a.modules),
    created: Number(row[a.created]?.N),
    expires: Number(row[a.expires]?.N),
    key: text(a.key),
  };
  const revoked = row[a.revoked]?.N;
  return revoked === undefined ? record : { ...record, revoked: Number(revoked) };
}
