import { promisify } from "node:util";
import { brotliCompress, brotliDecompress, constants } from "node:zlib";
import {
  type AttributeValue,
  BatchWriteItemCommand,
  type BatchWriteItemCommandInput,
  type BatchWriteItemCommandOutput,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import type { MemoryName, ModuleEntry, Remembered, VersionIndex } from "../proxy/store/version-index.ts";
import { orStoreFailed } from "./aws-failure.ts";
import { keyAttributes, memorySorts, modulePartition, moduleSort, moduleSpan, sweepAttribute } from "./table.ts";

type Row = Record<string, AttributeValue>;

const compress = promisify(brotliCompress);
const decompress = promisify(brotliDecompress);

/** A remembered text is at most this large; a row that unpacks to more was not written by us. */
const textLimit = 16 * 1024 * 1024;
const day = 86_400;

/**
 * The index as rows of one table. A version's row is its key and nothing else (60 bytes for a pseudo-version); a memory
 * is compressed text `z`, its end of freshness `u` (milliseconds) and the second after which DynamoDB may sweep it.
 *
 * `module` is one Query up to about 10,000 versions (a page is 1 MB), the other methods are one call each.
 */
export class DynamoVersionIndex implements VersionIndex {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async module(path: string): Promise<ModuleEntry> {
    const rows = await orStoreFailed("reading the index", () => this.#queryModule(modulePartition(path)));
    const versions: string[] = [];
    const memories = new Map<string, Row>();
    for (const row of rows) {
      const sort = row.s?.S ?? "";
      if (sort.startsWith("v")) versions.push(sort);
      else memories.set(sort, row);
    }
    return {
      versions,
      list: await remembered(memories.get(memorySorts.list)),
      latest: await remembered(memories.get(memorySorts.latest)),
    };
  }

  /** Writes the version's row and, in the same call, the row that says which path hides behind the partition's hash. */
  async addVersion(path: string, version: string): Promise<void> {
    const p = modulePartition(path);
    const rows: Row[] = [
      keyAttributes({ p, s: version }),
      { ...keyAttributes({ p, s: moduleSort }), path: { S: path } },
    ];
    await orStoreFailed("writing the index", () => this.#writeAll(rows));
  }

  async recall(path: string, name: MemoryName): Promise<Remembered | undefined> {
    const key = keyAttributes({ p: modulePartition(path), s: memorySort(name) });
    const answer = await orStoreFailed("reading the index", () =>
      this.#client.send(new GetItemCommand({ TableName: this.#table, Key: key, ConsistentRead: true })),
    );
    return await remembered(answer.Item);
  }

  async remember(path: string, name: MemoryName, memory: Remembered): Promise<void> {
    const item: Row = {
      ...keyAttributes({ p: modulePartition(path), s: memorySort(name) }),
      z: { B: await compress(memory.text, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }) },
      u: { N: String(memory.freshUntil) },
      [sweepAttribute]: { N: String(Math.ceil(memory.freshUntil / 1000) + keptFor(name)) },
    };
    await orStoreFailed("writing the index", () =>
      this.#client.send(new PutItemCommand({ TableName: this.#table, Item: item })),
    );
  }

  /** The paths of all modules with a stored version, in no particular order: a Scan, for maintenance only. */
  async *modules(): AsyncIterable<string> {
    let start: Row | undefined;
    do {
      const page = await orStoreFailed("listing the index", () =>
        this.#client.send(
          new ScanCommand({
            TableName: this.#table,
            FilterExpression: "s = :module",
            ExpressionAttributeValues: { ":module": { S: moduleSort } },
            ExclusiveStartKey: start,
          }),
        ),
      );
      for (const row of page.Items ?? []) if (row.path?.S !== undefined) yield row.path.S;
      start = page.LastEvaluatedKey;
    } while (start !== undefined);
  }

  async #queryModule(partition: string): Promise<Row[]> {
    const rows: Row[] = [];
    let start: Row | undefined;
    do {
      const page = await this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          KeyConditionExpression: "p = :p AND s BETWEEN :from AND :to",
          ExpressionAttributeValues: {
            ":p": { S: partition },
            ":from": { S: moduleSpan.from },
            ":to": { S: moduleSpan.to },
          },
          ConsistentRead: true,
          ExclusiveStartKey: start,
        }),
      );
      rows.push(...(page.Items ?? []));
      start = page.LastEvaluatedKey;
    } while (start !== undefined);
    return rows;
  }

  async #writeAll(rows: readonly Row[]): Promise<void> {
    let rest: BatchWriteItemCommandInput["RequestItems"] = {
      [this.#table]: rows.map((Item) => ({ PutRequest: { Item } })),
    };
    for (let attempt = 0; attempt < 8; attempt++) {
      const answer: BatchWriteItemCommandOutput = await this.#client.send(
        new BatchWriteItemCommand({ RequestItems: rest }),
      );
      rest = answer.UnprocessedItems;
      if (rest === undefined || Object.keys(rest).length === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 20 * 2 ** attempt * (0.5 + Math.random() / 2)));
    }
    throw new Error("rows left unprocessed");
  }
}

/** `"query master"` becomes `"q master"`, `"missing v1.0.0.zip"` becomes `"n v1.0.0.zip"`: outside the module's Query. */
function memorySort(name: MemoryName): string {
  if (name === "list" || name === "latest") return memorySorts[name];
  return name.startsWith("query ") ? `q ${name.slice(6)}` : `n ${name.slice(8)}`;
}

/** Seconds for which a stale memory is kept: what an outage may need is kept long, what hostile names make is not. */
function keptFor(name: MemoryName): number {
  if (name === "list" || name === "latest") return 365 * day;
  return name.startsWith("query ") ? 30 * day : day;
}

async function remembered(row: Row | undefined): Promise<Remembered | undefined> {
  const packed = row?.z?.B;
  if (packed === undefined) return undefined;
  const text = await orStoreFailed("reading the index", () => decompress(packed, { maxOutputLength: textLimit }));
  return { text: text.toString("utf8"), freshUntil: Number(row?.u?.N ?? 0) };
}
