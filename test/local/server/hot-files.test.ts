import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import { HotFiles } from "../../../lambda/local/server/hot-files.ts";
import { readyResponse } from "../../../lambda/local/server/ready-responses.ts";

const megabyte = 1 << 20;

/** Files whose bodies are empty: only what they weigh is looked at. */
class Disk {
  readonly files = new HotFiles();
  reads = 0;

  async ask(key: string, size = megabyte) {
    const read = async () => {
      this.reads++;
      return readyResponse({}, `"${key}"`, new Uint8Array(), Number.POSITIVE_INFINITY);
    };
    return this.files.get(key) ?? (await this.files.keep(key, size, read));
  }

  /** Asks twice: the second one brings a file into memory. */
  async warm(key: string, size = megabyte) {
    await this.ask(key, size);
    return this.ask(key, size);
  }

  isKept(key: string): boolean {
    return this.files.get(key) !== undefined;
  }
}

test("the first answer comes from disk, the second brings the file into memory, where it stays", async () => {
  const disk = new Disk();
  assert.equal(await disk.ask("a"), undefined);
  const second = await disk.ask("a");
  assert.equal(second?.etag, '"a"');
  assert.equal(await disk.ask("a"), second);
  assert.equal(disk.reads, 1);
});

test("however many ask for a file at once, it is read once", async () => {
  const disk = new Disk();
  const answers = await Promise.all(Array.from({ length: 64 }, () => disk.ask("a")));
  assert.deepEqual([disk.reads, answers.filter((answer) => answer === undefined).length], [1, 1]);
});

test("all files together stay within 32 MiB, none is larger than 16, and the longest unasked goes first", async () => {
  const disk = new Disk();
  for (const [key, size] of [
    ["a", 16],
    ["b", 8],
    ["c", 8],
    ["too large", 17],
  ] as const)
    await disk.warm(key, size * megabyte);
  assert.deepEqual(
    ["a", "b", "c", "too large"].map((key) => disk.isKept(key)),
    [true, true, true, false],
  );
  assert.ok(disk.isKept("a"));
  await disk.warm("d", megabyte);
  assert.deepEqual(
    ["a", "b", "c", "d"].map((key) => disk.isKept(key)),
    [true, false, true, true],
  );
});

test("a file on its way to a client stays, and another one comes from disk when no room can be made", async () => {
  const disk = new Disk();
  const clients = ["a", "b"].map(() => new EventEmitter() as unknown as ServerResponse);
  for (const [i, key] of ["a", "b"].entries()) {
    const ready = await disk.warm(key, 16 * megabyte);
    ready?.sentBy?.(clients[i] as ServerResponse);
  }
  assert.equal(await disk.warm("c"), undefined);
  assert.deepEqual([disk.isKept("a"), disk.isKept("b")], [true, true]);
  clients[1]?.emit("close");
  assert.equal((await disk.warm("c"))?.etag, '"c"');
  assert.deepEqual([disk.isKept("a"), disk.isKept("b"), disk.isKept("c")], [true, false, true]);
});

test("a file that cannot be read takes no room and is read again", async () => {
  const disk = new Disk();
  const size = 16 * megabyte;
  const fail = async () => Promise.reject(new Error("gone"));
  await disk.files.keep("a", size, fail);
  for (let i = 0; i < 5; i++) await assert.rejects(disk.files.keep("a", size, fail), /gone/);
  assert.equal((await disk.ask("a", size))?.etag, '"a"');
  await disk.warm("b", size);
  assert.deepEqual([disk.isKept("a"), disk.isKept("b")], [true, true]);
});
