import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeBase64 } from "../../lambda/edge/base64.ts";

test("both alphabets are decoded, with padding and without", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const buffer = Buffer.from(bytes);
      const decoded = buffer.toString("latin1");
      assert.equal(decodeBase64(buffer.toString("base64")), decoded);
      assert.equal(decodeBase64(buffer.toString("base64url")), decoded);
    }),
  );
});

test("what is not base64 is not decoded", () => {
  const rows = ["A", "AAAAA", "AA===", "A=A=", "AA==AA==", "A A", "AA\n", "AAé", "AA*A"];
  for (const text of rows) assert.equal(decodeBase64(text), undefined, JSON.stringify(text));
});
