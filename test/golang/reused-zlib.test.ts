import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync, deflateSync, inflateRawSync } from "node:zlib";
import { deflateRaw, inflateExactly } from "../../lambda/golang/reused-zlib.ts";

/** Bytes that compress to about half. */
function text(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let i = 0, state = size; i < size; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 28;
  }
  return bytes;
}

/** On both sides of the size from which on nothing is used again, in an order in which each follows a smaller and a larger. */
const sizes = [1_000, 0, 70_000, 1, (1 << 20) - 1, 300, 1 << 20, 17, (1 << 20) + 1, 5_000];

test("pieces are deflated as Node does it, whatever was deflated before", () => {
  for (const size of sizes) {
    const deflated = deflateRaw(text(size));
    assert.ok(inflateRawSync(deflated).equals(text(size)), `${size} bytes`);
    if (size < 1 << 20) assert.ok(deflated.equals(deflateRawSync(text(size), { level: 6 })), `${size} bytes`);
  }
});

test("what was deflated before is not overwritten by what follows", () => {
  const first = deflateRaw(text(20_000));
  deflateRaw(Buffer.alloc(20_000, "other"));
  assert.ok(inflateRawSync(first).equals(text(20_000)));
});

test("a stream of the size that is said is inflated, and nothing behind it is taken", () => {
  for (const size of sizes) {
    const stream = deflateSync(text(size));
    const inflated = inflateExactly(Buffer.concat([stream, text(400)]), size);
    assert.ok(inflated?.data.equals(text(size)), `${size} bytes`);
    assert.equal(inflated?.consumed, stream.length);
  }
});

test("a stream that is broken, cut off or of another size is refused, and the next one is read", () => {
  for (const size of sizes.filter((each) => each > 0)) {
    const stream = deflateSync(text(size));
    const last = stream.length - 1;
    const flipped = Buffer.from(stream);
    flipped.writeUInt8(flipped.readUInt8(last) ^ 1, last);
    const rows: Readonly<Record<string, readonly [Buffer, number]>> = {
      "a checksum that is wrong": [flipped, size],
      "the last byte is missing": [stream.subarray(0, last), size],
      nothing: [Buffer.alloc(0), size],
      "no stream": [text(size), size],
      "a byte more than is said": [stream, size - 1],
      "a byte less than is said": [stream, size + 1],
    };
    for (const [row, [input, said]] of Object.entries(rows)) {
      assert.equal(inflateExactly(input, said), undefined, `${row}, ${size} bytes`);
      assert.ok(inflateExactly(stream, size)?.data.equals(text(size)), `after ${row}, ${size} bytes`);
    }
  }
});
