import { type AttributeValue, BatchGetItemCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { keyAttributes, type RowKey } from "./table.ts";

type Row = Readonly<Record<string, AttributeValue>>;

/** How often is asked for what a table did not give or take, because it was asked for too much. */
export const attempts = 6;

/** Waits before the next try, of what the client does not try again by itself: longer each time, and never for as long as others. */
export async function pauseBefore(attempt: number): Promise<void> {
  const milliseconds = Math.min(25 * 2 ** attempt, 1000) * (0.5 + Math.random() / 2);
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/**
 * The rows of these keys, at most 100, in their order, `undefined` where there is none: one call, and more for what the table
 * did not give at once, because it was asked for too much or the answer would have been too long.
 *
 * Each row is read consistently, and none waits for a transaction. Throws when keys stay unanswered.
 */
export async function readRows(
  client: DynamoDBClient,
  table: string,
  keys: readonly RowKey[],
): Promise<readonly (Row | undefined)[]> {
  const found = new Map<string, Row>();
  // The same key twice is refused.
  let asked = [...new Map(keys.map((key) => [nameOf(key), keyAttributes(key)])).values()];
  for (let attempt = 0; asked.length > 0; attempt++) {
    if (attempt === attempts) throw new Error(`${asked.length} rows were not given`);
    if (attempt > 0) await pauseBefore(attempt);
    const RequestItems = { [table]: { Keys: asked, ConsistentRead: true } };
    const { Responses, UnprocessedKeys } = await client.send(new BatchGetItemCommand({ RequestItems }));
    for (const row of Responses?.[table] ?? []) found.set(nameOf({ p: row.p?.S ?? "", s: row.s?.S ?? "" }), row);
    asked = (UnprocessedKeys?.[table]?.Keys ?? []) as typeof asked;
  }
  return keys.map((key) => found.get(nameOf(key)));
}

function nameOf({ p, s }: RowKey): string {
  return `${p}\n${s}`;
}
