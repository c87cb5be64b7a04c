import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
} from "@aws-sdk/client-dynamodb";
import {
  noSuchRuling,
  type Ruling,
  type RulingChange,
  type RulingKind,
  type RulingName,
  type RulingNote,
  type RulingPage,
  type RulingStore,
  rememberedRemoval,
} from "../proxy/store/ruling-store.ts";
import { orStoreFailed } from "./aws-failure.ts";
import { attributes, keyAttributes, rulingKey, rulingPrefix, rulingSorts } from "./table.ts";

type Row = Record<string, AttributeValue>;

/** How many rows `change` writes at once. */
const writtenAtOnce = 25;

const kinds: readonly RulingKind[] = ["block", "exception", "verdict"];
const a = attributes.ruling;

/**
 * What is ruled about modules, in rows of the index's table: a partition for each kind, so that a page is one Query and
 * the rows of a module are one in each. What ended is swept.
 */
export class DynamoRulingStore implements RulingStore {
  readonly #client: Pick<DynamoDBClient, "send">;
  readonly #table: string;

  constructor(client: Pick<DynamoDBClient, "send">, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async set(ruling: Ruling, note?: RulingNote): Promise<void> {
    await note?.();
    await this.#put(rowOf(ruling));
  }

  async remove(change: Parameters<RulingStore["remove"]>[0], note?: RulingNote): Promise<void> {
    if ((await this.last(change))?.removed !== false) throw noSuchRuling();
    await note?.();
    const { at, request } = change;
    const row = {
      ...keyAttributes(rulingKey(change)),
      [a.at]: { N: String(at) },
      [a.request]: { S: request },
      [a.removed]: { BOOL: true },
      [attributes.sweep]: { N: seconds(at + rememberedRemoval) },
    };
    const isThere = {
      ConditionExpression: "attribute_exists(#p) AND attribute_not_exists(#r)",
      ExpressionAttributeNames: { "#p": attributes.key.partition, "#r": a.removed },
    };
    await this.#put(row, isThere);
  }

  async change(sets: readonly Ruling[], removes: readonly RulingName[]): Promise<void> {
    const writes = [
      ...sets.map((ruling) => () => this.#put(rowOf(ruling))),
      ...removes.map((name) => () => this.#delete(name)),
    ];
    for (let from = 0; from < writes.length; from += writtenAtOnce)
      await Promise.all(writes.slice(from, from + writtenAtOnce).map((write) => write()));
  }

  async last(name: RulingName): Promise<RulingChange | undefined> {
    const read = { TableName: this.#table, Key: keyAttributes(rulingKey(name)), ConsistentRead: true };
    const { Item } = await orStoreFailed("reading a ruling", () => this.#client.send(new GetItemCommand(read)));
    if (Item === undefined) return undefined;
    return { at: Number(Item[a.at]?.N), request: Item[a.request]?.S ?? "", removed: isRemoved(Item) };
  }

  async ofModule(module: string): Promise<readonly Ruling[]> {
    const ofKind = async (kind: RulingKind) => {
      const rows: Row[] = [];
      let from: Row | undefined;
      do {
        const page = await this.#query(kind, { begins: rulingSorts(module), from });
        rows.push(...page.rows);
        from = page.next;
      } while (from !== undefined);
      return rows.filter((row) => !isRemoved(row)).map((row) => rulingOf(kind, row));
    };
    return (await Promise.all(kinds.map(ofKind))).flat();
  }

  async list(kind: RulingKind, limit: number, after?: RulingName): Promise<RulingPage> {
    const items: Ruling[] = [];
    let from: Row | undefined = after && { ...keyAttributes(rulingKey({ ...after, kind })) };
    do {
      const page: Page = await this.#query(kind, { from, limit: limit - items.length });
      items.push(...page.rows.filter((row) => !isRemoved(row)).map((row) => rulingOf(kind, row)));
      from = page.next;
    } while (from !== undefined && items.length < limit);
    return from === undefined ? { items } : { items, next: items.at(-1) };
  }

  async count(kind: RulingKind): Promise<number> {
    let [count, from] = [0, undefined as Row | undefined];
    do {
      const page = await this.#query(kind, { from, more: { Select: "COUNT", ...present } });
      count += page.count;
      from = page.next;
    } while (from !== undefined);
    return count;
  }

  async #query(kind: RulingKind, { begins = "", from, limit, more = {} }: Reading): Promise<Page> {
    const { ExpressionAttributeNames = {}, ...rest } = more;
    const query = new QueryCommand({
      TableName: this.#table,
      KeyConditionExpression: begins === "" ? "#p = :p" : "#p = :p AND begins_with(#s, :s)",
      ExpressionAttributeNames: {
        "#p": attributes.key.partition,
        ...(begins !== "" && { "#s": attributes.key.sort }),
        ...ExpressionAttributeNames,
      },
      ExpressionAttributeValues: {
        ":p": { S: `${rulingPrefix}${kind}` },
        ...(begins !== "" && { ":s": { S: begins } }),
      },
      ConsistentRead: true,
      ...(limit !== undefined && { Limit: limit }),
      ...(from !== undefined && { ExclusiveStartKey: from }),
      ...rest,
    });
    const {
      Items = [],
      Count = 0,
      LastEvaluatedKey,
    } = await orStoreFailed("reading rulings", () => this.#client.send(query));
    return { rows: Items, count: Count, next: LastEvaluatedKey };
  }

  async #put(Item: Row, condition: object = {}): Promise<void> {
    const put = new PutItemCommand({ TableName: this.#table, Item, ...condition });
    await orStoreFailed("keeping a ruling", () => this.#client.send(put).catch(asMissing));
  }

  async #delete(name: RulingName): Promise<void> {
    const remove = new DeleteItemCommand({ TableName: this.#table, Key: keyAttributes(rulingKey(name)) });
    await orStoreFailed("keeping a ruling", () => this.#client.send(remove));
  }
}

interface Reading {
  readonly begins?: string;
  readonly from?: Row | undefined;
  readonly limit?: number;
  readonly more?: Partial<QueryCommandInput>;
}

interface Page {
  readonly rows: readonly Row[];
  readonly count: number;
  readonly next: Row | undefined;
}

const present = {
  FilterExpression: "attribute_not_exists(#r)",
  ExpressionAttributeNames: { "#r": a.removed },
} satisfies Partial<QueryCommandInput>;

function asMissing(error: unknown): never {
  throw error instanceof ConditionalCheckFailedException ? noSuchRuling() : error;
}

function rowOf(ruling: Ruling): Row {
  const { module, reason, until, by, at, request } = ruling;
  return {
    ...keyAttributes(rulingKey(ruling)),
    [a.module]: { S: module },
    [a.reason]: { S: reason },
    [a.by]: { S: by },
    [a.at]: { N: String(at) },
    [a.request]: { S: request },
    ...(until !== undefined && {
      [a.until]: { N: String(until) },
      [attributes.sweep]: { N: seconds(until + rememberedRemoval) },
    }),
  };
}

function rulingOf(kind: RulingKind, row: Row): Ruling {
  const text = (name: string) => row[name]?.S ?? "";
  const until = row[a.until]?.N;
  const sort = text(attributes.key.sort);
  return {
    kind,
    module: text(a.module),
    version: sort.slice(sort.indexOf(" ") + 1),
    reason: text(a.reason),
    by: text(a.by),
    at: Number(row[a.at]?.N),
    request: text(a.request),
    ...(until !== undefined && { until: Number(until) }),
  };
}

function isRemoved(row: Row): boolean {
  return row[a.removed]?.BOOL === true;
}

function seconds(milliseconds: number): string {
  return String(Math.ceil(milliseconds / 1000));
}
