import assert from "node:assert/strict";
import { test } from "node:test";
import { applyDelta, deltaSizes } from "../../../../lambda/upstream/git/pack/delta.ts";
import { copyInstruction, deltaOf, insertInstructions, sizeBytes } from "../../../support/git-objects.ts";

const base = Buffer.from("0123456789abcdef".repeat(8192));

function delta(result: number, ...instructions: Buffer[]): Buffer {
  return Buffer.concat([sizeBytes(base.length), sizeBytes(result), ...instructions]);
}

test("a delta copies and inserts", () => {
  const rows: readonly (readonly [string, Buffer, Buffer])[] = [
    ["nothing", delta(0), Buffer.alloc(0)],
    ["short copy", delta(3, copyInstruction(10, 3)), Buffer.from("abc")],
    ["long copy", delta(100, copyInstruction(16, 100)), base.subarray(16, 116)],
    // A size of 0 stands for 65536.
    ["64 KiB", delta(0x10000, copyInstruction(0x100, 0x10000)), base.subarray(0x100, 0x10100)],
    ["copy beyond 64 KiB", delta(0x10fff, copyInstruction(1, 0x10fff)), base.subarray(1, 0x11000)],
    ["insert", delta(200, insertInstructions(Buffer.alloc(200, "x"))), Buffer.alloc(200, "x")],
    ["both", delta(4, insertInstructions(Buffer.from("xy")), copyInstruction(0, 2)), Buffer.from("xy01")],
  ];
  for (const [name, bytes, result] of rows) assert.ok(applyDelta(base, bytes).equals(result), name);
  const target = Buffer.concat([base.subarray(0, 70_000), Buffer.from("changed"), base.subarray(70_003)]);
  assert.ok(applyDelta(base, deltaOf(base, target)).equals(target));
});

test("a delta that does not fit is refused", () => {
  const rows: readonly (readonly [string, Buffer])[] = [
    ["empty", Buffer.alloc(0)],
    ["sizes only begun", Buffer.of(0x80)],
    ["size without end", Buffer.alloc(40, 0xff)],
    ["another base", Buffer.concat([sizeBytes(base.length - 1), sizeBytes(0)])],
    ["the instruction 0", delta(1, Buffer.of(0))],
    ["copy behind the end", delta(2, copyInstruction(base.length - 1, 2))],
    ["copy far behind", delta(2, copyInstruction(0xffffffff, 2))],
    ["copy cut off", delta(3, Buffer.of(0x91))],
    ["insert cut off", delta(3, Buffer.from("\x03ab"))],
    ["more than it says", delta(1, copyInstruction(0, 2))],
    ["less than it says", delta(3, copyInstruction(0, 2))],
  ];
  for (const [name, bytes] of rows) assert.throws(() => applyDelta(base, bytes), { code: "bad-answer" }, name);
});

test("what comes out is known before it is made", () => {
  assert.deepEqual(deltaSizes(delta(2 ** 40, copyInstruction(0, 2))), { base: base.length, result: 2 ** 40, start: 9 });
});
