import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  isPseudoVersion,
  isZeroPseudoVersion,
  PseudoVersionError,
  pseudoVersion,
  pseudoVersionBase,
  pseudoVersionRev,
  pseudoVersionTime,
  zeroPseudoVersion,
} from "../../lambda/golang/pseudo.ts";
import { compare, major } from "../../lambda/golang/semver.ts";

const time = new Date("2006-02-15T16:17:18.999Z");
const rev = "abcdef123456";
const tail = `20060215161718-${rev}`;
const nines = "9".repeat(30);

const rows: readonly (readonly [major: string, older: string, version: string])[] = [
  ["", "", `v0.0.0-${tail}`],
  ["v2", "", `v2.0.0-${tail}`],
  ["unused", "v0.0.0", `v0.0.1-0.${tail}`],
  ["unused", "v1.2.3", `v1.2.4-0.${tail}`],
  ["unused", "v1.2.99999999999999999", `v1.2.100000000000000000-0.${tail}`],
  ["unused", `v1.2.${nines}`, `v1.2.1${"0".repeat(30)}-0.${tail}`],
  ["unused", "v1.2.3-pre", `v1.2.3-pre.0.${tail}`],
  ["unused", "v1.3.0-pre.0", `v1.3.0-pre.0.0.${tail}`],
  ["unused", "v1.0.0-pre-a.b", `v1.0.0-pre-a.b.0.${tail}`],
  ["unused", "v2.1.9+incompatible", `v2.1.10-0.${tail}+incompatible`],
  ["unused", "v2.1.0-rc1+incompatible", `v2.1.0-rc1.0.${tail}+incompatible`],
];

test("a pseudo-version is made of its parts and gives them back", () => {
  for (const [majorVersion, older, version] of rows) {
    assert.equal(pseudoVersion(majorVersion, older, time, rev), version);
    assert.equal(isPseudoVersion(version), true, version);
    assert.equal(pseudoVersionBase(version), older);
    assert.equal(pseudoVersionRev(version), rev);
    assert.equal(pseudoVersionTime(version).toISOString(), "2006-02-15T16:17:18.000Z");
  }
});

function throwsPseudo(call: () => unknown, version: string, wrong: string): void {
  assert.throws(call, new PseudoVersionError(version, wrong), version);
}

test("what is no pseudo-version has no parts", () => {
  const others = [
    "",
    "v1.0.0",
    "v1.2.3-pre",
    tail,
    `v1.1.0-${tail}`, // only vX.0.0 can be without a tag
    `v1.0.1-${tail}`,
    `v0.0-${tail}`,
    `v1.2.3-1.${tail}`,
    `v1.2.3-pre0.${tail}`,
    `v1.2.3-pre.00.${tail}`,
    `v0.0.0-${tail}-x`,
    `v0.0.0-${tail}.x`,
    `v0.0.0-2006021516171-${rev}`,
    `v0.0.0-200602151617180-${rev}`,
    `v0.0.0-20060215161718.${rev}`,
    "v0.0.0-20060215161718-",
    `v0.0.0-${tail}+`,
  ];
  for (const version of others) {
    assert.equal(isPseudoVersion(version), false, version);
    for (const part of [pseudoVersionBase, pseudoVersionRev, pseudoVersionTime])
      throwsPseudo(() => part(version), version, "it has none of their forms");
  }
});

test("forms that cannot be true are pseudo-versions without a base", () => {
  const noneBefore = "its patch number leaves no version before it";
  for (const [version, wrong] of [
    [`v0.0.0-${tail}+incompatible`, "it has no base version but build metadata"],
    [`v1.2.0-0.${tail}`, noneBefore],
    [`v1.0.0-0.${tail}`, noneBefore],
  ] as const) {
    assert.equal(isPseudoVersion(version), true, version);
    throwsPseudo(() => pseudoVersionBase(version), version, wrong);
  }
});

test("the time has to be one", () => {
  for (const [stamp, iso] of [
    ["20000229235959", "2000-02-29T23:59:59.000Z"],
    ["00010101000000", "0001-01-01T00:00:00.000Z"],
    ["00000229000000", "0000-02-29T00:00:00.000Z"],
    ["99991231235959", "9999-12-31T23:59:59.000Z"],
  ]) {
    assert.equal(pseudoVersionTime(`v0.0.0-${stamp}-a`).toISOString(), iso);
  }
  for (const stamp of ["19000229000000", "20060230000000", "20061301000000", "20060001000000", "20060100000000"]) {
    const version = `v0.0.0-${stamp}-a`;
    throwsPseudo(() => pseudoVersionTime(version), version, `${stamp} is not a time`);
  }
  for (const stamp of ["20060101240000", "20060101236000", "20060101235960", "99999999999999"]) {
    const version = `v0.0.0-${stamp}-a`;
    throwsPseudo(() => pseudoVersionTime(version), version, `${stamp} is not a time`);
  }
});

test("the zero pseudo-version", () => {
  assert.equal(zeroPseudoVersion(""), "v0.0.0-00010101000000-000000000000");
  assert.equal(zeroPseudoVersion("v2"), "v2.0.0-00010101000000-000000000000");
  assert.equal(isZeroPseudoVersion(zeroPseudoVersion("v2")), true);
  assert.equal(isZeroPseudoVersion("v2.0.1-0.00010101000000-000000000000"), false);
  assert.equal(isZeroPseudoVersion("bad"), false);
});

test("a pseudo-version lies between the tag before it and the next release", () => {
  const part = fc.bigInt({ min: 0n, max: 10n ** 20n });
  const date = fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true });
  fc.assert(
    fc.property(part, part, part, fc.constantFrom("", "-pre", "-0", "-rc.1"), date, (a, b, c, pre, when) => {
      const older = `v${a}.${b}.${c}${pre}`;
      const version = pseudoVersion(major(older), older, when, rev);
      assert.equal(compare(older, version), -1);
      assert.equal(compare(version, pre === "" ? `v${a}.${b}.${c + 1n}` : `v${a}.${b}.${c}`), -1);
      assert.equal(pseudoVersionBase(version), older);
      assert.equal(pseudoVersionTime(version).getTime(), Math.floor(when.getTime() / 1000) * 1000);
    }),
  );
});

test("a long hostile version costs one pass", { timeout: 20_000 }, () => {
  assert.equal(isPseudoVersion(`v1.2.3-${`0.${tail}.`.repeat(50_000)}x`), false);
});
