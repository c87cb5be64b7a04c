import { promisify } from "node:util";
import { brotliCompress, brotliDecompress, constants } from "node:zlib";
import {
  type AttributeValue,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from "@aws-sdk/client-dynamodb";
import { forgetAfter } from "../proxy/store/memory-retention.ts";
import { knownFacts, parseOrigin, type VersionFacts } from "../proxy/store/version-facts.ts";
import type {
  MemoryName,
  ModuleEntry,
  Remembered,
  VersionFlag,
  VersionIndex,
  VersionRow,
} from "../proxy/store/version-index.ts";
import { awsErrorName, orStoreFailed } from "./aws-failure.ts";
import {
  attributes,
  factsSort,
  flagLetters,
  keyAttributes,
  memorySorts,
  modulePartition,
  moduleSpan,
  type RowKey,
} from "./table.ts";

type Row = Record<string, AttributeValue>;

const compress = promisify(brotliCompress);
const decompress = promisify(brotliDecompress);

/** A remembered text is at most this large; a row that unpacks to more was not written by us. */
const textLimit = 16 * 1024 * 1024;

/**
 * The index as rows of one table. A version's row is its key, when it was first seen and its flags (70 bytes for a
 * pseudo-version); its facts, with the path that hides behind the partition's hash, are a row outside the module's Query;
 * a memory is compressed text, its end of freshness and the second after which DynamoDB may sweep it.
 *
 * `module` is one Query up to about 10,000 versions (a page is 1 MB); adding and removing a version are two calls, the
 * other methods one each. Versions made before there were facts have neither them nor a first time, and the module's
 * path is in a row of its own.
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
    const versions: VersionRow[] = [];
    const memories = new Map<string, Row>();
    for (const row of rows) {
      const sort = row.s?.S ?? "";
      if (sort.startsWith("v")) versions.push(versionRow(sort, row));
      else memories.set(sort, row);
    }
    return {
      versions,
      list: await remembered(memories.get(memorySorts.list)),
      latest: await remembered(memories.get(memorySorts.latest)),
    };
  }

  /** Each fact is written where it is not yet, in one call whatever else is written at the same moment. */
  async addVersion(path: string, version: string, now: number, facts: VersionFacts): Promise<void> {
    const { firstSeen, flags } = attributes.version;
    const known = Object.entries({ ...factAttributes(facts), [attributes.facts.path]: { S: path } });
    await this.#update(factsKey(path, version), setIfAbsent(known));
    const isPublished = facts.origin === "published";
    await this.#update(versionKey(path, version), {
      UpdateExpression: isPublished
        ? `SET ${firstSeen} = if_not_exists(${firstSeen}, :now) ADD ${flags} :flag`
        : `SET ${firstSeen} = :now`,
      ...(!isPublished && { ConditionExpression: `attribute_not_exists(${attributes.key.partition})` }),
      ExpressionAttributeValues: {
        ":now": { N: String(now) },
        ...(isPublished && { ":flag": { SS: [flagLetters.published] } }),
      },
    });
  }

  async facts(path: string, version: string): Promise<VersionFacts | undefined> {
    const row = await this.#get(factsKey(path, version));
    return row && factsOf(row);
  }

  async setFlag(path: string, version: string, flag: VersionFlag, on: boolean): Promise<boolean> {
    return await this.#update(versionKey(path, version), {
      UpdateExpression: `${on ? "ADD" : "DELETE"} ${attributes.version.flags} :flag`,
      ConditionExpression: `attribute_exists(${attributes.key.partition})`,
      ExpressionAttributeValues: { ":flag": { SS: [flagLetters[flag]] } },
    });
  }

  async removeVersion(path: string, version: string): Promise<void> {
    for (const key of [versionKey(path, version), factsKey(path, version)]) {
      const removal = new DeleteItemCommand({ TableName: this.#table, Key: keyAttributes(key) });
      await orStoreFailed("writing the index", () => this.#client.send(removal));
    }
  }

  async recall(path: string, name: MemoryName): Promise<Remembered | undefined> {
    return await remembered(await this.#get({ p: modulePartition(path), s: memorySort(name) }));
  }

  async remember(path: string, name: MemoryName, { text, freshUntil }: Remembered): Promise<void> {
    const item: Row = {
      ...keyAttributes({ p: modulePartition(path), s: memorySort(name) }),
      [attributes.memory.text]: { B: await compress(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }) },
      [attributes.memory.freshUntil]: { N: String(freshUntil) },
      [attributes.sweep]: { N: String(Math.ceil(forgetAfter(name, freshUntil) / 1000)) },
    };
    await orStoreFailed("writing the index", () =>
      this.#client.send(new PutItemCommand({ TableName: this.#table, Item: item })),
    );
  }

  /**
   * All modules of which something was stored, and when the newest of their versions came (0 where no row says), in no
   * particular order: a Scan, for maintenance only. Rows of one partition come one after another.
   */
  async *modules(): AsyncIterable<{ readonly path: string; readonly newest: number }> {
    let module = { partition: "", path: "", newest: 0 };
    for await (const row of this.#scan()) {
      const partition = row[attributes.key.partition]?.S ?? "";
      if (partition !== module.partition) {
        if (module.path !== "") yield { path: module.path, newest: module.newest };
        module = { partition, path: "", newest: 0 };
      }
      module.path ||= row[attributes.facts.path]?.S ?? "";
      module.newest = Math.max(module.newest, Number(row[attributes.version.firstSeen]?.N ?? 0));
    }
    if (module.path !== "") yield { path: module.path, newest: module.newest };
  }

  async *#scan(): AsyncIterable<Row> {
    let start: Row | undefined;
    do {
      const page = await orStoreFailed("listing the index", () =>
        this.#client.send(
          new ScanCommand({
            TableName: this.#table,
            FilterExpression: "attribute_exists(#path) OR attribute_exists(#seen)",
            ProjectionExpression: "#partition, #path, #seen",
            ExpressionAttributeNames: {
              "#partition": attributes.key.partition,
              "#path": attributes.facts.path,
              "#seen": attributes.version.firstSeen,
            },
            ExclusiveStartKey: start,
          }),
        ),
      );
      yield* page.Items ?? [];
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
          KeyConditionExpression: `${attributes.key.partition} = :p AND ${attributes.key.sort} BETWEEN :from AND :to`,
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

  async #get(key: RowKey): Promise<Row | undefined> {
    const read = new GetItemCommand({ TableName: this.#table, Key: keyAttributes(key), ConsistentRead: true });
    return (await orStoreFailed("reading the index", () => this.#client.send(read))).Item;
  }

  /** False when the update's condition did not hold. */
  async #update(key: RowKey, input: Omit<UpdateItemCommandInput, "TableName" | "Key">): Promise<boolean> {
    return await orStoreFailed("writing the index", async () => {
      try {
        await this.#client.send(new UpdateItemCommand({ TableName: this.#table, Key: keyAttributes(key), ...input }));
        return true;
      } catch (error) {
        if (awsErrorName(error) === "ConditionalCheckFailedException") return false;
        throw error;
      }
    });
  }
}

function versionKey(path: string, version: string): RowKey {
  return { p: modulePartition(path), s: version };
}

function factsKey(path: string, version: string): RowKey {
  return { p: modulePartition(path), s: factsSort(version) };
}

/** Sets each attribute that is not there; names go by number, because some are words of DynamoDB's own. */
function setIfAbsent(entries: readonly (readonly [name: string, value: AttributeValue])[]) {
  return {
    UpdateExpression: `SET ${entries.map((_, i) => `#${i} = if_not_exists(#${i}, :${i})`).join(", ")}`,
    ExpressionAttributeNames: Object.fromEntries(entries.map(([name], i) => [`#${i}`, name])),
    ExpressionAttributeValues: Object.fromEntries(entries.map(([, value], i) => [`:${i}`, value])),
  };
}

const noFlags: readonly VersionFlag[] = [];

function versionRow(version: string, row: Row): VersionRow {
  const letters = row[attributes.version.flags]?.SS;
  const flags = letters === undefined ? noFlags : flagsOf(letters);
  return { version, firstSeen: Number(row[attributes.version.firstSeen]?.N ?? 0), flags };
}

function flagsOf(letters: readonly string[]): readonly VersionFlag[] {
  return (Object.keys(flagLetters) as VersionFlag[]).filter((flag) => letters.includes(flagLetters[flag]));
}

function factAttributes({ origin, zipSize, zipHash, goModHash, licences }: VersionFacts): Row {
  const a = attributes.facts;
  return {
    ...(origin && { [a.origin]: { S: origin } }),
    ...(zipSize !== undefined && { [a.zipSize]: { N: String(zipSize) } }),
    ...(zipHash && { [a.zipHash]: { S: zipHash } }),
    ...(goModHash && { [a.goModHash]: { S: goModHash } }),
    ...(licences && { [a.licences]: { L: licences.map((licence) => ({ S: licence })) } }),
  };
}

function factsOf(row: Row): VersionFacts | undefined {
  const a = attributes.facts;
  const size = row[a.zipSize]?.N;
  return knownFacts({
    origin: parseOrigin(row[a.origin]?.S),
    zipSize: size === undefined ? undefined : Number(size),
    zipHash: row[a.zipHash]?.S,
    goModHash: row[a.goModHash]?.S,
    licences: row[a.licences]?.L?.flatMap(({ S }) => S ?? []),
  });
}

/** `"query master"` becomes `"q master"`, `"missing v1.0.0.zip"` becomes `"n v1.0.0.zip"`: outside the module's Query. */
function memorySort(name: MemoryName): string {
  if (name === "list" || name === "latest") return memorySorts[name];
  return name.startsWith("query ") ? `q ${name.slice(6)}` : `n ${name.slice(8)}`;
}

async function remembered(row: Row | undefined): Promise<Remembered | undefined> {
  const packed = row?.[attributes.memory.text]?.B;
  if (packed === undefined) return undefined;
  const text = await orStoreFailed("reading the index", () => decompress(packed, { maxOutputLength: textLimit }));
  return { text: text.toString("utf8"), freshUntil: Number(row?.[attributes.memory.freshUntil]?.N ?? 0) };
}
