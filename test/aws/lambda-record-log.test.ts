import assert from "node:assert/strict";
import { test } from "node:test";
import { ConditionalCheckFailedException, type DynamoDBClient, type PutItemCommand } from "@aws-sdk/client-dynamodb";
import type { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { settleLogName } from "../../lambda/aws/dynamo-log-names.ts";
import { LambdaRecordLog } from "../../lambda/aws/lambda-record-log.ts";
import { type AppendInvocation, packLogFailure, unpackAppend } from "../../lambda/aws/log-invocation.ts";
import type { LogRecord } from "../../lambda/proxy/store/log-store.ts";
import { ServedError } from "../../lambda/proxy/store/served-error.ts";

const hash = `h1:${"A".repeat(43)}=`;

function recordOf(name: string, proof?: LogRecord["proof"]): LogRecord {
  return { module: { path: `corp.example/${name}`, version: "v1.0.0" }, zip: hash, goMod: hash, proof };
}

type Reply = { readonly Payload?: Uint8Array; readonly FunctionError?: string } | Error;

/** A log whose function answers in this order, the last answer for ever; time goes by only while it sleeps. */
function logOf(...replies: readonly Reply[]) {
  let time = 0;
  const asked: AppendInvocation[] = [];
  const put: unknown[] = [];
  const send = async ({ input }: InvokeCommand) => {
    asked.push(JSON.parse(Buffer.from(input.Payload as Uint8Array).toString()));
    const reply = replies[Math.min(asked.length, replies.length) - 1];
    if (reply instanceof Error) throw reply;
    return reply;
  };
  const clock = {
    now: () => time,
    sleep: async (milliseconds: number) => {
      time += milliseconds;
    },
  };
  const client = { send } as unknown as LambdaClient;
  const dynamo = {
    send: async ({ input }: PutItemCommand) => put.push(input.Item?.path?.S),
  } as unknown as DynamoDBClient;
  return {
    log: new LambdaRecordLog({ client, functionName: "f", dynamo, table: "t", clock }),
    asked,
    put,
    time: () => time,
  };
}

function answer(outcome: unknown): Reply {
  return { Payload: Buffer.from(JSON.stringify(outcome)) };
}

const numbers = (...of: readonly string[]) => answer({ numbers: of });
const throttled = Object.assign(new Error("busy"), { name: "TooManyRequestsException" });

test("an append is one call, and records arrive as they were sent, their proofs too", async () => {
  const records = [recordOf("a"), recordOf("b", { number: 2n ** 40n, head: Uint8Array.of(0, 255, 10) })];
  const { log, asked } = logOf(numbers("7", String(2n ** 60n)));
  assert.deepEqual(await log.append(records), [7n, 2n ** 60n]);
  assert.deepEqual(asked.map(unpackAppend), [records]);
});

test("more records than one commit takes are more calls", async () => {
  const records = Array.from({ length: 27 }, (_, i) => recordOf(`m${i}`));
  const first = Array.from({ length: 25 }, (_, i) => String(i));
  const { log, asked } = logOf(numbers(...first), numbers("25", "26"));
  assert.deepEqual(
    await log.append(records),
    records.map((_, i) => BigInt(i)),
  );
  assert.deepEqual(
    asked.map(({ append }) => append.length),
    [25, 2],
  );
});

const lost: readonly (readonly [what: string, reply: Reply])[] = [
  ["found no place", throttled],
  ["crashed or was cut off", { ...numbers("9"), FunctionError: "Unhandled" }],
  ["lost its answer", new Error("socket hang up")],
  ["answered nothing", {}],
];

for (const [what, reply] of lost) {
  test(`a call that ${what} is made again, because it returns the same numbers`, async () => {
    const { log, asked } = logOf(reply, reply, numbers("3"));
    assert.deepEqual(await log.append([recordOf("a")]), [3n]);
    assert.deepEqual([asked.length, asked[2]], [3, asked[0]]);
  });
}

test("a log that cannot be reached is given up after a minute, and said to be busy where it is", async () => {
  for (const [reply, code] of [
    [throttled, "log-busy"],
    [new Error("socket hang up"), "store-failed"],
  ] as const) {
    const { log, time } = logOf(reply);
    await assert.rejects(log.append([recordOf("a")]), { code });
    assert.ok(time() > 50_000 && time() <= 60_000, String(time()));
  }
});

test("what the log refuses is what the caller is told, and asked once", async () => {
  const refused = new ServedError("record-mismatch", "SECURITY ERROR: other bytes");
  const { log, asked } = logOf(answer(packLogFailure(refused)));
  await assert.rejects(log.append([recordOf("a")]), { code: refused.code, message: refused.message });
  assert.equal(asked.length, 1);
  const unexpected = logOf(answer(packLogFailure(new Error("arn:aws:kms:secret"))));
  await assert.rejects(unexpected.log.append([recordOf("a")]), (error: Error) => !error.message.includes("arn:"));
});

const noAnswers: readonly (readonly [what: string, outcome: unknown])[] = [
  ["too few numbers", { numbers: [] }],
  ["too many", { numbers: ["1", "2"] }],
  ["what is no number", { numbers: ["1e3"] }],
  ["a number below zero", { numbers: ["-1"] }],
  ["a code of tomorrow", { error: { code: "log-eaten", message: "by a dog" } }],
];

for (const [what, outcome] of noAnswers) {
  test(`an answer with ${what} is none`, async () => {
    await assert.rejects(logOf(answer(outcome)).log.append([recordOf("a")]), { code: "internal" });
  });
}

test("an invocation with half a proof is none", () => {
  const [packed] = [{ path: "corp.example/a", version: "v1.0.0", zip: hash, goMod: hash }];
  for (const proof of [
    { number: "x", head: "AAAA" },
    { number: "1", head: "?" },
  ])
    assert.throws(() => unpackAppend({ append: [{ ...packed, proof }] as AppendInvocation["append"] }), {
      code: "internal",
    });
});

test("what is left for the background is written beside the log, and no function is called", async () => {
  const { log, asked, put } = logOf(throttled);
  await log.enqueue([recordOf("a"), recordOf("b")]);
  assert.deepEqual([asked, put.toSorted()], [[], ["corp.example/a", "corp.example/b"]]);
});

test("the first name of a key's log stays", async () => {
  const key = new Uint8Array(32);
  const rows = new Map<string, string>();
  const send = async ({ input: { Item = {} } }: PutItemCommand) => {
    const [place, name] = [`${Item.p?.S} ${Item.s?.S}`, Item.n?.S ?? ""];
    const first = rows.get(place);
    if (first !== undefined)
      throw new ConditionalCheckFailedException({ $metadata: {}, message: "", Item: { n: { S: first } } });
    rows.set(place, name);
    return {};
  };
  const client = { send } as unknown as DynamoDBClient;
  assert.equal(await settleLogName(client, "t", key, "1a2b3c4d.modfront"), "1a2b3c4d.modfront");
  assert.equal(await settleLogName(client, "t", key, "1a2b3c4d.go.corp.example"), "1a2b3c4d.modfront");
  assert.equal(await settleLogName(client, "t", key.fill(1), "5e6f7a8b.go.corp.example"), "5e6f7a8b.go.corp.example");
});
