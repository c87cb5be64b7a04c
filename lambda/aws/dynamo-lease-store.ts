import { randomUUID } from "node:crypto";
import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from "@aws-sdk/client-dynamodb";
import { type LeaseState, type LeaseStore, parseFailure, type SharedFailure } from "../proxy/store/lease-store.ts";
import { awsErrorName, orStoreFailed } from "./aws-failure.ts";
import { attributes, keyAttributes, leaseKey } from "./table.ts";

/** How long a row is kept: far longer than a lease is held and than those wait who read how it ended. */
const keptSeconds = 86_400;

type Row = Record<string, AttributeValue>;

/**
 * Leases as rows of the table.
 *
 * Each method is one call. A row may be swept a day after it was taken; the counter of a new one begins with the time in
 * milliseconds, which no row that counted from an earlier time has reached. The holder is new for every
 * `acquire`, so that a client's own retry, sent because the answer to a landed write was lost, gets the lease instead of finding it
 * held by itself.
 */
export class DynamoLeaseStore implements LeaseStore {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async acquire(name: string, now: number, heldUntil: number): Promise<LeaseState | undefined> {
    const a = attributes.lease;
    const row = await this.#update(name, {
      UpdateExpression: `SET ${a.fence} = if_not_exists(${a.fence}, :now) + :one, ${a.heldUntil} = :until, ${a.holder} = :me, ${attributes.sweep} = :sweep REMOVE ${a.code}, ${a.message}`,
      ConditionExpression: `attribute_not_exists(${a.heldUntil}) OR ${a.heldUntil} <= :now OR ${a.holder} = :me`,
      ExpressionAttributeValues: {
        ":one": number(1),
        ":until": number(heldUntil),
        ":now": number(now),
        ":sweep": number(Math.floor(now / 1000) + keptSeconds),
        ":me": { S: randomUUID() },
      },
      ReturnValues: "ALL_NEW",
    });
    return row && stateOf(row);
  }

  async renew(name: string, fence: number, heldUntil: number): Promise<boolean> {
    const a = attributes.lease;
    const row = await this.#update(name, {
      UpdateExpression: `SET ${a.heldUntil} = :until`,
      ConditionExpression: `${a.fence} = :fence AND ${a.heldUntil} > :zero`,
      ExpressionAttributeValues: { ":until": number(heldUntil), ":fence": number(fence), ":zero": number(0) },
    });
    return row !== undefined;
  }

  async release(name: string, fence: number, failure: SharedFailure | undefined): Promise<void> {
    const a = attributes.lease;
    const values = { ":fence": number(fence), ":zero": number(0) };
    const told = failure && { ":code": { S: failure.code }, ":message": { S: failure.message } };
    await this.#update(name, {
      UpdateExpression: told
        ? `SET ${a.heldUntil} = :zero, ${a.code} = :code, ${a.message} = :message`
        : `SET ${a.heldUntil} = :zero REMOVE ${a.code}, ${a.message}`,
      ConditionExpression: `${a.fence} = :fence AND ${a.heldUntil} > :zero`,
      ExpressionAttributeValues: { ...values, ...told },
    });
  }

  async read(name: string): Promise<LeaseState> {
    const answer = await orStoreFailed("reading a lease", () =>
      this.#client.send(
        new GetItemCommand({ TableName: this.#table, Key: keyAttributes(leaseKey(name)), ConsistentRead: true }),
      ),
    );
    return stateOf(answer.Item ?? {});
  }

  /** The attributes that the update returned, or `undefined` when its condition did not hold. */
  async #update(name: string, input: Omit<UpdateItemCommandInput, "TableName" | "Key">): Promise<Row | undefined> {
    return await orStoreFailed("writing a lease", async () => {
      try {
        const update = { TableName: this.#table, Key: keyAttributes(leaseKey(name)), ...input };
        return (await this.#client.send(new UpdateItemCommand(update))).Attributes ?? {};
      } catch (error) {
        if (awsErrorName(error) === "ConditionalCheckFailedException") return undefined;
        throw error;
      }
    });
  }
}

function number(value: number): { readonly N: string } {
  return { N: String(value) };
}

function stateOf(row: Row): LeaseState {
  const a = attributes.lease;
  const code = row[a.code]?.S;
  return {
    fence: Number(row[a.fence]?.N ?? 0),
    heldUntil: Number(row[a.heldUntil]?.N ?? 0),
    failure: code === undefined ? undefined : parseFailure(code, row[a.message]?.S ?? ""),
  };
}
