import assert from "node:assert/strict";
import { test } from "node:test";
import type { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { bodyLimit, packAnswer, packFailure } from "../../lambda/aws/fill-invocation.ts";
import { LambdaFillPlane, patience } from "../../lambda/aws/lambda-fill-plane.ts";
import type { FillAnswer, FillRequest } from "../../lambda/proxy/store/fill-plane.ts";
import { ServedError } from "../../lambda/proxy/store/served-error.ts";

const request = { kind: "info", module: { path: "example.com/m", version: "v1.0.0" } } as const satisfies FillRequest;
const link = async (key: string) => ({ GET: `https://bucket/${key}`, HEAD: `https://bucket/${key}?head` });

type Reply = { readonly Payload?: Uint8Array; readonly FunctionError?: string } | Error;

/** A fill plane whose function answers in this order; time goes by only while it sleeps. */
function plane(...replies: readonly Reply[]) {
  const since = 0;
  let time = 0;
  const payloads: unknown[] = [];
  const slept: number[] = [];
  const send = async (command: InvokeCommand) => {
    payloads.push(JSON.parse(Buffer.from(command.input.Payload as Uint8Array).toString()));
    const reply = replies[Math.min(payloads.length, replies.length) - 1];
    if (reply instanceof Error) throw reply;
    return reply;
  };
  const clock = {
    now: () => time,
    sleep: async (milliseconds: number) => {
      slept.push(milliseconds);
      time += milliseconds;
    },
  };
  const client = { send } as unknown as LambdaClient;
  return { fill: new LambdaFillPlane({ client, functionName: "f", clock, since: () => since }), payloads, slept };
}

async function replyOf(answer: FillAnswer): Promise<Reply> {
  return { Payload: Buffer.from(JSON.stringify(await packAnswer(request, answer, link))) };
}

const throttled = Object.assign(new Error("busy"), { name: "TooManyRequestsException" });

const answers: readonly (readonly [what: string, answer: FillAnswer, expected: unknown])[] = [
  ["bytes", { body: Uint8Array.of(0, 255, 10) }, { body: Buffer.of(0, 255, 10) }],
  [
    "bytes that are good for a while",
    { body: new Uint8Array(), freshUntil: 5, stale: true },
    { body: Buffer.alloc(0), freshUntil: 5, stale: true },
  ],
  ["a stored file", { stored: "a.zip", size: 7 }, { stored: "a.zip", size: 7, links: await link("a.zip") }],
];

for (const [what, answer, expected] of answers) {
  test(`the answer survives the way: ${what}`, async () => {
    const { fill, payloads } = plane(await replyOf(answer));
    assert.deepEqual(await fill.fill(request), expected);
    assert.deepEqual(payloads, [{ request, waitUntil: patience }]);
  });
}

const failures: readonly (readonly [what: string, error: unknown, code: string, message: RegExp])[] = [
  ["one of ours, with its words", new ServedError("not-found", "no such version"), "not-found", /^no such version$/],
  ["any other, without", new Error("/tmp/secret ENOENT"), "internal", /^modfront failed/],
];

for (const [what, error, code, message] of failures) {
  test(`a failure survives the way: ${what}`, async () => {
    const { fill } = plane({ Payload: Buffer.from(JSON.stringify(packFailure(error))) });
    await assert.rejects(fill.fill(request), { code, message });
  });
}

test("a place is waited for with growing pauses, and the fill asked for once", async () => {
  const { fill, payloads, slept } = plane(throttled, throttled, await replyOf({ body: Buffer.from("x") }));
  await fill.fill(request);
  assert.equal(payloads.length, 3);
  assert.ok(
    slept[0] && slept[0] >= 50 && slept[0] <= 100 && slept[1] && slept[1] >= 100 && slept[1] <= 200,
    String(slept),
  );
});

test("without a free place the client is sent back within two seconds, which frees the one it waits in", async () => {
  const { fill, slept, payloads } = plane(throttled);
  await assert.rejects(fill.fill(request), { code: "fill-timeout" });
  const waited = slept.reduce((sum, each) => sum + each, 0);
  assert.ok(payloads.length > 3 && waited > 500 && waited <= 2_000, `${payloads.length} tries in ${waited} ms`);
});

test("any other failure of the call is not tried again", async () => {
  for (const reply of [new Error("ECONNRESET"), { FunctionError: "Unhandled", Payload: Buffer.from("{}") }, {}]) {
    const { fill, payloads } = plane(reply);
    await assert.rejects(fill.fill(request), { code: "store-failed", message: "the fill plane could not be asked" });
    assert.equal(payloads.length, 1);
  }
});

const { module } = request;
const tooLarge: readonly (readonly [what: string, request: FillRequest, stored: string | undefined])[] = [
  ["an .info", request, "example.com/m/@v/v1.0.0.info"],
  ["a go.mod", { kind: "mod", module }, "example.com/m/@v/v1.0.0.mod"],
  ["a list", { kind: "list", path: module.path }, undefined],
];

for (const [what, asked, stored] of tooLarge) {
  test(`what Lambda could not carry is handed over as the file it is, else refused: ${what}`, async () => {
    assert.ok("body" in (await packAnswer(asked, { body: new Uint8Array(bodyLimit) }, link)));
    const packed = packAnswer(asked, { body: new Uint8Array(bodyLimit + 1) }, link);
    if (stored === undefined) await assert.rejects(packed, { code: "internal" });
    else assert.deepEqual(await packed, { stored, size: bodyLimit + 1, links: await link(stored) });
  });
}
