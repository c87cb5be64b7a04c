import assert from "node:assert/strict";
import { test } from "node:test";
import { anonymous, type Identity } from "../../lambda/edge/token.ts";
import { entityTag } from "../../lambda/http/entity-tag.ts";
import { frame } from "../../lambda/http/frame.ts";
import { createHandler, type HttpRequest } from "../../lambda/http/handler.ts";
import { onlyStored } from "../../lambda/http/only-stored.ts";
import { textAnswer } from "../../lambda/http/probes.ts";
import { errorOf } from "../../lambda/http/result.ts";
import { createStack } from "../../lambda/http/stack.ts";
import { parsePath } from "../../lambda/proxy/serve/received-path.ts";
import type { Served } from "../../lambda/proxy/serve/serve.ts";
import { type PolicyName, policies } from "../../lambda/proxy/store/layout.ts";
import { ServedError } from "../../lambda/proxy/store/served-error.ts";
import { invocationOf, throughStack } from "../support/through-stack.ts";

const body = Buffer.from("body");
const etag = entityTag(body);

/** A handler around one answer or failure, asked through the stack. */
function open(served: Partial<Served> | Error) {
  const handler = createHandler(
    async ({ path }) => {
      if (served instanceof Error) throw served;
      return { policy: "list", module: path, content: { body }, ...served };
    },
    (module) => module.startsWith("corp.example"),
  );
  const ask = (headers: HttpRequest["headers"] = {}, path = "example.com/m") =>
    throughStack(handler, { method: "GET", routed: { route: "list", path }, headers });
  return { ask, get: async (...asked: Parameters<typeof ask>) => (await ask(...asked)).answer };
}

test("each kind of answer has its type, its time in caches and a strong entity tag", async () => {
  for (const [policy, { contentType, cacheControl }] of Object.entries(policies)) {
    const { get } = open({ policy: policy as PolicyName });
    assert.deepEqual(await get(), {
      kind: "answer",
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

test("who has it already gets a 304 with the same headers and no body", async () => {
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
    const answer = await open({}).get({ "if-none-match": condition });
    assert.equal(answer.status, status, condition);
    assert.deepEqual(answer.body, status === 304 ? new Uint8Array() : body);
    assert.deepEqual(answer.headers, (await open({}).get()).headers);
  }
});

test("a failure is a value with its error, and its row of the table whatever the condition", async () => {
  for (const [error, status, text] of [
    [new ServedError("not-found", "no such version"), 404, "no such version\n"],
    [new ServedError("upstream-timeout", "too slow"), 504, "too slow\n"],
    [new Error("secret"), 500, "modfront failed; its log says why\n"],
    [new TypeError("secret"), 500, "modfront failed; its log says why\n"],
  ] as const) {
    const { result, answer } = await open(error).ask({ "if-none-match": "*" });
    assert.deepEqual([answer.status, Buffer.from(answer.body as Uint8Array).toString()], [status, text]);
    assert.equal(answer.headers.etag, undefined);
    const thrown = errorOf(result);
    assert.equal(thrown?.code === "internal" ? thrown.cause : thrown, error);
  }
});

test("an answer without an entity tag is nobody's already, whatever the condition", async () => {
  const request = { method: "GET", routed: { route: "site", path: "/-/live" } } as const;
  for (const condition of ["", "*", '""', " * ", '"x", *']) {
    const { answer } = await throughStack(async () => textAnswer("ok\n"), {
      ...request,
      headers: { "if-none-match": condition },
    });
    assert.deepEqual([answer.status, answer.headers.etag], [200, undefined], condition);
  }
});

test("requests at the same time do not mix", async () => {
  const handler = createHandler(
    async ({ path }) => {
      for (let turns = Number(path); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
      return { policy: "list", module: undefined, content: { body: Buffer.from(path) } };
    },
    () => false,
  );
  const stack = createStack({ list: handler }, async () => anonymous);
  const paths = ["3", "1", "2", "0"];
  const ask = (path: string) =>
    stack({ method: "GET", routed: { route: "list", path }, headers: {} }, invocationOf()).then(frame);
  const answers = await Promise.all(paths.map(ask));
  assert.deepEqual(
    answers.map((answer) => Buffer.from(answer.body as Uint8Array).toString()),
    paths,
  );
});

test("the handler is told who asks in a new request; the one that was received stays as it was", async () => {
  const viewer: Identity = { id: "abc123", role: "viewer", subject: "gopher", modules: "" };
  const received = Object.freeze({ method: "GET", routed: { route: "site", path: "/-/live" }, headers: {} } as const);
  const { answer } = await throughStack(async ({ identity }) => textAnswer(identity.id), received, viewer);
  assert.equal(Buffer.from(answer.body as Uint8Array).toString(), "abc123");
});

test("no handler is called for who is refused, nor for a route that has none", async () => {
  const called: string[] = [];
  const handler = async () => textAnswer(`${called.push("live")}`);
  const refused = new ServedError("forbidden", "no");
  const refusing = createStack({ site: handler }, () => Promise.reject(refused));
  const request = { method: "GET", headers: {} } as const;
  const result = await refusing({ ...request, routed: { route: "site", path: "/-/live" } }, invocationOf());
  assert.deepEqual(result, { kind: "error", error: refused });
  const open = createStack({ site: handler }, async () => anonymous);
  const none = await open({ ...request, routed: { route: "list", path: "/a.b/@v/list" } }, invocationOf());
  assert.deepEqual([frame(none).status, called], [404, []]);
});

test("what Lambda is about to end is a failure in our own words, which sends the client back", async () => {
  const stack = createStack({ site: () => new Promise(() => {}) }, async () => anonymous);
  const request = { method: "GET", routed: { route: "site", path: "/-/live" }, headers: {} } as const;
  assert.equal(errorOf(await stack(request, invocationOf(501)))?.code, "fill-timeout");
});

test("a redirect is a path within this host, escaped, or the address of a file elsewhere", () => {
  const rows = [
    [
      { path: "/github.com/!azure/x/@v/v1.0.0+incompatible.zip", wait: 2 },
      "/github.com/!azure/x/@v/v1.0.0%2Bincompatible.zip?wait=2",
    ],
    [{ url: "https://s3.example/x?y" }, "https://s3.example/x?y"],
  ] as const;
  for (const [to, location] of rows) {
    const { status, headers, body } = frame({ kind: "redirect", to });
    assert.deepEqual([status, headers, body], [302, { location, "cache-control": "no-store" }, new Uint8Array()]);
  }
});

test("who asks for nothing but what is stored is not given what is fetched", async () => {
  const asked: string[] = [];
  const handler = onlyStored(async ({ routed }) => {
    asked.push(routed.path);
    return textAnswer("fetched");
  });
  const request = (headers: Readonly<Record<string, string>>) =>
    handler({ method: "GET", routed: parsePath("/example.com/m/@latest"), headers, identity: anonymous });
  await assert.rejects(request({ "cache-control": "max-age=0, only-if-cached" }), { code: "not-stored" });
  assert.deepEqual(asked, []);
  await request({ "cache-control": "no-cache" });
  assert.deepEqual(asked, ["/example.com/m/@latest"]);
});
