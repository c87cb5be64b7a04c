import { randomUUID } from "node:crypto";
import {
  type CancellationReason,
  type DynamoDBClient,
  GetItemCommand,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import type { ModuleVersion } from "../proxy/store/layout.ts";
import type { CommitOutcome, LogCommit, LogHead, LogPlace, LogRow, LogStore } from "../proxy/store/log-store.ts";
import { ServedError } from "../proxy/store/served-error.ts";
import { orStoreFailed } from "./aws-failure.ts";
import { DynamoLogReads } from "./dynamo-log-reads.ts";
import { attempts, pauseBefore } from "./dynamo-reads.ts";
import { type Attributes, headAttributes, number, numberAttributes, parseHead, rowAttributes } from "./log-rows.ts";
import { attributes, keyAttributes, logHeadKey, logNumberKey, logRowKey, pendingKey, type RowKey } from "./table.ts";

const isNew = `attribute_not_exists(${attributes.key.partition})`;

/**
 * The log as rows of its table, which belongs to one region (table.ts has their keys).
 *
 * A commit is one transaction, of three items for each record (its row, its number, the removal of the row that waited), one
 * for each subtree that is completed, and the head: 79 for 25 records, of the 100 that there may be. The 4 MB that they may
 * have together are far off: a record's text is under 3 KB, since its module's path must fit a key of S3. `head` is one call.
 */
export class DynamoLogStore implements LogStore {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #reads: DynamoLogReads;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
    this.#reads = new DynamoLogReads(client, table);
  }

  async head(): Promise<LogHead | undefined> {
    const read = new GetItemCommand({ TableName: this.#table, Key: keyAttributes(logHeadKey), ConsistentRead: true });
    return await orStoreFailed("reading the head of the log", async () => {
      const { Item } = await this.#client.send(read);
      return Item && parseHead(Item);
    });
  }

  /** The client's own tries, sent because an answer was lost, carry the same token, by which they are one transaction. */
  async commit(commit: LogCommit): Promise<CommitOutcome> {
    const TransactItems = this.#items(commit);
    return await orStoreFailed("appending to the log", async () => {
      for (let attempt = 1; ; attempt++) {
        try {
          const ClientRequestToken = randomUUID();
          await this.#client.send(new TransactWriteItemsCommand({ TransactItems, ClientRequestToken }));
          return "committed";
        } catch (error) {
          if (!(error instanceof TransactionCanceledException)) throw error;
          const outcome = outcomeOf(commit, error.CancellationReasons ?? []);
          if (outcome !== undefined) return outcome;
          if (attempt === attempts || !isThrottled(error.CancellationReasons ?? [])) throw error;
          await pauseBefore(attempt);
        }
      }
    });
  }

  numbers(modules: readonly ModuleVersion[]): Promise<readonly (bigint | undefined)[]> {
    return this.#reads.numbers(modules);
  }

  rows(places: readonly LogPlace[]): Promise<readonly (LogRow | undefined)[]> {
    return this.#reads.rows(places);
  }

  range(level: number, from: bigint, to: bigint): Promise<readonly (LogRow | undefined)[]> {
    return this.#reads.range(level, from, to);
  }

  /** The head is first, and the numbers follow it: `outcomeOf` reads the reasons in this order. */
  #items({ before, after, rows, numbers }: LogCommit): TransactWriteItem[] {
    const put = (key: RowKey, row: Attributes, condition: Condition = { ConditionExpression: isNew }) => ({
      Put: { TableName: this.#table, Item: { ...keyAttributes(key), ...row }, ...condition },
    });
    return [
      put(logHeadKey, headAttributes(after), headCondition(before)),
      ...numbers.map((each) => put(logNumberKey(each.module), numberAttributes(each.number))),
      ...rows.map((row) => put(logRowKey(row), rowAttributes(row))),
      ...numbers.map(({ module }) => ({
        Delete: { TableName: this.#table, Key: keyAttributes(pendingKey(module)) },
      })),
    ];
  }
}

interface Condition {
  readonly ConditionExpression: string;
  readonly ExpressionAttributeValues?: Record<string, { readonly N: string }>;
}

function headCondition(before: LogHead | undefined): Condition {
  if (before === undefined) return { ConditionExpression: isNew };
  const { epoch, size } = attributes.logHead;
  return {
    ConditionExpression: `${epoch} = :epoch AND ${size} = :size`,
    ExpressionAttributeValues: { ":epoch": number(before.epoch), ":size": number(before.size) },
  };
}

/**
 * What cancelled a transaction, if it was the state of the log: each item has a reason, in their order. Throws `ServedError`
 * "log-damaged" where a row lies that the head does not know of.
 */
function outcomeOf(
  { rows, numbers }: LogCommit,
  reasons: readonly CancellationReason[],
): Exclude<CommitOutcome, "committed"> | undefined {
  const [head, ...others] = reasons.map(({ Code }) => Code);
  if (head === "ConditionalCheckFailed") return "outgrown";
  if ([head, ...others].includes("TransactionConflict")) return "outgrown";
  const written = others.slice(numbers.length, numbers.length + rows.length);
  if (written.includes("ConditionalCheckFailed"))
    throw new ServedError("log-damaged", "the log has rows that its head does not know of");
  const logged = numbers.filter((_, i) => others[i] === "ConditionalCheckFailed").map(({ module }) => module);
  return logged.length > 0 ? { logged } : undefined;
}

function isThrottled(reasons: readonly CancellationReason[]): boolean {
  return reasons.some(({ Code = "" }) => ["ThrottlingError", "ProvisionedThroughputExceeded"].includes(Code));
}
