import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  type GetItemCommand,
  type PutItemCommand,
  type QueryCommand,
  type UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";

type Row = Record<string, AttributeValue>;
type Command = GetItemCommand | PutItemCommand | QueryCommand | UpdateItemCommand;

/** The rows of tokens of DynamoDB in memory, as far as the records of tokens ask for them. */
export class FakeTokenTable {
  readonly rows = new Map<string, Row>();

  get client(): Pick<DynamoDBClient, "send"> {
    return { send: (command: Command) => this.#send(command) } as Pick<DynamoDBClient, "send">;
  }

  async #send(command: Command): Promise<unknown> {
    await new Promise(setImmediate);
    switch (command.constructor.name) {
      case "GetItemCommand":
        return { Item: this.rows.get(sortOf((command as GetItemCommand).input.Key)) };
      case "PutItemCommand":
        return this.#put((command as PutItemCommand).input.Item ?? {});
      case "UpdateItemCommand":
        return this.#update((command as UpdateItemCommand).input);
      default:
        return this.#query((command as QueryCommand).input);
    }
  }

  #put(item: Row): unknown {
    if (this.rows.has(sortOf(item))) throw refused();
    this.rows.set(sortOf(item), item);
    return {};
  }

  #update({ Key, ExpressionAttributeNames, ExpressionAttributeValues }: UpdateItemCommand["input"]): unknown {
    const row = this.rows.get(sortOf(Key));
    if (row === undefined) throw refused();
    const name = ExpressionAttributeNames?.["#r"] ?? "";
    const at = ExpressionAttributeValues?.[":at"];
    if (at !== undefined) this.rows.set(sortOf(Key), { [name]: at, ...row });
    return {};
  }

  #query({ Limit = 1, ExclusiveStartKey }: QueryCommand["input"]): unknown {
    const after = ExclusiveStartKey === undefined ? "" : sortOf(ExclusiveStartKey);
    const sorts = [...this.rows.keys()].filter((sort) => sort > after).sort();
    const page = sorts.slice(0, Limit);
    const Items = page.map((sort) => this.rows.get(sort));
    const last = Items.at(-1);
    return { Items, ...(last && page.length === Limit && { LastEvaluatedKey: { p: last.p, s: last.s } }) };
  }
}

function sortOf(row: Row | undefined): string {
  return row?.s?.S ?? "";
}

function refused(): Error {
  return new ConditionalCheckFailedException({ $metadata: {}, message: "the text of AWS" });
}
