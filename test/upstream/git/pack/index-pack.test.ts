import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { deflateSync } from "node:zlib";
import { type GitLimits, gitLimits } from "../../../../lambda/upstream/git/pack/git-limits.ts";
import { indexPack } from "../../../../lambda/upstream/git/pack/index-pack.ts";
import type { ObjectFormat } from "../../../../lambda/upstream/git/pack/object-id.ts";
import { PackObjects } from "../../../../lambda/upstream/git/pack/pack-objects.ts";
import { dataFolder } from "../../../support/data-folder.ts";
import {
  copyInstruction,
  deltaOf,
  distanceBytes,
  entryHeader,
  idOf,
  insertInstructions,
  type PackPart,
  packOf,
  type StoredObject,
  sealed,
  sizeBytes,
} from "../../../support/git-objects.ts";

const blob = (data: string | Buffer): StoredObject => ({ type: "blob", data: Buffer.from(data) });

/** Indexes a packfile, reads every object of it back, and gives ids with types and content. */
async function objectsOf(
  t: TestContext,
  pack: Buffer,
  { format = "sha1", limits = {} }: { readonly format?: ObjectFormat; readonly limits?: Partial<GitLimits> } = {},
): Promise<Map<string, string>> {
  const path = join(dataFolder(t), "pack");
  writeFileSync(path, pack);
  const all = { ...gitLimits, ...limits };
  const index = await indexPack(path, { format, limits: all });
  const objects = new PackObjects(path, index, {
    format,
    limits: all,
    outside: () => assert.fail("all is in the packfile"),
  });
  t.after(() => objects.close());
  const length = index.ids.length / Math.max(1, index.types.length);
  return new Map(
    Array.from(index.types, (type, row) => {
      const data = objects.read(row);
      assert.equal(data.length, index.sizes[row]);
      const id = Buffer.from(index.ids.subarray(row * length, (row + 1) * length)).toString("hex");
      return [id, `${type} ${data.toString("latin1")}`];
    }),
  );
}

test("every object of a packfile has the id of its bytes, deltas on deltas and to ids included", async (t) => {
  const texts = Array.from({ length: 60 }, (_, i) => Buffer.from(`${"line\n".repeat(50)}${i}\n${"more\n".repeat(50)}`));
  for (const format of ["sha1", "sha256"] as const) {
    const first = blob(texts[0] ?? "");
    const parts: PackPart[] = [
      // To an id that comes later in the file, and of an object that is a delta itself.
      { base: idOf(blob(texts[58] ?? ""), format), delta: deltaOf(texts[58] ?? first.data, texts[59] ?? first.data) },
      first,
      ...texts.slice(1, 59).map((text, i) => ({ base: i + 1, delta: deltaOf(texts[i] ?? first.data, text) })),
      { type: "commit", data: Buffer.from("tree 0\n") },
      { type: "tag", data: Buffer.from("object 0\n") },
      blob(""),
    ];
    const found = await objectsOf(t, packOf(parts, format), { format });
    const expected = new Map(texts.map((text) => [idOf(blob(text), format), `3 ${text}`]));
    expected.set(idOf({ type: "commit", data: Buffer.from("tree 0\n") }, format), "1 tree 0\n");
    expected.set(idOf({ type: "tag", data: Buffer.from("object 0\n") }, format), "4 object 0\n");
    expected.set(idOf(blob(""), format), "3 ");
    assert.deepEqual(new Map([...found].sort()), new Map([...expected].sort()));
  }
  assert.equal((await objectsOf(t, packOf([]))).size, 0);
});

test("large objects are read in pieces, and the next entry is found behind them", async (t) => {
  const large = Buffer.alloc(5 << 20, "0123456789");
  const noise = Buffer.alloc(3 << 20);
  for (let i = 0, state = 1; i < noise.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    noise[i] = state >>> 24;
  }
  const tail = blob("behind");
  const found = await objectsOf(
    t,
    packOf([blob(large), blob(noise), tail, { base: 0, delta: deltaOf(large, large.subarray(7)) }]),
  );
  assert.deepEqual(
    [...found.keys()].sort(),
    [blob(large), blob(noise), tail, blob(large.subarray(7))].map((each) => idOf(each)).sort(),
  );
});

test("a wide tree of deltas that cannot be held in memory at once comes out right", async (t) => {
  const size = 9 << 20;
  const at = (i: number) => Buffer.concat([Buffer.alloc(size, "x"), Buffer.from(String(i))]);
  const parts: PackPart[] = [blob(at(0))];
  // A chain of 8 (72 MiB with all that is on the way), and on each of its objects two more.
  for (let i = 1; i < 8; i++) parts.push({ base: i - 1, delta: deltaOf(at(i - 1), at(i)) });
  for (let i = 0; i < 8; i++) {
    for (const k of [100, 200]) parts.push({ base: i, delta: deltaOf(at(i), at(i + k)) });
  }
  const path = join(dataFolder(t), "pack");
  writeFileSync(path, packOf(parts));
  const { ids } = await indexPack(path, { format: "sha1", limits: gitLimits });
  const expected = Array.from({ length: 24 }, (_, i) =>
    idOf(blob(at(i < 8 ? i : 100 * (1 + (i & 1)) + ((i - 8) >> 1)))),
  );
  assert.equal(Buffer.from(ids).toString("hex"), expected.sort().join(""));
});

const text = Buffer.from("some text that deltas are made of");
const zeros = Buffer.alloc(1 << 20);

test("a packfile that is not one, or not whole, is refused", async (t) => {
  const good = packOf([blob("a"), blob("b")]);
  const header = good.subarray(0, 12);
  const whole = { raw: Buffer.concat([entryHeader(3, text.length), deflateSync(text)]) };
  const rows: readonly (readonly [string, Buffer])[] = [
    ["empty", Buffer.alloc(0)],
    ["header only", header],
    ["no packfile", sealed(Buffer.from("PUCK\0\0\0\x02\0\0\0\0", "latin1"))],
    ["version 4", sealed(Buffer.from("PACK\0\0\0\x04\0\0\0\0", "latin1"))],
    ["cut off", good.subarray(0, -1)],
    ["one byte changed", Buffer.concat([good.subarray(0, 14), Buffer.of((good[14] ?? 0) ^ 1), good.subarray(15)])],
    ["trailing bytes", sealed(Buffer.concat([good.subarray(0, -20), Buffer.from("more")]))],
    ["more objects than it says", packOf([blob("a"), blob("b")], "sha1", 1)],
    ["fewer objects than it says", packOf([blob("a"), blob("b")], "sha1", 3)],
    ["the same object twice", packOf([blob("a"), blob("b"), blob("a")])],
    ["the same object twice, once as a delta", packOf([blob(text), { base: 0, delta: deltaOf(text, text) }])],
    ["type 0", packOf([{ raw: Buffer.concat([entryHeader(0, 1), deflateSync("a")]) }])],
    ["type 5", packOf([{ raw: Buffer.concat([entryHeader(5, 1), deflateSync("a")]) }])],
    ["a size without end", packOf([{ raw: Buffer.alloc(40, 0xff) }])],
    ["a size that is too small", packOf([{ raw: Buffer.concat([entryHeader(3, 3), deflateSync("four")]) }])],
    ["a size that is too large", packOf([{ raw: Buffer.concat([entryHeader(3, 5), deflateSync("four")]) }])],
    [
      "large, with a size that is too small",
      packOf([{ raw: Buffer.concat([entryHeader(3, 3 << 20), deflateSync(Buffer.alloc(4 << 20))]) }]),
    ],
    [
      "large, with a size that is too large",
      packOf([{ raw: Buffer.concat([entryHeader(3, 5 << 20), deflateSync(Buffer.alloc(4 << 20))]) }]),
    ],
    ["data that are not deflated", packOf([{ raw: Buffer.concat([entryHeader(3, 4), Buffer.from("four and more")]) }])],
    [
      "large, with data that are not deflated",
      packOf([{ raw: Buffer.concat([entryHeader(3, 4 << 20), Buffer.from("four and more")]) }]),
    ],
    [
      "data of which the checksum is wrong",
      packOf([
        { raw: Buffer.concat([entryHeader(3, 4), deflateSync("four").fill(0, deflateSync("four").length - 4)]) },
      ]),
    ],
    [
      "a base at no object",
      packOf([whole, { raw: Buffer.concat([entryHeader(6, 3), distanceBytes(5), deflateSync("abc")]) }]),
    ],
    [
      "a base before the first",
      packOf([whole, { raw: Buffer.concat([entryHeader(6, 3), distanceBytes(5_000), deflateSync("abc")]) }]),
    ],
    [
      "a base that is itself",
      packOf([whole, { raw: Buffer.concat([entryHeader(6, 3), distanceBytes(0), deflateSync("abc")]) }]),
    ],
    ["a base that is not there", packOf([{ base: "0".repeat(40), delta: deltaOf(text, text) }])],
    ["a delta of another base", packOf([blob("short"), { base: 0, delta: deltaOf(text, text) }])],
    ["a delta that is none", packOf([blob(text), { base: 0, delta: Buffer.from("abc") }])],
  ];
  for (const [name, pack] of rows) await assert.rejects(objectsOf(t, pack), { code: "bad-answer" }, name);
  const wrongHash = { message: "sent a packfile whose hash is not what it says" };
  await assert.rejects(
    objectsOf(t, Buffer.concat([good.subarray(0, -1), Buffer.of((good.at(-1) ?? 0) ^ 1)])),
    wrongHash,
  );
  // Found out before room is made for so many.
  const fewer = { message: "sent a packfile with fewer objects than it says" };
  await assert.rejects(objectsOf(t, packOf([blob("a")], "sha1", 1_999_999)), fewer);
});

test("what is too large is refused before it is made", async (t) => {
  const bomb = Buffer.concat([sizeBytes(text.length), sizeBytes(2 ** 40), insertInstructions(text)]);
  const doubling: PackPart[] = [blob(zeros)];
  for (let size = zeros.length, i = 0; i < 12; i++, size *= 2) {
    const twice = Array.from({ length: (2 * size) / 0x10000 }, (_, k) =>
      copyInstruction(k * 0x10000 < size ? k * 0x10000 : k * 0x10000 - size, 0x10000),
    );
    doubling.push({ base: i, delta: Buffer.concat([sizeBytes(size), sizeBytes(2 * size), ...twice]) });
  }
  const chain = (depth: number): PackPart[] => [
    blob(text),
    ...Array.from({ length: depth }, (_, i) => ({
      base: i,
      delta: deltaOf(Buffer.from(`${text}${i || ""}`), Buffer.from(`${text}${i + 1}`)),
    })),
  ];
  const rows: readonly (readonly [string, Buffer, Partial<GitLimits>?])[] = [
    ["a delta bomb", packOf([blob(text), { base: 0, delta: bomb }])],
    ["deltas that double", packOf(doubling)],
    ["the same under a small budget", packOf(doubling.slice(0, 4)), { inflatedBytes: 10 << 20 }],
    ["a blob", packOf([blob(zeros)]), { blobBytes: zeros.length - 1 }],
    ["a tree", packOf([{ type: "tree", data: zeros }]), { treeBytes: zeros.length - 1 }],
    [
      "a delta's base",
      packOf([blob(zeros), { base: 0, delta: deltaOf(zeros, zeros.subarray(1)) }]),
      { deltaBytes: zeros.length - 1 },
    ],
    ["all together", packOf([blob(zeros), blob(zeros.subarray(1))]), { inflatedBytes: zeros.length }],
    ["objects", packOf([blob("a"), blob("b")]), { objects: 1 }],
    ["bytes", packOf([blob("a"), blob("b")]), { packBytes: 40 }],
    ["deltas on deltas", packOf(chain(12)), { deltaDepth: 10 }],
  ];
  for (const [name, pack, limits = {}] of rows) {
    await assert.rejects(objectsOf(t, pack, { limits }), { code: "too-large" }, name);
  }
  assert.equal((await objectsOf(t, packOf(chain(2_000)))).size, 2_001);
});

test("deltas may be made of what is here already", async (t) => {
  const other = blob("a text that is in another packfile");
  const [first, second] = [blob(`${other.data}1`), blob(`${other.data}12`)];
  const path = join(dataFolder(t), "pack");
  const parts: PackPart[] = [
    { base: idOf(other), delta: deltaOf(other.data, first.data) },
    // To one from outside, to one in the file, and to one that is itself made of one from outside.
    { base: idOf(first), delta: deltaOf(first.data, second.data) },
    { base: idOf(other), delta: deltaOf(other.data, Buffer.from("a")) },
  ];
  writeFileSync(path, packOf(parts));
  const { ids } = await indexPack(path, {
    format: "sha1",
    limits: gitLimits,
    outside: (id) => (Buffer.from(id).toString("hex") === idOf(other) ? { type: 3, data: other.data } : undefined),
  });
  assert.equal(
    Buffer.from(ids).toString("hex"),
    [first, second, blob("a")]
      .map((each) => idOf(each))
      .sort()
      .join(""),
  );
  await assert.rejects(objectsOf(t, packOf(parts)), { code: "bad-answer" });
});

test("deltas that lead back to themselves end", async (t) => {
  // Ids that nothing has: nobody can make two objects that are deltas of each other.
  const parts: PackPart[] = [
    { base: "1".repeat(40), delta: deltaOf(text, text) },
    { base: "1".repeat(40), delta: deltaOf(text, text) },
  ];
  await assert.rejects(objectsOf(t, packOf(parts)), {
    code: "bad-answer",
    message: "sent a delta without what it is made of",
  });
});
