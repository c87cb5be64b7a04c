import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isCodedError } from "../../lambda/golang/coded-error.ts";
import { encodeBase64 } from "../../lambda/golang/encoding.ts";
import {
  checkRecord,
  checkTree,
  formatRecord,
  formatTree,
  parseRecord,
  parseTree,
  proveRecord,
  proveTree,
  recordHash,
  splitStoredHashIndex,
  storedHashCount,
  storedHashes,
  storedHashIndex,
  treeHash,
} from "../../lambda/golang/tlog.ts";
import { assertAgrees, type Question } from "../support/agree.ts";
import { edges, syntheticHash, syntheticLog } from "../support/synthetic-log.ts";
import { skipWithoutGo } from "../support/xmod.ts";

const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const base64 = (list: readonly Uint8Array[]) => list.map(encodeBase64);

/** Sizes and a smaller number for each: every pair of small ones, then around powers of two beyond what doubles hold. */
const pairs: readonly (readonly [t: bigint, n: bigint])[] = [
  ...Array.from({ length: 34 }, (_, t) => Array.from({ length: t }, (_, n) => [BigInt(t), BigInt(n)] as const)).flat(),
  ...edges.flatMap((t) => [t / 3n, t / 2n, t - 1n].filter((n) => n >= 0n && n < t).map((n) => [t, n] as const)),
];

test("storedHashIndex and splitStoredHashIndex are inverse, at every level and size", () => {
  for (let level = 0; level < 60; level++) {
    for (const n of edges.filter((n) => n < 1n << BigInt(60 - level))) {
      assert.deepEqual(splitStoredHashIndex(storedHashIndex(level, n)), { level, n }, `${level} ${n}`);
    }
  }
});

/** A log of `size` records: root hashes of all its sizes, stored hashes, and the records' own. */
async function grow(size: number) {
  const stored: Uint8Array[] = [];
  const read = async (indexes: readonly bigint[]) => {
    assert.deepEqual(
      indexes,
      indexes.toSorted((a, b) => (a < b ? -1 : 1)),
      "asked in increasing order",
    );
    return indexes.map((index) => stored[Number(index)] as Uint8Array);
  };
  const roots = [await treeHash(0n, read)];
  for (let i = 0; i < size; i++) {
    stored.push(...(await storedHashes(BigInt(i), bytes(`leaf ${i}`), read)));
    assert.equal(storedHashCount(BigInt(i + 1)), BigInt(stored.length));
    roots.push(await treeHash(BigInt(i + 1), read));
  }
  return { roots, read };
}

test("proofs of a growing log hold for every record and every earlier size, and fail with any bit changed", async () => {
  const size = 40;
  const { roots, read } = await grow(size);
  for (let t = 1; t <= size; t++) {
    for (let n = 0; n < t; n++) {
      const [size, record, root] = [BigInt(t), BigInt(n), roots[t] as Uint8Array];
      const ofRecord = await proveRecord(size, record, read);
      const leaf = recordHash(bytes(`leaf ${n}`));
      checkRecord(ofRecord, size, root, record, leaf);
      for (const wrong of damaged(ofRecord)) {
        assert.throws(() => checkRecord(wrong, size, root, record, leaf), failed, `record ${n} of ${t}`);
      }
      const ofTree = await proveTree(size, record + 1n, read);
      const older = roots[n + 1] as Uint8Array;
      checkTree(ofTree, size, root, record + 1n, older);
      const other = recordHash(older);
      assert.throws(() => checkRecord(ofRecord, size, other, record, leaf), failed);
      assert.throws(() => checkRecord(ofRecord, size, root, record, other), failed);
      assert.throws(() => checkTree(ofTree, size, other, record + 1n, older), failed);
      assert.throws(() => checkTree(ofTree, size, root, record + 1n, other), failed);
      for (const wrong of damaged(ofTree)) {
        assert.throws(() => checkTree(wrong, size, root, record + 1n, older), failed, `tree ${n + 1} of ${t}`);
      }
    }
  }
});

const failed = (error: unknown) => isCodedError(error, "tlog-proof-failed");

/** The proof with each hash changed in one bit, one hash less and one more. */
function damaged(proof: readonly Uint8Array[]): Uint8Array[][] {
  const flip = (hash: Uint8Array) => hash.map((byte, i) => (i === 0 ? byte ^ 1 : byte));
  const changed = proof.map((_, i) => proof.map((hash, j) => (i === j ? flip(hash) : hash)));
  return [...changed, ...(proof.length > 0 ? [proof.slice(1)] : []), [...proof, new Uint8Array(32)]];
}

test("numbers outside the log are refused", async () => {
  const invalid = { code: "tlog-invalid-input" };
  const hash = new Uint8Array(32);
  for (const [t, n] of [
    [0n, 0n],
    [3n, 3n],
    [3n, -1n],
  ] as const) {
    await assert.rejects(proveRecord(t, n, syntheticLog), invalid);
    assert.throws(() => checkRecord([], t, hash, n, hash), invalid);
  }
  for (const [t, n] of [
    [0n, 0n],
    [3n, 4n],
    [3n, 0n],
    [3n, -1n],
  ] as const) {
    await assert.rejects(proveTree(t, n, syntheticLog), invalid);
    assert.throws(() => checkTree([], t, hash, n, hash), invalid);
  }
  await assert.rejects(
    treeHash(3n, async () => [hash]),
    invalid,
  );
});

test("the arithmetic agrees with x/mod beyond 2^53", { skip: skipWithoutGo }, async () => {
  const small = Array.from({ length: 300 }, (_, n) => BigInt(n));
  const questions: Question[] = [...small, ...edges].flatMap((n) => [
    {
      fn: "tlog.splitStoredHashIndex",
      args: [String(n)],
      ours: () => Object.values(splitStoredHashIndex(n)).join(" "),
    },
    { fn: "tlog.storedHashCount", args: [String(n)], ours: () => String(storedHashCount(n)) },
    ...[0, 1, 2, 7, 8, 31, 40]
      .filter((level) => n < 1n << BigInt(60 - level))
      .map((level) => ({
        fn: "tlog.storedHashIndex",
        args: [String(level), String(n)],
        ours: () => String(storedHashIndex(level, n)),
      })),
  ]);
  await assertAgrees(questions);
});

test("hashes and proofs agree with x/mod at all small sizes and around powers of two", {
  skip: skipWithoutGo,
}, async () => {
  const record = bytes("record");
  const sizes = [...new Set(pairs.map(([t]) => t))];
  await assertAgrees([
    ...sizes.flatMap((t) => [
      { fn: "tlog.treeHash", args: [String(t)], ours: async () => encodeBase64(await treeHash(t, syntheticLog)) },
      {
        fn: "tlog.storedHashes",
        args: [String(t), encodeBase64(record)],
        ours: async () => base64(await storedHashes(t, record, syntheticLog)),
      },
    ]),
    ...pairs.flatMap(([t, n]) => [
      {
        fn: "tlog.proveRecord",
        args: [String(t), String(n)],
        ours: async () => base64(await proveRecord(t, n, syntheticLog)),
      },
      {
        fn: "tlog.proveTree",
        args: [String(t), String(n + 1n)],
        ours: async () => base64(await proveTree(t, n + 1n, syntheticLog)),
      },
    ]),
  ]);
});

test("proofs from here convince x/mod, wrong ones do not", { skip: skipWithoutGo }, async () => {
  const questions: Question[] = [];
  for (const [t, n] of pairs) {
    const [root, older] = [await treeHash(t, syntheticLog), await treeHash(n + 1n, syntheticLog)];
    const leaf = syntheticHash(storedHashIndex(0, n));
    for (const proof of [await proveRecord(t, n, syntheticLog), [leaf]]) {
      questions.push({
        fn: "tlog.checkRecord",
        args: [base64(proof), String(t), encodeBase64(root), String(n), encodeBase64(leaf)],
        ours: () => checkRecord(proof, t, root, n, leaf) ?? true,
      });
    }
    for (const proof of [await proveTree(t, n + 1n, syntheticLog), [older]]) {
      questions.push({
        fn: "tlog.checkTree",
        args: [base64(proof), String(t), encodeBase64(root), String(n + 1n), encodeBase64(older)],
        ours: () => checkTree(proof, t, root, n + 1n, older) ?? true,
      });
    }
  }
  await assertAgrees(questions);
});

const hash64 = "nND/nri/U0xuHUrYSy0HtMeal2vzD9V4k/BO79C+QeI=";
const treeTexts: readonly (readonly [text: string, n: bigint | undefined])[] = [
  [`go.sum database tree\n2\n${hash64}\n`, 2n],
  [`go.sum database tree\n2\n${hash64}\nmore\n\nlines`, 2n],
  [`go.sum database tree\n0\n${hash64}\n`, 0n],
  [`go.sum database tree\n9223372036854775807\n${hash64}\n`, 2n ** 63n - 1n],
  [`go.sum database tree\n9223372036854775808\n${hash64}\n`, undefined],
  [`go.sum database tree\n2\n${hash64}`, undefined],
  [`go.sum database tree\n-2\n${hash64}\n`, undefined],
  [`go.sum database tree\n+2\n${hash64}\n`, undefined],
  [`go.sum database tree\n02\n${hash64}\n`, undefined],
  [`go.sum database tree\n0x2\n${hash64}\n`, undefined],
  [`go.sum database tree\n\n${hash64}\n`, undefined],
  [`go.sum database tree\n2\n${hash64.slice(4)}\n`, undefined],
  [`go.sum database tree\n2\n${hash64.slice(0, -1)}\n`, undefined],
  [`go.sum database tree \n2\n${hash64}\n`, undefined],
  ["go.sum database tree\n2\n", undefined],
  ["", undefined],
  [`go.sum database tree\n2\n${hash64}\n${"x".repeat(999_932)}`, 2n], // 1,000,000 bytes
  [`go.sum database tree\n2\n${hash64}\n${"x".repeat(999_933)}`, undefined],
];

test("parseTree takes what formatTree writes, with more lines at most", () => {
  for (const [text, n] of treeTexts) {
    if (n === undefined) assert.throws(() => parseTree(text), { code: "tlog-malformed-tree" }, text.slice(0, 99));
    else assert.equal(formatTree(parseTree(text)), text.split("\n").slice(0, 3).join("\n").concat("\n"));
  }
});

const records: readonly (readonly [message: string, id: bigint | undefined, text?: string, rest?: string])[] = [
  ["5\nm v1 h1:x\nm v1/go.mod h1:y\n\nnote", 5n, "m v1 h1:x\nm v1/go.mod h1:y\n", "note"],
  ["0\na\n\n", 0n, "a\n", ""],
  ["0\n\n\nrest", 0n, "\n", "rest"],
  ["9223372036854775807\na\n\n", 2n ** 63n - 1n, "a\n", ""],
  ["9223372036854775808\na\n\n", undefined],
  ["5\na\n", undefined],
  ["5\na", undefined],
  ["5", undefined],
  ["", undefined],
  ["x\na\n\n", undefined],
  ["5\na\tb\n\n", undefined],
  ["5\na\r\n\n", undefined],
  ["5\na\u007fé\ufeff\n\n", 5n, "a\u007fé\ufeff\n", ""],
];

test("parseRecord splits number, text and rest", () => {
  for (const [message, id, text, rest] of records) {
    if (id === undefined) assert.throws(() => parseRecord(bytes(message)), { code: "tlog-malformed-record" }, message);
    else {
      assert.deepEqual(parseRecord(bytes(message)), { id, text: bytes(text ?? ""), rest: bytes(rest ?? "") }, message);
      assert.deepEqual(Buffer.concat([formatRecord(id, bytes(text ?? "")), bytes(rest ?? "")]), Buffer.from(message));
    }
  }
  for (const id of ["+5", "-5", "05"]) {
    assert.throws(() => parseRecord(bytes(`${id}\na\n\n`)), { code: "tlog-malformed-record" }, `${id}: unlike x/mod`);
  }
});

test("texts of trees and records agree with x/mod, invalid UTF-8 included", { skip: skipWithoutGo }, async () => {
  const unit = fc.constantFrom("\n", "\n\n", "a", "é", "\u{1f600}", "\ufffd", "\ufeff", "\u007f", "\t", "\0");
  const texts = fc.sample(fc.string({ unit, maxLength: 8 }), 150).map((text) => Buffer.from(text));
  const junk = fc.sample(fc.uint8Array({ maxLength: 4 }), 100).map((part) => Buffer.concat([part, bytes("\n")]));
  const surrogate = Buffer.from("eda0800a", "hex"); // U+D800 in UTF-8, which is none
  await assertAgrees([
    ...treeTexts.map(([text]) => ({
      fn: "tlog.parseTree",
      args: [encodeBase64(bytes(text))],
      ours: () => formatTree(parseTree(text)).split("\n").slice(1, 3).join(" "),
    })),
    ...edges.map((n) => ({
      fn: "tlog.formatTree",
      args: [String(n), hash64],
      ours: () => formatTree({ n, hash: new Uint8Array(Buffer.from(hash64, "base64")) }),
    })),
    ...[...texts, ...junk, surrogate].flatMap((text) => [
      {
        fn: "tlog.formatRecord",
        args: ["7", encodeBase64(text)],
        ours: () => encodeBase64(formatRecord(7n, text)),
      },
      parseQuestion(Buffer.concat([bytes("7\n"), text, bytes("\nrest")])),
    ]),
    ...records.map(([message]) => parseQuestion(bytes(message))),
  ]);
});

function parseQuestion(message: Uint8Array): Question {
  return {
    fn: "tlog.parseRecord",
    args: [encodeBase64(message)],
    ours: () => {
      const { id, text, rest } = parseRecord(message);
      return { id: String(id), rest: encodeBase64(rest), text: encodeBase64(text) };
    },
  };
}
