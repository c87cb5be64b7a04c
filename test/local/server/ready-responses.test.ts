import assert from "node:assert/strict";
import { test } from "node:test";
import {
  fitsInMemory,
  flatHeaders,
  ReadyResponses,
  readyResponse,
} from "../../../lambda/local/server/ready-responses.ts";

const forever = Number.POSITIVE_INFINITY;
const ofSize = (size: number, freshUntil = forever) => readyResponse({}, '"tag"', new Uint8Array(size), freshUntil);

test("an answer is kept while it is fresh", () => {
  const responses = new ReadyResponses();
  const [short, long] = [ofSize(1, 1_000), ofSize(1)];
  responses.set("/short", short);
  responses.set("/long", long);
  for (const [path, now, kept] of [
    ["/short", 0, short],
    ["/short", 999, short],
    ["/short", 1_000, undefined],
    ["/long", 1e15, long],
    ["/other", 0, undefined],
  ] as const) {
    assert.equal(responses.get(path, now), kept, `${path} at ${now}`);
  }
});

test("the answer to a path with a percent sign is not one to a request that has it", () => {
  const responses = new ReadyResponses();
  responses.set("/a.b/@v/a%20b.info", ofSize(1));
  assert.equal(responses.get("/a.b/@v/a%20b.info", 0), undefined);
});

test("a new answer takes the place of the old one", () => {
  const responses = new ReadyResponses();
  responses.set("/a", ofSize(1, 1_000));
  const next = ofSize(2, 2_000);
  responses.set("/a", next);
  assert.equal(responses.get("/a", 1_500), next);
});

test("what is larger than 256 KiB is not kept, and what it replaces neither", () => {
  const responses = new ReadyResponses();
  for (const [size, kept] of [
    [256 << 10, true],
    [(256 << 10) + 1, false],
  ] as const) {
    responses.set("/a", ofSize(size));
    assert.equal(responses.get("/a", 0) !== undefined, kept, String(size));
    assert.equal(fitsInMemory(size), kept, String(size));
  }
});

test("all bodies together stay within 32 MiB, and the longest unasked goes first", () => {
  const responses = new ReadyResponses();
  for (let i = 0; i < 200; i++) {
    responses.set(`/${i}`, ofSize(256 << 10));
    responses.get("/0", 0);
  }
  const kept = Array.from({ length: 200 }, (_, i) => i).filter((i) => responses.get(`/${i}`, 0) !== undefined);
  assert.ok(kept.length > 100 && kept.length * (256 << 10) <= 32 << 20, String(kept.length));
  assert.deepEqual([kept[0], kept.at(-1), kept.length], [0, 199, 200 - (kept[1] as number) + 1]);
});

test("many answers without a body are bounded, too", () => {
  const responses = new ReadyResponses();
  for (let i = 0; i < 40_000; i++) responses.set(`/${i}`, ofSize(0));
  assert.equal(responses.get("/0", 0), undefined);
});

test("a small body is kept as text, too, with a character for each byte", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  const { text, body } = readyResponse({}, '"tag"', bytes, forever);
  assert.deepEqual(Buffer.from(text ?? "", "latin1"), Buffer.from(body));
  assert.equal(ofSize(8 << 10).text?.length, 8 << 10);
  assert.equal(ofSize((8 << 10) + 1).text, undefined);
});

test("headers are flat, the length last", () => {
  assert.deepEqual(flatHeaders({ etag: '"tag"', "content-type": "text/plain" }, 12), [
    "etag",
    '"tag"',
    "content-type",
    "text/plain",
    "content-length",
    "12",
  ]);
  assert.deepEqual(readyResponse({ a: "b" }, '"tag"', new Uint8Array(3), forever).headers, [
    "a",
    "b",
    "content-length",
    "3",
  ]);
});

test("a purge forgets what is good for a while, and no file", () => {
  const responses = new ReadyResponses();
  const kept = (until: number) => readyResponse({}, undefined, Buffer.from("x"), until);
  responses.set("/x/@v/list", kept(2_000));
  responses.set("/x/@v/v1.0.0.mod", kept(Number.POSITIVE_INFINITY));
  const before = responses.purges;
  responses.forgetLists();
  assert.deepEqual(
    [responses.get("/x/@v/list", 1_000) === undefined, responses.get("/x/@v/v1.0.0.mod", 1_000) === undefined],
    [true, false],
  );
  assert.notEqual(responses.purges, before);
});
