import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BatchGetItemCommand,
  type BatchWriteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  TransactionCanceledException,
  TransactionConflictException,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import { DynamoLogStore } from "../../lambda/aws/dynamo-log-store.ts";
import { DynamoPendingRecords } from "../../lambda/aws/dynamo-pending-records.ts";
import { logHeadKey, logNumberKey, logRowKey, pendingKey } from "../../lambda/aws/table.ts";
import type { LogCommit, LogHead } from "../../lambda/proxy/store/log-store.ts";

// How what DynamoDB may answer is read: most of it cannot be had from an emulator. That the adapters keep their contracts is
// shown by contract.emulator.ts.

const $metadata = {};
const hash = new Uint8Array(32);

/** A client that gives these answers, in this order. */
function answering(...answers: readonly unknown[]) {
  const sent: unknown[] = [];
  const send = async (command: unknown) => {
    const answer = answers[sent.push(command) - 1] ?? {};
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { client: { send } as unknown as DynamoDBClient, sent };
}

function headOf(size: bigint): LogHead {
  return { epoch: 1n, role: "primary", mode: "solo", size, root: hash };
}

const modules = ["a", "b"].map((name) => ({ path: `corp.example/${name}`, version: "v1.0.0" }));
const commit: LogCommit = {
  before: headOf(5n),
  after: headOf(7n),
  rows: [5n, 6n].map((number) => ({ level: 0, number, hashes: [hash], text: hash, proof: undefined })),
  numbers: modules.map((module, i) => ({ module, number: 5n + BigInt(i) })),
};

/** The reasons of a cancelled transaction: of the head, two numbers, two rows and two removals. */
function canceled(...codes: readonly string[]): Error {
  const CancellationReasons = Array.from({ length: 7 }, (_, i) => ({ Code: codes[i] ?? "None" }));
  return new TransactionCanceledException({ $metadata, message: "canceled", CancellationReasons });
}

const [ok, failed, conflict] = ["None", "ConditionalCheckFailed", "TransactionConflict"] as const;
const full = "ThrottlingError";

const outcomes: readonly (readonly [what: string, answers: readonly unknown[], outcome: unknown, calls: number])[] = [
  ["an answer", [{}], "committed", 1],
  ["a head that moved on", [canceled(failed)], "outgrown", 1],
  ["a head that moved on, with the same records", [canceled(failed, failed, failed)], "outgrown", 1],
  ["another transaction at the head", [canceled(conflict)], "outgrown", 1],
  ["somebody who writes one of the rows that wait", [canceled(ok, ok, ok, ok, ok, ok, conflict)], "outgrown", 1],
  ["another transaction, and a record that is there", [canceled(conflict, failed)], "outgrown", 1],
  ["one record that is there", [canceled(ok, ok, failed)], { logged: [modules[1]] }, 1],
  ["both records there", [canceled(ok, failed, failed)], { logged: modules }, 1],
  ["no capacity, then some", [canceled(full), canceled(ok, ok, ok, full), {}], "committed", 3],
  ["no capacity, then a head that moved on", [canceled(full), canceled(failed)], "outgrown", 2],
];

for (const [what, answers, outcome, calls] of outcomes) {
  test(`a commit that meets ${what}`, async () => {
    const { client, sent } = answering(...answers);
    assert.deepEqual(await new DynamoLogStore(client, "t").commit(commit), outcome);
    assert.equal(sent.length, calls);
  });
}

const failures: readonly (readonly [what: string, answers: readonly unknown[], code: string])[] = [
  ["rows beyond its head", [canceled(ok, ok, ok, failed)], "log-damaged"],
  ["something that is not valid", [canceled(ok, ok, ok, "ValidationError")], "store-failed"],
  ["no reason", [canceled()], "store-failed"],
  ["no capacity however often", Array(9).fill(canceled(full)), "store-failed"],
  ["an outage", [new Error("socket hang up")], "store-failed"],
];

for (const [what, answers, code] of failures) {
  test(`a commit that meets ${what} fails`, async () => {
    await assert.rejects(new DynamoLogStore(answering(...answers).client, "t").commit(commit), { code });
  });
}

test("each try of a commit is a transaction of its own, for which the client's own tries have one token", async () => {
  const { client, sent } = answering(canceled(full), {});
  await new DynamoLogStore(client, "t").commit(commit);
  const tokens = sent.map((command) => (command as TransactWriteItemsCommand).input.ClientRequestToken ?? "");
  assert.equal(new Set(tokens).size, 2);
  for (const token of tokens) assert.match(token, /^[0-9a-f-]{36}$/);
});

test("a commit writes each row once, conditioned on the head and on there being none, and 79 items at most", async () => {
  const { client, sent } = answering({});
  // The last of 2^24 records completes subtrees of the heights 8, 16 and 24.
  const numbers = Array.from({ length: 25 }, (_, i) => ({
    module: { path: `corp.example/${i}`, version: "v1.0.0" },
    number: 2n ** 24n - 25n + BigInt(i),
  }));
  const rows = [
    ...numbers.map(({ number }) => ({ level: 0, number })),
    ...[1, 2, 3].map((level) => ({ level, number: 2n ** BigInt(24 - level * 8) - 1n })),
  ].map((place) => ({ ...place, hashes: [hash], text: undefined, proof: undefined }));
  await new DynamoLogStore(client, "t").commit({
    before: headOf(numbers[0]?.number ?? 0n),
    after: headOf(1n),
    rows,
    numbers,
  });
  const { TransactItems = [] } = (sent[0] as TransactWriteItemsCommand).input;
  assert.ok(sent[0] instanceof TransactWriteItemsCommand);
  assert.equal(TransactItems.length, 79);
  const puts = TransactItems.flatMap(({ Put }) => (Put ? [Put] : []));
  assert.deepEqual([puts.length, TransactItems.filter(({ Delete }) => Delete).length], [54, 25]);
  const [head, ...others] = puts;
  assert.deepEqual([head?.Item?.p, head?.ConditionExpression], [{ S: "log head" }, "e = :epoch AND z = :size"]);
  for (const { ConditionExpression } of others) assert.equal(ConditionExpression, "attribute_not_exists(p)");
});

test("the rows of a tile lie together, in the order of their numbers", () => {
  const rows = [
    [0, 0n, "log 0", "000"],
    [0, 255n, "log 0", "255"],
    [0, 256n, "log 1", "000"],
    [0, 515n, "log 2", "003"],
    [1, 3n, "log1 0", "003"],
    [2, 65_535n, "log2 255", "255"],
  ] as const;
  for (const [level, number, p, s] of rows) assert.deepEqual(logRowKey({ level, number }), { p, s });
});

test("no key is longer than DynamoDB's 1,024 bytes of a sort key, whatever the path, nor one for two versions", () => {
  const long = { path: `corp.example/${"long/".repeat(180)}m`, version: "v1.0.0" };
  for (const { s } of [pendingKey(long), logNumberKey(long)]) assert.ok(Buffer.byteLength(s) <= 1024);
  assert.notEqual(pendingKey(long).s, pendingKey({ ...long, version: "v1.0.1" }).s);
  assert.deepEqual(logHeadKey, { p: "log head", s: "head" });
});

test("what a full table did not give or take at once is asked for again, and nothing twice", async () => {
  const [first, second] = modules.map((module) => ({
    p: { S: logNumberKey(module).p },
    s: { S: logNumberKey(module).s },
  }));
  const half = {
    Responses: { t: [{ ...second, n: { N: "6" } }] },
    UnprocessedKeys: { t: { Keys: [first], ConsistentRead: true } },
  };
  const { client, sent } = answering(half, { Responses: { t: [{ ...first, n: { N: "5" } }] } });
  const asked = [...modules, ...modules.slice(0, 1)];
  assert.deepEqual(await new DynamoLogStore(client, "t").numbers(asked), [5n, 6n, 5n]);
  const keys = sent.map((command) => (command as BatchGetItemCommand).input.RequestItems?.t);
  assert.ok(sent.every((command) => command instanceof BatchGetItemCommand));
  assert.deepEqual(keys, [
    { Keys: [first, second], ConsistentRead: true },
    { Keys: [first], ConsistentRead: true },
  ]);

  const left = { DeleteRequest: { Key: first } };
  const removal = answering({ UnprocessedItems: { t: [left] } }, {});
  await new DynamoPendingRecords(removal.client, "t").remove(modules);
  const removed = removal.sent.map((command) => (command as BatchWriteItemCommand).input.RequestItems?.t?.length);
  assert.deepEqual(removed, [2, 1]);
});

test("a table that never gives or takes the rest is a failure", async () => {
  const never = { UnprocessedKeys: { t: { Keys: [{ p: { S: "x" }, s: { S: "y" } }] } } };
  const reads = new DynamoLogStore(answering(...Array(20).fill(never)).client, "t");
  await assert.rejects(reads.rows([{ level: 0, number: 1n }]), { code: "store-failed" });
});

test("a record that is appended at the very moment waits, and is not lost", async () => {
  const busy = new TransactionConflictException({ $metadata, message: "busy" });
  const { client, sent } = answering(busy, {});
  const record = {
    module: { path: "corp.example/a", version: "v1.0.0" },
    zip: "h1:a=",
    goMod: "h1:b=",
    proof: undefined,
  };
  await new DynamoPendingRecords(client, "t").add([record]);
  assert.deepEqual(
    sent.map((command) => command instanceof PutItemCommand),
    [true, true],
  );
});

const damage: readonly (readonly [what: string, row: Record<string, unknown>])[] = [
  ["nothing", {}],
  ["a role that there is not", { e: { N: "1" }, r: { S: "king" }, m: { S: "solo" }, z: { N: "1" }, h: { B: hash } }],
  ["half a root", { e: { N: "1" }, r: { S: "primary" }, m: { S: "solo" }, z: { N: "1" }, h: { B: hash.subarray(1) } }],
  ["a size below zero", { e: { N: "1" }, r: { S: "primary" }, m: { S: "solo" }, z: { N: "-1" }, h: { B: hash } }],
  ["a size that is none", { e: { N: "1" }, r: { S: "primary" }, m: { S: "solo" }, z: { N: "1.5" }, h: { B: hash } }],
];

for (const [what, Item] of damage) {
  test(`a head of which the row has ${what} is no head`, async () => {
    const { client, sent } = answering({ Item });
    await assert.rejects(new DynamoLogStore(client, "t").head(), { code: "store-failed" });
    assert.equal((sent[0] as GetItemCommand).input.ConsistentRead, true);
    assert.ok(sent[0] instanceof GetItemCommand);
  });
}
