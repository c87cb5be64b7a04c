import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { FrontDoor, script } from "../../support/front-door.ts";
import { filePath, moduleFixture, noise, zipOf } from "../../support/module-fixture.ts";
import { get } from "../../support/product.ts";

// A zip that is too large to be kept ready in memory goes out in pieces from disk, and from memory where it is wanted again
// and again, by the same rules as small files.

const small = moduleFixture("corp.example/large");
const path = filePath(small, "zip");

for (const [where, megabytes] of [
  ["in memory", 3],
  ["on disk, being too large for memory", 17],
] as const)
  describe(`a large zip that is ${where}`, () => {
    const noisy = { name: "corp.example/large@v1.0.0/noise.bin", content: noise("large", megabytes << 20) };
    const module = { ...small, zip: zipOf(small, [noisy]) };
    const size = module.zip.length;
    let door: FrontDoor;
    let tag = "";

    before(async () => {
      door = await FrontDoor.start();
      script(door.corp, module);
    });
    after(() => door[Symbol.asyncDispose]());

    test("arrives whole and under one tag: fetched, from the store, and from memory once it is wanted again", async () => {
      const tags: unknown[] = [];
      for (const _ of ["fetched", "stored", "read into memory", "in memory"]) {
        const { status, headers, body } = await get(door.url, path);
        assert.equal(status, 200);
        assert.ok(body.equals(module.zip));
        tags.push(headers.etag);
      }
      tag = String(tags[0]);
      assert.match(tag, /^"[^"]+"$/);
      assert.deepEqual(new Set(tags).size, 1);
    });

    test("has the headers of every zip", async () => {
      assert.equal(
        await door.ask({ method: "HEAD", path }),
        [
          "200",
          "accept-ranges: bytes",
          "cache-control: max-age=31536000, immutable",
          `content-length: ${size}`,
          "content-type: application/zip",
          `etag: ${tag}`,
          "x-content-type-options: nosniff",
          "",
          "",
        ].join("\n"),
      );
    });

    test("is not sent to who has it", async () => {
      const answer = await door.ask({ path, headers: { "if-none-match": tag } });
      assert.match(
        answer,
        /^304\naccept-ranges: bytes\ncache-control: max-age=.*\ncontent-type: .*\netag: .*\nx-.*\n\n$/,
      );
    });

    const ranges: readonly (readonly [range: string, from: number, to: number])[] = [
      ["bytes=0-0", 0, 0],
      ["bytes=1048570-2097160", 1048570, 2097160],
      [`bytes=${size - 5}-`, size - 5, size - 1],
      ["bytes=-7", size - 7, size - 1],
      ["bytes=3000000-99999999", 3000000, size - 1],
    ];
    for (const [range, from, to] of ranges) {
      test(range, async () => {
        const { status, headers, body } = await get(door.url, path, { range, "if-range": tag });
        assert.deepEqual(
          [status, headers["content-range"], headers["content-length"], headers.etag],
          [206, `bytes ${from}-${to}/${size}`, String(to - from + 1), tag],
        );
        assert.ok(body.equals(module.zip.subarray(from, to + 1)));
      });
    }

    test("a range beyond its end, and one of another copy", async () => {
      const line = `the range begins behind the end: there are ${size} bytes\n`;
      assert.equal(
        await door.ask({ path, headers: { range: `bytes=${size}-` } }),
        `416\ncache-control: no-store\ncontent-length: ${line.length}\ncontent-range: bytes */${size}\n` +
          `content-type: text/plain; charset=utf-8\nx-content-type-options: nosniff\n\n${line}`,
      );
      const { status, body } = await get(door.url, path, { range: "bytes=0-3", "if-range": '"another"' });
      assert.deepEqual([status, body.length], [200, size]);
    });
  });
