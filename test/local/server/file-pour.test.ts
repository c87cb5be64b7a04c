import assert from "node:assert/strict";
import type { FileHandle } from "node:fs/promises";
import { Writable } from "node:stream";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { sendReady } from "../../../lambda/local/server/fast-path.ts";
import { pour, pourBytes } from "../../../lambda/local/server/file-pour.ts";
import { readyResponse } from "../../../lambda/local/server/ready-responses.ts";

const megabyte = 1 << 20;

/** A file whose byte at `i` is `i >> 16`, and which notes through which memory it was read. */
function endlessFile(buffers: Set<ArrayBufferLike>, size = Number.POSITIVE_INFINITY): FileHandle {
  const read = async (buffer: Buffer, offset: number, length: number, position: number) => {
    const bytesRead = Math.max(0, Math.min(length, size - position));
    for (let i = 0; i < bytesRead; i += 65_536) buffer[offset + i] = ((position + i) >> 16) & 0xff;
    buffers.add(buffer.buffer);
    return { bytesRead, buffer };
  };
  return { read } as unknown as FileHandle;
}

test("a file of any size goes through two pieces of memory, each sent before it is filled again", async () => {
  const buffers = new Set<ArrayBufferLike>();
  const heads: number[] = [];
  let bytes = 0;
  const client = new Writable({
    write: async (chunk: Buffer, _encoding, done) => {
      // The next piece is read meanwhile: it must not be this one.
      await turn();
      heads.push(chunk[0] as number);
      bytes += chunk.length;
      done();
    },
  });
  await pour(endlessFile(buffers), client, { start: 0, end: 40 * megabyte - 1 });
  assert.equal(bytes, 40 * megabyte);
  assert.deepEqual(
    heads,
    Array.from({ length: 40 }, (_, i) => (i * 16) & 0xff),
  );
  assert.equal(buffers.size, 2);
});

test("many downloads at once share four large pieces, nobody waits for one", async () => {
  const buffers = new Set<ArrayBufferLike>();
  const stalled: (() => void)[] = [];
  const slow = () => new Writable({ write: (_chunk, _encoding, done) => void stalled.push(done) });
  const clients = Array.from({ length: 40 }, slow);
  const poured = clients.map((client) => pour(endlessFile(buffers), client, { start: 0, end: 3 * megabyte - 1 }));
  while (stalled.length < 40) await turn();
  const large = [...buffers].filter(({ byteLength }) => byteLength === megabyte);
  assert.equal(large.length, 4);
  for (const client of clients) client.destroy();
  await Promise.all(poured);
  const later = new Set<ArrayBufferLike>();
  const patient = new Writable({ write: (_chunk, _encoding, done) => done() });
  await pour(endlessFile(later), patient, { start: 0, end: 3 * megabyte - 1 });
  assert.ok(
    [...later].every(({ byteLength }) => byteLength === megabyte),
    "what broken connections held is not lost",
  );
});

test("a client that goes away ends it without an error, a file that became shorter with one", async () => {
  let written = 0;
  const client: Writable = new Writable({
    write: (_chunk, _encoding, done) => {
      written++;
      client.destroy();
      done();
    },
  });
  await pour(endlessFile(new Set()), client, { start: 0, end: 100 * megabyte });
  assert.equal(written, 1);
  const patient = new Writable({ write: (_chunk, _encoding, done) => done() });
  await assert.rejects(pour(endlessFile(new Set(), megabyte), patient, { start: 0, end: 2 * megabyte }), /shorter/);
});

test("a client that takes less than 4 KiB a second is given up, and one that takes a little more is not", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  /** Takes one piece after `seconds`. */
  const takingIn = (seconds: number) =>
    new Writable({ write: (_chunk, _encoding, done) => void setTimeout(done, seconds * 1000) });
  const pieces = async (client: Writable, work: Promise<void> | undefined, count: number) => {
    for (let second = 0; second < count * 300 && !client.destroyed && !client.writableFinished; second++) {
      t.mock.timers.tick(1000);
      await turn();
    }
    await work;
    return client.writableFinished;
  };
  const poured = async (seconds: number) => {
    const client = takingIn(seconds);
    return pieces(client, pour(endlessFile(new Set()), client, { start: 0, end: 2 * megabyte - 1 }), 2);
  };
  // A piece of 1 MiB has 256 s and 30 s beside them, one of 64 KiB 16 s and 30 s.
  assert.deepEqual([await poured(280), await poured(290)], [true, false]);
  const given = async (seconds: number) => {
    const client = takingIn(seconds);
    pourBytes(new Uint8Array(4 << 16), client);
    return pieces(client, undefined, 4);
  };
  assert.deepEqual([await given(40), await given(50)], [true, false]);
  const sentAtOnce = async (seconds: number) => {
    const client = Object.assign(takingIn(seconds), { writeHead: () => {} });
    const ready = readyResponse({ etag: '"1"' }, '"1"', new Uint8Array(megabyte), Number.POSITIVE_INFINITY);
    sendReady({ method: "GET", rawHeaders: [] } as never, client as never, ready);
    return pieces(client, undefined, 1);
  };
  assert.deepEqual([await sentAtOnce(280), await sentAtOnce(290)], [true, false]);
});
