import assert from "node:assert/strict";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { hashZip } from "../../lambda/golang/dirhash.ts";
import { checkZip } from "../../lambda/golang/zip.ts";
import { writeZip, type ZipSource } from "../../lambda/golang/zip-writer.ts";
import { temporaryFile } from "../support/zip-file.ts";

const module = { path: "example.com/m", version: "v1.0.0" };

function source(name: string, pieces: readonly Uint8Array[], size = Buffer.concat(pieces).length): ZipSource {
  return { name: `example.com/m@v1.0.0/${name}`, size, open: () => given(pieces) };
}

async function* given(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

/** Bytes that do not compress. */
function noise(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let i = 0, state = 1; i < size; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

test("files that are deflated in pieces hash to the same as those in one go", async () => {
  const large = Buffer.concat([noise(3 << 20), Buffer.alloc(3 << 20, "text ")]);
  const pieces = Array.from({ length: 60 }, (_, i) => large.subarray(i * 110_000, (i + 1) * 110_000));
  const small = source("b", [Buffer.from("b")]);
  const streamed = temporaryFile(await buffer(writeZip([source("a", pieces), small, source("c", [])])));
  // Said to be small, so that it is deflated in one go.
  const whole = temporaryFile(await buffer(writeZip([source("a", [large], 1), small, source("c", [])])));
  assert.equal(await hashZip(streamed), await hashZip(whole));
  const shorter = temporaryFile(await buffer(writeZip([source("a", [Buffer.from("x")], 5 << 20)])));
  assert.equal(
    await hashZip(shorter),
    await hashZip(temporaryFile(await buffer(writeZip([source("a", [Buffer.from("x")])])))),
  );
});

test("more than 65,535 files have a directory of 64 bits", async () => {
  const files = Array.from({ length: 65_600 }, (_, i) => source(`f${i}`, []));
  const { valid } = await checkZip(module, temporaryFile(await buffer(writeZip(files))));
  assert.equal(valid.length, 65_600);
});

test("a file that cannot be read, or that nobody reads, ends the zip", async () => {
  async function* broken() {
    yield Buffer.alloc(2 << 20);
    throw new Error("gone");
  }
  for (const size of [1, 5 << 20]) {
    await assert.rejects(buffer(writeZip([{ name: "a", size, open: broken }])), { message: "gone" });
  }
  let ended = false;
  async function* endless() {
    try {
      for (;;) yield noise(1 << 16);
    } finally {
      ended = true;
    }
  }
  for await (const _ of writeZip([{ name: "a", size: 5 << 20, open: endless }])) break;
  while (!ended) await new Promise((resolve) => setImmediate(resolve));
});
