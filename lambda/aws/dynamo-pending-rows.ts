import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  PutItemCommand,
  TransactionConflictException,
} from "@aws-sdk/client-dynamodb";
import type { LogRecord } from "../proxy/store/log-store.ts";
import { orStoreFailed } from "./aws-failure.ts";
import { attempts, pauseBefore } from "./dynamo-reads.ts";
import { recordAttributes } from "./log-rows.ts";
import { attributes, keyAttributes, pendingKey } from "./table.ts";

/** Has records wait for the log, as `PendingRecords.add` promises: a call for each. Whoever fills may do this, and no more. */
export async function addPending(client: DynamoDBClient, table: string, records: readonly LogRecord[]): Promise<void> {
  await orStoreFailed("writing what waits for the log", async () => {
    const ends = await Promise.allSettled(records.map((record) => put(client, table, record)));
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  });
}

async function put(client: DynamoDBClient, table: string, record: LogRecord): Promise<void> {
  const command = new PutItemCommand({
    TableName: table,
    Item: { ...keyAttributes(pendingKey(record.module)), ...recordAttributes(record) },
    ConditionExpression: `attribute_not_exists(${attributes.key.partition})`,
  });
  for (let attempt = 1; ; attempt++) {
    try {
      await client.send(command);
      return;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return;
      // Somebody appends it at this very moment.
      if (!(error instanceof TransactionConflictException) || attempt === attempts) throw error;
      await pauseBefore(attempt);
    }
  }
}
