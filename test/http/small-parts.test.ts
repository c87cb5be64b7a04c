import assert from "node:assert/strict";
import { test } from "node:test";
import { errorAnswer } from "../../lambda/http/answers.ts";
import { parseRange } from "../../lambda/http/byte-range.ts";
import { entityTag, matchesTag } from "../../lambda/http/entity-tag.ts";
import { failure } from "../../lambda/http/result.ts";
import { errorTraits } from "../../lambda/proxy/store/error-traits.ts";
import { ServedError, type ServedErrorCode } from "../../lambda/proxy/store/served-error.ts";

/** docs/protocol.md "Answers": what each way to fail is over HTTP. 404 sends `go` to the next proxy, so it is one row. */
const statuses: Record<ServedErrorCode, number> = {
  "bad-request": 400,
  unauthorized: 401,
  forbidden: 403,
  "upstream-refused": 403,
  "policy-refused": 403,
  "checksum-unknown": 403,
  "checksum-mismatch": 403,
  "claim-mismatch": 403,
  "record-mismatch": 403,
  "not-found": 404,
  "method-not-allowed": 405,
  internal: 500,
  "upstream-unauthorized": 502,
  "upstream-failed": 502,
  "checksum-unavailable": 502,
  "checksum-forged": 502,
  "checksum-fork": 502,
  "invalid-module": 502,
  "store-failed": 503,
  "log-damaged": 503,
  "log-shorter": 503,
  "log-unsigned": 503,
  "log-busy": 503,
  "not-stored": 504,
  "upstream-timeout": 504,
  "publish-refused": 422,
  "too-many": 429,
  "fill-timeout": 504,
};

test("every error has its status, and only a 404 may be kept, for 5 seconds", () => {
  for (const [code, status] of Object.entries(statuses)) {
    const answer = errorAnswer(new ServedError(code as ServedErrorCode, "why"));
    const cached = code === "not-found" ? "max-age=5" : "no-store";
    assert.deepEqual([answer.status, answer.headers["cache-control"]], [status, cached], code);
    assert.equal(answer.headers["content-type"], "text/plain; charset=utf-8");
    assert.deepEqual(answer.body, new TextEncoder().encode("why\n"));
  }
  assert.deepEqual(Object.keys(errorTraits).sort(), Object.keys(statuses).sort());
});

test("what nobody expected is a 500 without its words", () => {
  const { status, body } = errorAnswer(failure(new Error("secret /path")).error);
  assert.equal(status, 500);
  assert.doesNotMatch(Buffer.from(body as Uint8Array).toString(), /secret|path/);
});

/** Of a body of 10 bytes. */
const ranges: readonly (readonly [header: string, part: ReturnType<typeof parseRange>])[] = [
  ["bytes=0-0", { start: 0, end: 0 }],
  ["bytes=2-5", { start: 2, end: 5 }],
  ["bytes=2-", { start: 2, end: 9 }],
  ["bytes=2-99", { start: 2, end: 9 }],
  ["bytes=-3", { start: 7, end: 9 }],
  ["bytes=-99", { start: 0, end: 9 }],
  ["bytes=10-", "unsatisfiable"],
  ["bytes=-0", "unsatisfiable"],
  ["bytes=5-2", undefined],
  ["bytes=-", undefined],
  ["bytes=0-1,3-4", undefined],
  ["lines=0-1", undefined],
  ["bytes=a-b", undefined],
  ["bytes=0x1-2", undefined],
  ["bytes=99999999999999999999-", undefined],
];

test("ranges", () => {
  for (const [header, part] of ranges) assert.deepEqual(parseRange(header, 10), part, header);
  assert.equal(parseRange("bytes=0-", 0), "unsatisfiable");
});

test("entity tags are strong, of the bytes, and compared weakly", () => {
  const tag = entityTag(Buffer.from("a"));
  assert.match(tag, /^"[\w-]{22}"$/);
  assert.notEqual(tag, entityTag(Buffer.from("b")));
  for (const header of [tag, `W/${tag}`, `"x", ${tag}`, "*"]) assert.ok(matchesTag(header, tag), header);
  for (const header of ["", '"x"', tag.slice(1, -1), `${tag}x`]) assert.ok(!matchesTag(header, tag), header);
  for (const header of ["", "*", tag, "undefined"]) assert.ok(!matchesTag(header, undefined), header);
});
