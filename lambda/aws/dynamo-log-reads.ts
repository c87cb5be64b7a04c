import { type DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
import type { ModuleVersion } from "../proxy/store/layout.ts";
import type { LogPlace, LogRow, LogStore } from "../proxy/store/log-store.ts";
import { orStoreFailed } from "./aws-failure.ts";
import { readRows } from "./dynamo-reads.ts";
import { type Attributes, parseNumber, parseRow } from "./log-rows.ts";
import { attributes, logNumberKey, logRowKey, type RowKey } from "./table.ts";

/**
 * What is read of the log, with nothing that could write it: one call each, but for a `range` of over 1 MB.
 *
 * Nothing is read by a transaction, which would stop those that write.
 */
export class DynamoLogReads implements Pick<LogStore, "numbers" | "rows" | "range"> {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async numbers(modules: readonly ModuleVersion[]): Promise<readonly (bigint | undefined)[]> {
    return await orStoreFailed("looking up records of the log", async () => {
      const rows = await readRows(this.#client, this.#table, modules.map(logNumberKey));
      return rows.map((row) => row && parseNumber(row));
    });
  }

  async rows(places: readonly LogPlace[]): Promise<readonly (LogRow | undefined)[]> {
    return await orStoreFailed("reading the log", async () => {
      const rows = await readRows(this.#client, this.#table, places.map(logRowKey));
      return rows.map((row) => row && parseRow(row));
    });
  }

  async range(level: number, from: bigint, to: bigint): Promise<readonly (LogRow | undefined)[]> {
    if (from >= to) return [];
    return await orStoreFailed("reading the log", async () => {
      const rows = await this.#query(logRowKey({ level, number: from }), logRowKey({ level, number: to - 1n }));
      return Array.from({ length: Number(to - from) }, (_, i) => {
        const row = rows.get(logRowKey({ level, number: from + BigInt(i) }).s);
        return row && parseRow(row);
      });
    });
  }

  /** The rows of a partition between two sort keys, by theirs. */
  async #query(first: RowKey, last: RowKey): Promise<ReadonlyMap<string, Attributes>> {
    const { partition, sort } = attributes.key;
    const found = new Map<string, Attributes>();
    let ExclusiveStartKey: Attributes | undefined;
    do {
      const { Items = [], LastEvaluatedKey } = await this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          KeyConditionExpression: `${partition} = :p AND ${sort} BETWEEN :first AND :last`,
          ExpressionAttributeValues: { ":p": { S: first.p }, ":first": { S: first.s }, ":last": { S: last.s } },
          ConsistentRead: true,
          ...(ExclusiveStartKey && { ExclusiveStartKey }),
        }),
      );
      for (const row of Items) found.set(row[sort]?.S ?? "", row);
      ExclusiveStartKey = LastEvaluatedKey;
    } while (ExclusiveStartKey !== undefined);
    return found;
  }
}
