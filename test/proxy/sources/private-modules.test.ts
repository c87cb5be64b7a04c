import assert from "node:assert/strict";
import { test } from "node:test";
import { PrivateModules } from "../../../lambda/proxy/sources/private-modules.ts";

const modules = new PrivateModules(["corp.example", "github.com/corp/*", "*.Git.example"]);

const rows: readonly (readonly [path: string, isPrivate: boolean, inOtherCase: boolean])[] = [
  ["corp.example/m", true, false],
  ["github.com/corp/m", true, false],
  ["github.com/Corp/M", true, true],
  ["github.com/corp-2/m", false, false],
  // Of other hosts nobody knows: there the letters count.
  ["corp.other/Corp/m", false, false],
  ["a.Git.example/m", true, false],
  ["a.git.example/m", false, false],
];

for (const [path, isPrivate, inOtherCase] of rows) {
  test(`${path} is ${isPrivate ? "private" : "public"}${inOtherCase ? ", in other letters" : ""}`, () =>
    assert.deepEqual([modules.has(path), modules.hasInOtherCase(path)], [isPrivate, inOtherCase]));
}
