import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { crc32, deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { hash1, hashGoMod, hashZip } from "../../lambda/golang/dirhash.ts";
import { littleEndian, type RawEnd, type RawEntry, rawZip } from "../support/raw-zip.ts";
import { temporaryFile } from "../support/zip-file.ts";

const zipped = (entries: readonly RawEntry[], end?: RawEnd) => temporaryFile(rawZip(entries, end));

/** The definition, as a shell would have it: the sum of `sha256sum $(find . -type f | sort)`. */
function definition(files: readonly (readonly [string, string])[]): string {
  const sorted = [...files].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const lines = sorted.map(([name, content]) => `${createHash("sha256").update(content).digest("hex")}  ${name}\n`);
  return `h1:${createHash("sha256").update(lines.join("")).digest("base64")}`;
}

test("hash1 is the hash of the sorted list of hashes", async () => {
  // The rows of x/mod's own test.
  const open = (name: string) => [Buffer.from("data for "), Buffer.from(name)];
  const lines = ["abc", "xyz"].map(
    (name) => `${createHash("sha256").update(`data for ${name}`).digest("hex")}  ${name}\n`,
  );
  const want = `h1:${createHash("sha256").update(lines.join("")).digest("base64")}`;
  assert.equal(await hash1(["xyz", "abc"], open), want);
  await assert.rejects(hash1(["xyz", "a\nbc"], open), { code: "newline-in-name" });
});

test("hashGoMod is what go.sum has in its /go.mod lines", () => {
  // golang.org/x/text v0.3.0/go.mod
  assert.equal(hashGoMod(Buffer.from("module golang.org/x/text\n")), "h1:NqM8EUOU14njkJ3fqMW+pc6Ldnwhi/IjpwHt7yyuwOQ=");
});

test("names are sorted by their bytes, and hashed as UTF-8", async () => {
  const files = [
    ["m@v1.0.0/\u{1f600}", "above the surrogates in bytes"],
    ["m@v1.0.0/\uff5e", "below them in bytes, above in UTF-16"],
    ["m@v1.0.0/é", ""],
    ["m@v1.0.0/B", "b"],
    ["m@v1.0.0/a", "a"],
  ] as const;
  assert.equal(await hashZip(zipped(files.map(([name, content]) => ({ name, content })))), definition(files));
  const contents = new Map<string, string>(files);
  const names = files.map(([name]) => name);
  assert.equal(await hash1(names, (name) => [Buffer.from(contents.get(name) ?? "")]), definition(files));
});

test("any files in any order, stored or deflated, give the hash of the definition", async () => {
  const names = fc.uniqueArray(fc.string({ unit: "grapheme", minLength: 1 }).filter((n) => !/[\n/]/.test(n)));
  await fc.assert(
    fc.asyncProperty(names, fc.array(fc.string({ maxLength: 300 }), { minLength: 1 }), async (list, texts) => {
      const files = list.map((name, i) => [name, texts[i % texts.length] ?? ""] as const);
      const entries = files.map(([name, content], i) => ({ name, content, method: i % 2 === 0 ? 8 : 0 }));
      assert.equal(await hashZip(zipped(entries)), definition(files));
    }),
    { numRuns: 50 },
  );
});

const mebibyte = Buffer.alloc(1 << 20, "0123456789abcdef module zip content ");
const large = Buffer.concat([mebibyte, mebibyte, mebibyte, mebibyte, mebibyte]);
const largeCrc = crc32(large);
const hello = { name: "a", content: "hello hello hello hello" } as const;
const helloCrc = crc32(hello.content);
const deflatedHello = deflateRawSync(hello.content);
const max32 = 0xffffffff;

/** A zip64 extra with these 64-bit values. */
const extra64 = (...values: readonly (number | bigint)[]) =>
  littleEndian([2, 1], [2, 8 * values.length], ...values.map((value) => [8, value] as const));

/** The end of a directory in zip64 form. */
const end64: RawEnd = {
  records: 0xffff,
  directorySize: max32,
  directoryOffset: max32,
  before: ({ offset, size, records }) =>
    Buffer.concat([
      littleEndian([4, 0x06064b50], [8, 44], [2, 45], [2, 45], [4, 0], [4, 0], [8, records], [8, records]),
      littleEndian([8, size], [8, offset]),
      littleEndian([4, 0x07064b50], [4, 0], [8, offset + size], [4, 1]),
    ]),
};

/** What is read although it is odd, because Go reads it; all hash like the plain files. */
const odd: readonly (readonly [string, readonly RawEntry[], RawEnd?])[] = [
  ["deflated", [{ ...hello, method: 8 }]],
  ["zip64 sizes and offset", [{ ...hello, compressedSize: max32, uncompressedSize: max32, extra: extra64(23, 23) }]],
  ["a zip64 directory end", [hello], end64],
  // The field has 32 bits; Go compares it with the 16-bit mark, and then believes the zip64 record.
  [
    "a zip64 directory end after a size of 0xffff",
    [hello],
    { ...end64, records: 1, directorySize: 0xffff, directoryOffset: 24 + 30 },
  ],
  ["no checksum at all", [{ ...hello, crc32: 0 }]],
  ["the flag of encryption on plain bytes", [{ ...hello, flags: 1 }]],
  ["a comment", [hello], { comment: Buffer.from("hi") }],
  ["bytes after the comment", [hello], { comment: Buffer.from("hi"), commentLength: 0 }],
  ["bytes after the deflate stream", [{ ...hello, method: 8, data: Buffer.concat([deflatedHello, mebibyte]) }]],
  ["a descriptor", [{ ...hello, flags: 8, after: littleEndian([4, 0x08074b50], [4, helloCrc], [8, 0]) }]],
  ["a descriptor without signature", [{ ...hello, flags: 8, after: littleEndian([4, helloCrc], [8, 0]) }]],
  ["an extra field that is cut off", [{ ...hello, extra: Buffer.from([1, 0, 255]) }]],
];

for (const [what, entries, end] of odd) {
  test(`reads ${what}`, async () => {
    assert.equal(await hashZip(zipped(entries, end)), definition([["a", hello.content]]));
  });
}

/** With files before and after, all deflated where not told otherwise, so that they are inflated together. */
const amongOthers = (entries: readonly RawEntry[]): readonly RawEntry[] => [
  { name: "0", content: "before", method: 8 },
  ...entries.map((entry) => ({ method: 8, ...entry })),
  { name: "z", content: "after", method: 8 },
];

for (const [what, entries, end] of odd) {
  if (end !== undefined) continue;
  test(`reads ${what}, among others`, async () => {
    const files = [["0", "before"] as const, ["a", hello.content] as const, ["z", "after"] as const];
    assert.equal(await hashZip(zipped(amongOthers(entries))), definition(files));
  });
}

test("bytes before the zip proper move all its offsets", async () => {
  const path = temporaryFile(Buffer.concat([Buffer.from("#!/bin/sh\n"), rawZip([hello])]));
  assert.equal(await hashZip(path), definition([["a", hello.content]]));
});

test("of two entries with one name the last is hashed twice", async () => {
  const path = zipped([
    { name: "a", content: "first" },
    { name: "a", content: "last" },
  ]);
  assert.equal(
    await hashZip(path),
    definition([
      ["a", "last"],
      ["a", "last"],
    ]),
  );
});

test("large files are read in pieces, stored or deflated, with bytes after the stream", async () => {
  const content = large.toString();
  const data = Buffer.concat([deflateRawSync(large), mebibyte]);
  const path = zipped([
    { name: "deflated", content, method: 8 },
    { name: "stored", content },
    { name: "more", content, method: 8, data },
  ]);
  const files = ["deflated", "stored", "more"].map((name) => [name, content] as const);
  assert.equal(await hashZip(path), definition(files));
});

const refused: readonly (readonly [string, string, readonly RawEntry[], RawEnd?])[] = [
  ["newline-in-name", "a newline in a name", [{ name: "a\nb" }]],
  ["zip-corrupt", "a wrong checksum", [{ ...hello, crc32: 1 }]],
  ["zip-corrupt", "a wrong checksum of a large file", [{ name: "a", content: large, method: 8, crc32: largeCrc ^ 1 }]],
  ["zip-corrupt", "stored content longer than declared", [{ ...hello, uncompressedSize: 22 }]],
  ["zip-corrupt", "stored content shorter than declared", [{ ...hello, uncompressedSize: 24 }]],
  ["zip-corrupt", "deflated content longer than declared", [{ ...hello, method: 8, uncompressedSize: 22 }]],
  ["zip-corrupt", "deflated content shorter than declared", [{ ...hello, method: 8, uncompressedSize: 24 }]],
  ["zip-corrupt", "content where none is declared", [{ ...hello, method: 8, uncompressedSize: 0 }]],
  // The declared size leads to the reader for large files, and the stream ends before it.
  ["zip-corrupt", "a large file shorter than declared", [{ ...hello, method: 8, uncompressedSize: 9 << 20 }]],
  // 1000 to 1: a bomb with a modest declaration.
  [
    "zip-corrupt",
    "a large file longer than declared",
    [{ name: "a", content: large, method: 8, uncompressedSize: 2 << 20 }],
  ],
  ["zip-corrupt", "a deflate stream cut off", [{ ...hello, method: 8, data: deflatedHello.subarray(0, 5) }]],
  ["zip-corrupt", "a deflate stream of nothing", [{ name: "a", method: 8, data: new Uint8Array() }]],
  ["zip-corrupt", "a broken deflate stream", [{ ...hello, method: 8, data: Buffer.from([0xff, 0xff, 0xff]) }]],
  [
    "zip-corrupt",
    "a large broken deflate stream",
    [{ name: "a", content: large, method: 8, data: mebibyte.fill(255) }],
  ],
  ["zip-corrupt", "another compression method", [{ ...hello, method: 12 }]],
  ["zip-corrupt", "a local header elsewhere", [{ ...hello, headerOffset: 1 }]],
  ["zip-corrupt", "a local header beyond the file", [{ ...hello, headerOffset: 1 << 30 }]],
  [
    "zip-corrupt",
    "content that reaches over the end",
    [{ ...hello, compressedSize: 1 << 20, uncompressedSize: 1 << 20 }],
  ],
  ["zip-corrupt", "a directory with content", [{ name: "a/", content: "x" }]],
  [
    "zip-corrupt",
    "a descriptor with another checksum",
    [{ ...hello, flags: 8, after: littleEndian([4, 0x08074b50], [4, 1], [8, 0]) }],
  ],
  [
    "zip-corrupt",
    "a descriptor for a file without checksum",
    [{ ...hello, crc32: 0, flags: 8, after: littleEndian([4, 0], [8, 0]) }],
  ],
  [
    "zip-overlap",
    "names for the same bytes",
    ["a", "b", "c"].map((name, i) => ({
      name,
      content: large,
      data: i === 0 ? large : new Uint8Array(),
      compressedSize: large.length,
      headerOffset: 0,
    })),
  ],
  [
    "zip-overlap",
    "names for all the rest",
    ["a", "b"].map((name, i) => ({
      name,
      content: large,
      data: i === 0 ? large : new Uint8Array(),
      compressedSize: max32,
      extra: extra64(-1),
      headerOffset: 0,
    })),
  ],
  ["contents-too-large", "more declared than a module may have", [{ ...hello, uncompressedSize: 501 << 20 }]],
  ["contents-too-large", "a size below zero", [{ ...hello, uncompressedSize: max32, extra: extra64(-(2n ** 62n)) }]],
  ["not-a-zip", "more records than there are", [hello], { records: 2 }],
  ["not-a-zip", "fewer records than there are", [hello, { name: "b" }], { records: 1 }],
  ["not-a-zip", "a comment cut off", [hello], { comment: Buffer.from("hi"), commentLength: 3 }],
  ["not-a-zip", "a directory before the file", [hello], { directorySize: 1 << 20 }],
  ["not-a-zip", "zip64 sizes without the extra", [{ ...hello, compressedSize: max32 }]],
  [
    "not-a-zip",
    "a zip64 extra that is too short",
    [{ ...hello, compressedSize: max32, extra: littleEndian([2, 1], [2, 4], [4, 0]) }],
  ],
];

for (const [code, what, entries, end] of refused) {
  test(`refuses ${what}: ${code}`, async () => {
    await assert.rejects(hashZip(zipped(entries, end)), { code });
    if (end === undefined) await assert.rejects(hashZip(zipped(amongOthers(entries))), { code });
  });
}

// Small files are inflated as the members of one gzip file. What an attacker writes into them may not move their borders.

const memberStart = Buffer.from("1f8b0800000000000000", "hex");
const memberEnd = (content: string) => littleEndian([4, crc32(content)], [4, content.length]);
const betweenMembers = (content: string) => Buffer.concat([memberEnd(content), memberStart]);
/** The start of a stored block of 18 bytes. */
const swallow18 = Buffer.from([0, 18, 0, 0xed, 0xff]);

const borders: readonly (readonly [string, readonly RawEntry[]])[] = [
  [
    "an empty member before the right one",
    [{ ...hello, method: 8, data: Buffer.concat([deflateRawSync(""), betweenMembers(""), deflatedHello]) }],
  ],
  [
    "a member with the content of all, and a zero byte",
    [
      {
        ...hello,
        method: 8,
        data: Buffer.concat([
          deflateRawSync(`${hello.content}after`),
          memberEnd(`${hello.content}after`),
          Buffer.alloc(1),
        ]),
      },
    ],
  ],
  [
    "a stream whose stored block swallows the next member's start",
    [
      { ...hello, method: 8, data: swallow18 },
      {
        name: "b",
        content: Buffer.concat([betweenMembers(hello.content), Buffer.from(hello.content)]),
        method: 8,
        data: deflatedHello,
      },
    ],
  ],
  [
    "the same for a file of no bytes",
    [
      { name: "a", method: 8, data: swallow18 },
      {
        name: "b",
        content: Buffer.concat([betweenMembers(""), Buffer.from(hello.content)]),
        method: 8,
        data: deflatedHello,
      },
    ],
  ],
];

for (const [what, entries] of borders) {
  test(`refuses ${what}`, async () => {
    await assert.rejects(hashZip(zipped(entries)), { code: "zip-corrupt" });
    await assert.rejects(hashZip(zipped(amongOthers(entries))), { code: "zip-corrupt" });
  });
}

test("what is no zip at all is refused without a path or a system's words in the message", async () => {
  for (const bytes of [Buffer.alloc(0), Buffer.from("PK"), Buffer.alloc(100_000)]) {
    await assert.rejects(hashZip(temporaryFile(bytes)), { code: "not-a-zip", message: "not a valid zip file" });
  }
  await assert.rejects(hashZip("nowhere.zip"), { code: "zip-unreadable", message: "the zip file cannot be opened" });
});

test("a directory whose last row reaches to the end of the file is refused, as Go's reader stops with EOF", async () => {
  const zip = rawZip([hello]);
  const rowComment = zip.readUInt32LE(zip.length - 6) + 32;
  zip.writeUInt16LE(22, rowComment);
  await assert.rejects(hashZip(temporaryFile(zip)), { code: "not-a-zip" });
});

test("inflating stops at the declared size", async () => {
  const bomb = { name: "a", method: 8, data: deflateRawSync(large), uncompressedSize: 100 } as const;
  await assert.rejects(hashZip(zipped([bomb])), (error: Error) => {
    assert.equal((error.cause as NodeJS.ErrnoException).code, "ERR_BUFFER_TOO_LARGE");
    return true;
  });
});
