import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCredentials, withCredentials, withProxyCredentials } from "../../lambda/aws/upstream-credentials.ts";
import { readEnvironment } from "../../lambda/config/env.ts";

const credentials = { "a.example": "user:pass:word", "b.example:8080": "me@corp:p/w" };
const chains: readonly (readonly [chain: string, expected: string])[] = [
  ["https://a.example", "https://user:pass%3Aword@a.example"],
  ["https://a.example/path,off", "https://user:pass%3Aword@a.example/path,off"],
  [
    "https://x.example|http://b.example:8080/go,direct",
    "https://x.example|http://me%40corp:p%2Fw@b.example:8080/go,direct",
  ],
  ["https://b.example", "https://b.example"],
  ["https://own:secret@a.example", "https://own:secret@a.example"],
  ["https://a.example.evil", "https://a.example.evil"],
];

for (const [chain, expected] of chains) {
  test(`credentials go to their host and nowhere else: ${chain}`, () => {
    assert.deepEqual(withCredentials([{ chain, patterns: "*" }], credentials), [{ chain: expected, patterns: "*" }]);
  });
}

test("a forward proxy gets the credentials of its host", () => {
  const proxy = { url: "http://b.example:8080/", noProxy: "x" };
  assert.deepEqual(withProxyCredentials(proxy, credentials), {
    ...proxy,
    url: "http://me%40corp:p%2Fw@b.example:8080",
  });
  assert.equal(withProxyCredentials(undefined, credentials), undefined);
});

test("an empty secret is no credentials", () => assert.deepEqual(parseCredentials(" "), {}));

test("a variable that is missing is named", () => {
  process.env.MODFRONT_FILL = "f";
  delete process.env.MODFRONT_EDGE_SECRET;
  assert.throws(() => readEnvironment("info"), { code: "environment", message: "MODFRONT_EDGE_SECRET is not set" });
  process.env.MODFRONT_EDGE_SECRET = "s";
  assert.deepEqual(readEnvironment("info"), { MODFRONT_FILL: "f", MODFRONT_EDGE_SECRET: "s" });
});
