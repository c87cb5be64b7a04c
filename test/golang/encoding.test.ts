import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  compareBytes,
  compareDecimals,
  compareStrings,
  decodeBase64,
  decrementDecimal,
  encodeBase64,
  incrementDecimal,
  parseDecimal,
} from "../../lambda/golang/encoding.ts";

test("compareStrings orders by UTF-8 bytes", () => {
  const ascending = ["", "!", "-", ".", "/", "A", "Z", "_", "a", "aa", "b", "é", "\uff5e", "\u{1f600}", "\u{1f601}"];
  for (const [i, a] of ascending.entries()) {
    for (const [j, b] of ascending.entries()) assert.equal(compareStrings(a, b), Math.sign(i - j), `${a} ${b}`);
  }
});

test("compareStrings agrees with the bytes of any two strings", () => {
  const unit = fc.string({ unit: "binary" });
  const near = fc.tuple(unit, unit, unit).map(([prefix, a, b]) => [prefix + a, prefix + b] as const);
  fc.assert(fc.property(near, ([a, b]) => compareStrings(a, b) === compareBytes(Buffer.from(a), Buffer.from(b))));
});

test("decodeBase64 takes what Go takes", () => {
  const rows: readonly (readonly [text: string, decoded: string | undefined])[] = [
    ["", ""],
    ["YQ==", "a"],
    ["YWI=", "ab"],
    ["YWJj", "abc"],
    ["YWJjZA==", "abcd"],
    ["Y\r\nQ=\n=\r\n", "a"], // Go skips line ends, even inside the padding
    ["YR==", "a"], // Go's StdEncoding is not its Strict()
    ["YQ", undefined],
    ["YQ=", undefined],
    ["YQ===", undefined],
    ["YQ==YQ==", undefined],
    ["Y===", undefined],
    ["====", undefined],
    ["YW Jj", undefined],
    ["YW\tJ", undefined],
    ["__--", undefined],
    ["YWé=", undefined],
  ];
  for (const [text, decoded] of rows) {
    const bytes = decodeBase64(text);
    assert.equal(bytes && Buffer.from(bytes).toString(), decoded, JSON.stringify(text));
  }
});

test("base64 goes there and back, also for a view into a larger buffer", () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => assert.deepEqual(decodeBase64(encodeBase64(bytes)), bytes)));
  assert.equal(encodeBase64(new Uint8Array([1, 97, 2]).subarray(1, 2)), "YQ==");
});

test("parseDecimal takes only what Go prints", () => {
  const rows: readonly (readonly [text: string, value: bigint | undefined])[] = [
    ["0", 0n],
    ["7", 7n],
    ["9007199254740993", 9007199254740993n],
    ["9223372036854775807", 9223372036854775807n],
    ["9223372036854775808", undefined],
    ["10000000000000000000", undefined],
    ["", undefined],
    ["00", undefined],
    ["07", undefined],
    ["-1", undefined],
    ["+1", undefined],
    ["0x10", undefined],
    ["1e3", undefined],
    ["1_0", undefined],
    [" 1", undefined],
    ["1\n", undefined],
    ["١", undefined],
  ];
  for (const [text, value] of rows) assert.equal(parseDecimal(text), value, JSON.stringify(text));
});

test("digit strings are compared, incremented and decremented as numbers of any size", () => {
  const number = fc.oneof(
    fc.bigInt({ min: 0n, max: 10n ** 40n }),
    fc.nat(40).map((n) => 10n ** BigInt(n)),
  );
  fc.assert(
    fc.property(number, number, (a, b) => {
      assert.equal(compareDecimals(`${a}`, `${b}`), a < b ? -1 : a > b ? 1 : 0);
      assert.equal(incrementDecimal(`${a}`), `${a + 1n}`);
      assert.equal(decrementDecimal(`${a}`), a === 0n ? undefined : `${a - 1n}`);
    }),
  );
});
