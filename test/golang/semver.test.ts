import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareStrings } from "../../lambda/golang/encoding.ts";
import {
  build,
  canonical,
  compare,
  isValid,
  major,
  majorMinor,
  max,
  prerelease,
  sort,
  sortKey,
} from "../../lambda/golang/semver.ts";

const huge = "12345678901234567890123456789";

// In ascending order; versions on one line are equal but for their spelling.
const ascending: readonly (readonly string[])[] = [
  ["", "1.2.3", "V1.2.3", "v", "v1.", "v1.2.", "v01.2.3", "v1.02.3", "v1.2.03", "v1.2.3-", "v1.2.3+", "v1.2.3-a..b"],
  ["v0.0.0-00010101000000-000000000000"],
  ["v0.0.0", "v0", "v0.0"],
  ["v1.2.3-0"],
  ["v1.2.3-9"],
  ["v1.2.3-10"],
  [`v1.2.3-${huge}`],
  ["v1.2.3--"],
  ["v1.2.3-0a"], // no number: the leading zero is fine
  ["v1.2.3-Alpha"],
  ["v1.2.3-alpha", "v1.2.3-alpha+meta"],
  ["v1.2.3-alpha.1"],
  ["v1.2.3-alpha.1.0"],
  ["v1.2.3-alpha.beta"],
  ["v1.2.3-alpha-1"],
  ["v1.2.3", "v1.2.3+meta", "v1.2.3+01", "v1.2.3+incompatible"],
  ["v1.2.10"],
  ["v1.10.0", "v1.10"],
  ["v2.0.0", "v2", "v2.0"],
  [`v${huge}.0.0`],
];

test("compare orders as SemVer does, by spelling never", () => {
  for (const [i, row] of ascending.entries()) {
    for (const [j, other] of ascending.entries()) {
      for (const v of row) for (const w of other) assert.equal(compare(v, w), Math.sign(i - j), `${v} ${w}`);
    }
  }
});

test("the keys of versions are ordered as the versions are, and as bytes are", () => {
  const key = (version: string) => Buffer.from(sortKey(version));
  for (const [i, row] of ascending.entries()) {
    for (const [j, other] of ascending.entries()) {
      for (const v of row)
        for (const w of other) assert.equal(Buffer.compare(key(v), key(w)), Math.sign(i - j), `${v} ${w}`);
    }
  }
});

test("the parts of a version", () => {
  const rows = [
    // version, canonical, major, majorMinor, prerelease, build
    ["v1.2.3-pre.1+meta.2", "v1.2.3-pre.1", "v1", "v1.2", "-pre.1", "+meta.2"],
    ["v1.2.3+incompatible", "v1.2.3", "v1", "v1.2", "", "+incompatible"],
    ["v1.2", "v1.2.0", "v1", "v1.2", "", ""],
    ["v10", "v10.0.0", "v10", "v10.0", "", ""],
    [`v${huge}.${huge}`, `v${huge}.${huge}.0`, `v${huge}`, `v${huge}.${huge}`, "", ""],
    // The short forms take no suffix.
    ["v1-pre", "", "", "", "", ""],
    ["v1.2+meta", "", "", "", "", ""],
    ["v1.2.3-00", "", "", "", "", ""],
    ["v1.2.3-é", "", "", "", "", ""],
    ["v1.2.3\n", "", "", "", "", ""],
    ["v1.2.3.4", "", "", "", "", ""],
  ];
  for (const [version = "", ...parts] of rows) {
    const ours = [canonical, major, majorMinor, prerelease, build].map((part) => part(version));
    assert.deepEqual(ours, parts, version);
    assert.equal(isValid(version), parts[0] !== "", version);
  }
});

test("max returns canonical forms", () => {
  assert.equal(max("v1.2", "v1.10.0+meta"), "v1.10.0");
  assert.equal(max("v2", "v1.10.0"), "v2.0.0");
  assert.equal(max("bad", "v0.0.0-a"), "v0.0.0-a");
  assert.equal(max("bad", "worse"), "");
});

test("sort puts equal versions in byte order, in place", () => {
  const list = ["v1.2.3+b", "v10.0.0", "v1.2.3", "v9.0.0", "zzz", "v1.2.3+a", "v1.2.3-pre", "aaa"];
  assert.equal(sort(list), list);
  assert.deepEqual(list, ["aaa", "zzz", "v1.2.3-pre", "v1.2.3", "v1.2.3+a", "v1.2.3+b", "v9.0.0", "v10.0.0"]);
});

const identifier = fc.stringMatching(/^(?:[1-9][0-9]{0,25}|0|[0-9]{0,3}[A-Za-z-][0-9A-Za-z-]{0,5})$/);
const number = fc.bigInt({ min: 0n, max: 10n ** 25n }).map(String);
const version = fc
  .tuple(number, number, number, fc.array(identifier, { maxLength: 3 }))
  .map(([a, b, c, pre]) => `v${a}.${b}.${c}${pre.length > 0 ? `-${pre.join(".")}` : ""}`);

test("compare is an order on canonical versions and says equal only of the same", () => {
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      assert.equal(canonical(a), a);
      assert.equal(compare(a, b) + compare(b, a), 0);
      assert.equal(compare(a, b) === 0, a === b);
      assert.equal(Buffer.compare(Buffer.from(sortKey(a)), Buffer.from(sortKey(b))), compare(a, b));
      if (compare(a, b) <= 0 && compare(b, c) <= 0) assert.ok(compare(a, c) <= 0);
    }),
  );
});

test("sort orders thousands as two by two, and what is sorted already stays", () => {
  const shuffled = Array.from({ length: 5_000 }, (_, i) => {
    const n = (i * 7919) % 5_000;
    return `v${n % 3}.${Math.floor(n / 3) % 40}.${Math.floor(n / 120)}${n % 5 === 0 ? "-rc.1" : ""}`;
  });
  const ordered = shuffled.toSorted((v, w) => compare(v, w) || compareStrings(v, w));
  assert.deepEqual(sort([...shuffled]), ordered);
  assert.deepEqual(sort([...ordered]), ordered);
  assert.deepEqual(sort(ordered.toReversed()), ordered);
});
