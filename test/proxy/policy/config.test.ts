import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "../../../lambda/config/config.ts";
import { isInRanges, parseRanges } from "../../../lambda/proxy/policy/version-ranges.ts";

function read(policy: unknown, more: object = {}) {
  return parseConfig(JSON.stringify({ policy, ...more })).policy;
}

test("a policy has lists of what is denied and allowed, and whom to ask; without one everything may come in", () => {
  assert.deepEqual(parseConfig("{}").policy, { deny: [], allow: [] });
  const row = { modules: "example.com/*, *.corp.example", versions: ">=v1.0.0 <v1.2.0", reason: " no " };
  const modules = ["example.com/*", "*.corp.example"];
  assert.deepEqual(read({ deny: [row], allow: [{ modules: "*", mode: "report" }], contact: "#go" }), {
    deny: [{ ...row, modules, reason: "no", mode: "enforce" }],
    allow: [{ modules: ["*"], mode: "report" }],
    contact: "#go",
  });
});

test("a tenant's name stands for its modules", () => {
  const tenants = { pay: { modules: ["corp.example/pay"] } };
  const { deny } = read({ deny: [{ modules: "@pay", reason: "no" }] }, { tenants, access: { anonymous: "none" } });
  assert.deepEqual(deny[0]?.modules, ["corp.example/pay"]);
});

test("what is wrong is named by its path", () => {
  const rows: readonly (readonly [policy: unknown, message: RegExp])[] = [
    [{ deny: [{ modules: "a.example" }] }, /configuration key policy\.deny\.0\.reason/],
    [{ deny: [{ modules: "", reason: "no" }] }, /policy\.deny\.0\.modules: expected at least one pattern/],
    [{ deny: [{ modules: "a.example/...", reason: "no" }] }, /policy\.deny\.0\.modules: .*covers everything below/],
    [{ deny: [{ modules: "@nobody", reason: "no" }] }, /policy\.deny\.0\.modules: .*nobody/],
    [{ allow: [{ modules: "a.example", versions: "1.0" }] }, /policy\.allow\.0\.versions: expected comparisons/],
    [{ allow: [{ modules: "a.example", mode: "maybe" }] }, /policy\.allow\.0\.mode/],
    [{ cooldown: { days: 3 } }, /policy\.cooldown: unknown, expected one of deny, allow, contact/],
  ];
  for (const [policy, message] of rows) assert.throws(() => read(policy), { code: "config", message });
});

/** Which of these versions are in the ranges; `undefined` for what are none. */
const ranges: readonly (readonly [text: string, versions: string | undefined])[] = [
  [">=v1.2.0 <v1.4.0, v2.0.1", "v1.2.0 v1.3.5 v1.4.0-rc.1 v2.0.1+incompatible"],
  // A pre-release is below its release.
  ["<v1.2.0", "v0.1.0 v1.2.0-rc.1"],
  ["=v1.2.0-rc.1", "v1.2.0-rc.1"],
  [">v1.3.5 <=v2.0.1", "v1.4.0 v1.4.0-rc.1 v2.0.1+incompatible"],
  [" v1.2.0 ,v0.1.0 ", "v0.1.0 v1.2.0"],
  [">=v0.0.0-20240102030405-0123456789ab <v1.0.0", "v0.1.0"],
  ["v1", undefined],
  ["1.2.0", undefined],
  [">= v1.2.0", undefined],
  ["", undefined],
  ["v1.2.0,", undefined],
  ["~v1.2.0", undefined],
  [">=v1.2.0.0", undefined],
  // Nothing is in these.
  [">=v1.4.0 <v1.2.0", undefined],
  [">=v1.2.0 <v1.2.0", undefined],
  ["v1.2.0 v1.3.0", undefined],
];

for (const [text, versions] of ranges) {
  test(`versions in ${JSON.stringify(text)}`, () => {
    const all = ["v0.1.0", "v1.2.0", "v1.2.0-rc.1", "v1.3.5", "v1.4.0", "v1.4.0-rc.1", "v2.0.1+incompatible"];
    const parsed = parseRanges(text);
    const found = parsed && all.filter((each) => isInRanges(parsed, each));
    assert.deepEqual(found, versions?.split(" "));
  });
}
