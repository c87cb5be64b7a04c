import type {
  DescribeKeyValueStoreCommand,
  GetKeyCommand,
  ListKeysCommand,
  UpdateKeysCommand,
} from "@aws-sdk/client-cloudfront-keyvaluestore";
import type { KeyValueClient } from "../../lambda/aws/key-value-store.ts";

type Command = DescribeKeyValueStoreCommand | GetKeyCommand | ListKeysCommand | UpdateKeysCommand;

const maxValue = 1024;
const maxChanges = 50;

/** CloudFront's KeyValueStore in memory, with its conflicts, pages and limits. */
export class FakeKeyValues {
  readonly values: Map<string, string>;
  /** Called before each write, which does not happen when it throws. */
  beforeUpdate: () => void = () => {};
  /** Calls so far, by command. */
  readonly calls: Record<string, number> = {};
  #version = 0;

  constructor(values = new Map<string, string>()) {
    this.values = values;
  }

  /** What the code under test is given. */
  get client(): KeyValueClient {
    return { send: (command: Command) => this.#send(command) } as KeyValueClient;
  }

  async #send(command: Command): Promise<unknown> {
    const name = command.constructor.name;
    this.calls[name] = (this.calls[name] ?? 0) + 1;
    await new Promise(setImmediate);
    if (name === "DescribeKeyValueStoreCommand") return { ETag: `v${this.#version}` };
    if (name === "GetKeyCommand") return this.#get((command as GetKeyCommand).input.Key ?? "");
    if (name === "ListKeysCommand") return this.#list((command as ListKeysCommand).input);
    return this.#update((command as UpdateKeysCommand).input);
  }

  #get(key: string): unknown {
    const Value = this.values.get(key);
    if (Value === undefined) throw failure("ResourceNotFoundException");
    return { Key: key, Value };
  }

  #list({ MaxResults = 10, NextToken = "0" }: ListKeysCommand["input"]): unknown {
    const from = Number(NextToken);
    const items = [...this.values].map(([Key, Value]) => ({ Key, Value }));
    const next = from + MaxResults;
    return { Items: items.slice(from, next), ...(next < items.length && { NextToken: String(next) }) };
  }

  #update({ IfMatch, Puts = [], Deletes = [] }: UpdateKeysCommand["input"]): unknown {
    this.beforeUpdate();
    if (IfMatch !== `v${this.#version}`) throw failure("ConflictException");
    const tooLarge = Puts.some(({ Value = "" }) => Buffer.byteLength(Value) > maxValue);
    if (tooLarge || Puts.length + Deletes.length > maxChanges) throw failure("ValidationException");
    for (const { Key = "", Value = "" } of Puts) this.values.set(Key, Value);
    for (const { Key = "" } of Deletes) this.values.delete(Key);
    this.#version++;
    return { ETag: `v${this.#version}` };
  }
}

function failure(name: string): Error {
  return Object.assign(new Error("the text of AWS"), { name });
}
