import { randomUUID } from "node:crypto";
import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from "@aws-sdk/client-dynamodb";
import type { LeaseState, LeaseStore, SharedFailure } from "../proxy/store/lease-store.ts";
import { awsErrorName, orStoreFailed } from "./aws-failure.ts";
import { keyAttributes, leaseKey } from "./table.ts";

type Row = Record<string, AttributeValue>;

/**
 * Leases as rows of the table: `f` fence, `u` held until, `o` who took it, `c` and `e` code and message of the failure.
 *
 * Each method is one call. The row has no sweep attribute: its counter must only grow. `o` is new for every `acquire`,
 * so that a client's own retry, sent because the answer to a landed write was lost, gets the lease instead of finding it
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
    const row = await this.#update(name, {
      UpdateExpression: "SET f = if_not_exists(f, :zero) + :one, u = :until, o = :me REMOVE c, e",
      ConditionExpression: "attribute_not_exists(u) OR u <= :now OR o = :me",
      ExpressionAttributeValues: {
        ":zero": number(0),
        ":one": number(1),
        ":until": number(heldUntil),
        ":now": number(now),
        ":me": { S: randomUUID() },
      },
      ReturnValues: "ALL_NEW",
    });
    return row && stateOf(row);
  }

  async renew(name: string, fence: number, heldUntil: number): Promise<boolean> {
    const row = await this.#update(name, {
      UpdateExpression: "SET u = :until",
      ConditionExpression: "f = :fence AND u > :zero",
      ExpressionAttributeValues: { ":until": number(heldUntil), ":fence": number(fence), ":zero": number(0) },
    });
    return row !== undefined;
  }

  async release(name: string, fence: number, failure: SharedFailure | undefined): Promise<void> {
    const values = { ":fence": number(fence), ":zero": number(0) };
    const told = failure && { ":code": { S: failure.code }, ":message": { S: failure.message } };
    await this.#update(name, {
      UpdateExpression: told ? "SET u = :zero, c = :code, e = :message" : "SET u = :zero REMOVE c, e",
      ConditionExpression: "f = :fence AND u > :zero",
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
  const code = row.c?.S;
  return {
    fence: Number(row.f?.N ?? 0),
    heldUntil: Number(row.u?.N ?? 0),
    failure: code === undefined ? undefined : { code, message: row.e?.S ?? "" },
  };
}
