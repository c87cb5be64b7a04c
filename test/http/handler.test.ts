import assert from "node:assert/strict";
import { test } from "node:test";
import { entityTag } from "../../lambda/http/entity-tag.ts";
import { createHandler, type HttpRequest } from "../../lambda/http/handler.ts";
import type { Served } from "../../lambda/proxy/serve/serve.ts";
import { type PolicyName, policies } from "../../lambda/proxy/store/layout.ts";
import { ServedError } from "../../lambda/proxy/store/served-error.ts";

const body = Buffer.from("body");
const etag = entityTag(body);

/** A handler around one answer or failure, and what it told its observer. */
function open(served: Partial<Served> | Error) {
  const seen: unknown[][] = [];
  const handler = createHandler({
    serve: async ({ path }) => {
      if (served instanceof Error) throw served;
      return { policy: "list", module: path, content: { body }, ...served };
    },
    isPrivate: (module) => module.startsWith("corp.example"),
    observe: (request, answer, error) => seen.push([request.routed.path, answer.status, error]),
  });
  const get = (headers: HttpRequest["headers"] = {}, path = "example.com/m") =>
    handler({ method: "GET", routed: { route: "list", path }, headers });
  return { get, seen };
}

test("each kind of answer has its type, its time in caches and a strong entity tag", async () => {
  for (const [policy, { contentType, cacheControl }] of Object.entries(policies)) {
    const { get } = open({ policy: policy as PolicyName });
    assert.deepEqual(await get(), {
      status: 200,
      headers: {
        "content-type": contentType,
        "cache-control": cacheControl,
        "x-content-type-options": "nosniff",
        etag,
      },
      body,
      // The same answer may be given for ever, or not at all without asking.
      ...(cacheControl.includes("immutable") ? { freshUntil: Number.POSITIVE_INFINITY } : {}),
    });
  }
});

test("what is private says neither public, for other shared caches, nor private, for CloudFront", async () => {
  for (const [policy, module, cacheControl] of [
    ["zip", "corp.example/m", "max-age=31536000, immutable"],
    ["info", "corp.example/m", "max-age=31536000, immutable"],
    ["zip", "example.com/m", "public, max-age=31536000, immutable"],
    ["fullTile", undefined, "public, max-age=31536000, immutable"],
  ] as const) {
    const { headers } = await open({ policy, module }).get();
    assert.equal(headers["cache-control"], cacheControl);
  }
});

test("staleness is a header, and until when an answer is good is handed on", async () => {
  const stale = await open({ content: { body, stale: true, freshUntil: 5 } }).get();
  assert.deepEqual([stale.status, stale.headers.warning, stale.freshUntil], [200, '110 - "Response is Stale"', 5]);
  const fresh = await open({ content: { body, stale: false, freshUntil: 7 } }).get();
  assert.deepEqual([fresh.headers.warning, fresh.freshUntil], [undefined, 7]);
});

test("a stored file is handed on by its key, without an entity tag of its own", async () => {
  const content = { stored: "example.com/m/@v/v1.0.0.zip", size: 5 };
  const answer = await open({ policy: "zip", content }).get({ "if-none-match": "*" });
  assert.deepEqual([answer.status, answer.body, answer.headers.etag], [200, content, undefined]);
});

test("who has it already gets a 304 with the same headers and no body, and that is what is observed", async () => {
  for (const [condition, status] of [
    [undefined, 200],
    ['"other"', 200],
    ["", 200],
    [etag.slice(1, -1), 200],
    [etag, 304],
    [`W/${etag}`, 304],
    [`"other", ${etag}`, 304],
    ["*", 304],
  ] as const) {
    const { get, seen } = open({});
    const answer = await get({ "if-none-match": condition });
    assert.equal(answer.status, status, condition);
    assert.deepEqual(answer.body, status === 304 ? new Uint8Array() : body);
    assert.deepEqual(answer.headers, (await open({}).get()).headers);
    assert.deepEqual(seen, [["example.com/m", status, undefined]], condition);
  }
});

test("a failure is its row of the table whatever the condition, and is observed once with its error", async () => {
  for (const [error, status, text] of [
    [new ServedError("not-found", "no such version"), 404, "no such version\n"],
    [new ServedError("upstream-timeout", "too slow"), 504, "too slow\n"],
    [new Error("secret"), 500, "modfront failed; its log says why\n"],
    [new TypeError("secret"), 500, "modfront failed; its log says why\n"],
  ] as const) {
    const { get, seen } = open(error);
    const answer = await get({ "if-none-match": "*" });
    assert.deepEqual([answer.status, Buffer.from(answer.body as Uint8Array).toString()], [status, text]);
    assert.equal(answer.headers.etag, undefined);
    assert.deepEqual(seen, [["example.com/m", status, error]]);
  }
});

test("requests at the same time do not mix", async () => {
  const handler = createHandler({
    serve: async ({ path }) => {
      for (let turns = Number(path); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
      return { policy: "list", module: undefined, content: { body: Buffer.from(path) } };
    },
    isPrivate: () => false,
    observe: () => {},
  });
  const paths = ["3", "1", "2", "0"];
  const ask = (path: string) => handler({ method: "GET", routed: { route: "list", path }, headers: {} });
  const answers = await Promise.all(paths.map(ask));
  assert.deepEqual(
    answers.map((answer) => Buffer.from(answer.body as Uint8Array).toString()),
    paths,
  );
});
