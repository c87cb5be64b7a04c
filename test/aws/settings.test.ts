import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCredentials, withProxyCredentials } from "../../lambda/aws/upstream-credentials.ts";
import { readEnvironment } from "../../lambda/config/env.ts";

const credentials = { "a.example": "user:pass:word", "b.example:8080": "me@corp:p/w", "c.example": "tok" };

const proxies: readonly (readonly [url: string, expected: string])[] = [
  ["http://b.example:8080/", "http://me%40corp:p%2Fw@b.example:8080"],
  ["http://b.example", "http://b.example"],
  ["https://own:secret@a.example", "https://own:secret@a.example"],
  ["https://c.example", "https://:tok@c.example"],
];

for (const [url, expected] of proxies) {
  test(`a forward proxy gets the credentials of its host: ${url}`, () => {
    assert.deepEqual(withProxyCredentials({ url, noProxy: "x" }, credentials), { url: expected, noProxy: "x" });
  });
}

test("without a forward proxy there is none", () =>
  assert.equal(withProxyCredentials(undefined, credentials), undefined));

test("an empty secret is no credentials", () => assert.deepEqual(parseCredentials(" "), {}));

test("a variable that is missing is named", () => {
  process.env.MODFRONT_FILL = "f";
  delete process.env.MODFRONT_EDGE_SECRET;
  assert.throws(() => readEnvironment("info"), { code: "environment", message: "MODFRONT_EDGE_SECRET is not set" });
  process.env.MODFRONT_EDGE_SECRET = "s";
  assert.deepEqual(readEnvironment("info"), { MODFRONT_FILL: "f", MODFRONT_EDGE_SECRET: "s" });
});
