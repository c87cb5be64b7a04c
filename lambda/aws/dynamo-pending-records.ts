import { BatchWriteItemCommand, type DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
import type { ModuleVersion } from "../proxy/store/layout.ts";
import type { LogRecord, PendingRecords } from "../proxy/store/log-store.ts";
import { orStoreFailed } from "./aws-failure.ts";
import { addPending } from "./dynamo-pending-rows.ts";
import { attempts, pauseBefore } from "./dynamo-reads.ts";
import { type Attributes, parseRecord } from "./log-rows.ts";
import { attributes, keyAttributes, pendingKey, pendingPartition } from "./table.ts";

/** How many rows are removed with one call. */
const batch = 25;

/** What waits for the log as rows of its table: `add` is a call for each record, `first` one, `remove` one for each 25. */
export class DynamoPendingRecords implements PendingRecords {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async add(records: readonly LogRecord[]): Promise<void> {
    await addPending(this.#client, this.#table, records);
  }

  async first(limit: number): Promise<readonly LogRecord[]> {
    const records: LogRecord[] = [];
    let ExclusiveStartKey: Attributes | undefined;
    await orStoreFailed("reading what waits for the log", async () => {
      do {
        const { Items = [], LastEvaluatedKey } = await this.#client.send(
          new QueryCommand({
            TableName: this.#table,
            KeyConditionExpression: `${attributes.key.partition} = :p`,
            ExpressionAttributeValues: { ":p": { S: pendingPartition } },
            ConsistentRead: true,
            Limit: limit - records.length,
            ...(ExclusiveStartKey && { ExclusiveStartKey }),
          }),
        );
        records.push(...Items.map(parseRecord));
        ExclusiveStartKey = LastEvaluatedKey;
      } while (ExclusiveStartKey !== undefined && records.length < limit);
    });
    return records;
  }

  async remove(modules: readonly ModuleVersion[]): Promise<void> {
    const keys = new Map(modules.map((module) => [pendingKey(module).s, keyAttributes(pendingKey(module))]));
    const removals = [...keys.values()].map((Key) => ({ DeleteRequest: { Key } }));
    await orStoreFailed("removing what waited for the log", async () => {
      for (let i = 0; i < removals.length; i += batch) await this.#remove(removals.slice(i, i + batch));
    });
  }

  async #remove(removals: readonly { readonly DeleteRequest: { readonly Key: Attributes } }[]): Promise<void> {
    let left = [...removals];
    for (let attempt = 0; left.length > 0; attempt++) {
      if (attempt === attempts) throw new Error(`${left.length} rows were not removed`);
      if (attempt > 0) await pauseBefore(attempt);
      const RequestItems = { [this.#table]: left };
      const { UnprocessedItems } = await this.#client.send(new BatchWriteItemCommand({ RequestItems }));
      left = (UnprocessedItems?.[this.#table] ?? []) as typeof left;
    }
  }
}
