import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Facts, judge, refusesBy } from "../../../lambda/proxy/policy/judge.ts";
import type { ConfiguredPolicy, ConfiguredRule } from "../../../lambda/proxy/policy/policy.ts";
import type { Ruling, RulingKind } from "../../../lambda/proxy/store/ruling-store.ts";

const now = Date.parse("2026-11-28T00:00:00Z");
const path = "example.com/corp/m";

function ruling(kind: RulingKind, version: string, reason = "why", until?: number): Ruling {
  return { kind, module: path, version, reason, by: "ann", at: 0, request: "r", ...(until !== undefined && { until }) };
}

const paths = fc.constantFrom(path, "example.com/other", "github.com/x/y");
const versions = fc.constantFrom("v0.9.0", "v1.0.0", "v1.2.0-rc.1", "v1.2.0", "v1.3.0", "v2.0.0+incompatible");
const ranges = fc.option(fc.constantFrom(">=v1.2.0 <v1.3.0", "v1.0.0, v1.3.0", "<v1.0.0"), { nil: undefined });
const mode = fc.constantFrom("enforce" as const, "report" as const);
const line = fc.oneof(fc.string({ unit: "binary", maxLength: 900 }), fc.string({ maxLength: 20 }));
const maybeLine = fc.option(line, { nil: undefined });
const rule: fc.Arbitrary<ConfiguredRule> = fc.record({
  modules: fc.constantFrom(["example.com"], ["example.com/corp"], ["*/x"], ["*"], ["github.com/z"]),
  versions: ranges,
  reason: maybeLine,
  contact: maybeLine,
  mode,
});
const rules = fc.array(rule, { maxLength: 4 });
const policies: fc.Arbitrary<ConfiguredPolicy> = fc.record({ allow: rules, deny: rules, contact: maybeLine });
const rulings = fc.array(
  fc.record({
    kind: fc.constantFrom<RulingKind>("block", "exception", "verdict"),
    module: fc.constant(path),
    version: fc.oneof(fc.constant(""), versions),
    reason: line,
    by: fc.constant("ann"),
    at: fc.constant(0),
    request: fc.constant("r"),
    until: fc.constantFrom(undefined, now - 1, now, now + 1, 8.64e15, 9e15, Number.MAX_SAFE_INTEGER),
  }),
  { maxLength: 5 },
);
const facts: fc.Arbitrary<Facts> = fc.record({
  path: paths,
  version: versions,
  now: fc.constant(now),
  rulings,
  known: fc.array(versions, { maxLength: 6 }),
});

function policy(parts: Partial<ConfiguredPolicy>): ConfiguredPolicy {
  return { allow: [], deny: [], ...parts };
}

function deny(modules: string, more: Partial<ConfiguredRule> = {}): ConfiguredRule {
  return { modules: [modules], reason: "it is old", mode: "enforce", ...more };
}

/** What is judged, and what comes out: the lines, or the findings of what is allowed. */
const rows: readonly (readonly [
  name: string,
  parts: Partial<ConfiguredPolicy>,
  facts: Partial<Facts>,
  outcome: readonly string[],
])[] = [
  ["nothing is said", {}, {}, []],
  [
    "a range that it is in",
    { deny: [deny("example.com", { versions: ">=v1.0.0 <v1.4.0, v2.0.1" })], contact: "#go-help" },
    { known: ["v1.3.9", "v1.4.0", "v1.5.0-rc.1", "v1.4.2", "v1.2.0"] },
    [
      `${path}@v1.2.0 is refused by this proxy's policy`,
      "rule: deny[0] (example.com >=v1.0.0 <v1.4.0, v2.0.1)",
      "why: it is old",
      "instead: v1.4.2",
      "ask: #go-help",
    ],
  ],
  ["a range that it is not in", { deny: [deny("example.com", { versions: "<v1.2.0" })] }, {}, []],
  [
    "a rule that reports hides none that refuses, and the first that refuses decides",
    { deny: [deny("example.com", { mode: "report" }), deny("*", { contact: "bob" }), deny("example.com/corp")] },
    {},
    [
      `${path}@v1.2.0 is refused by this proxy's policy`,
      "rule: deny[1] (*)",
      "why: it is old",
      "ask: bob",
      "finding deny[0]: it is old",
      "finding deny[2]: it is old",
    ],
  ],
  [
    "what no row of allow is about",
    { allow: [deny("github.com")] },
    {},
    [
      `${path}@v1.2.0 is refused by this proxy's policy`,
      "rule: allow (no row of policy.allow is about it)",
      "ask: whoever runs this proxy",
    ],
  ],
  [
    "a list of what is allowed on trial",
    { allow: [deny("github.com", { mode: "report" })] },
    {},
    ["finding allow: no row of policy.allow is about it"],
  ],
  [
    "deny goes before allow",
    { allow: [deny("*")], deny: [deny("*")] },
    {},
    [
      `${path}@v1.2.0 is refused by this proxy's policy`,
      "rule: deny[0] (*)",
      "why: it is old",
      "ask: whoever runs this proxy",
    ],
  ],
  [
    "an exception",
    { deny: [deny("*")] },
    { rulings: [ruling("exception", "v1.2.0", "", now + 1)] },
    ["finding deny[0]: it is old"],
  ],
  [
    "an exception that has ended, and one of another version",
    { deny: [deny("*")] },
    {
      rulings: [ruling("exception", "v1.2.0", "", now), ruling("exception", "v1.3.0")],
    },
    [
      `${path}@v1.2.0 is refused by this proxy's policy`,
      "rule: deny[0] (*)",
      "why: it is old",
      "ask: whoever runs this proxy",
    ],
  ],
  [
    "the block that lasts longest, whatever is excepted",
    {},
    {
      rulings: [
        ruling("exception", ""),
        ruling("block", "v1.2.0", "short", now + 1),
        ruling("block", "", "an incident", Date.parse("2026-12-01T00:00:00Z")),
      ],
      known: ["v1.3.0"],
    },
    [
      `${path}@v1.2.0 is refused by this proxy's policy`,
      "rule: block (all versions are blocked)",
      "why: an incident",
      "until: 2026-12-01T00:00:00Z",
      "ask: whoever runs this proxy",
    ],
  ],
];

for (const [name, parts, more, outcome] of rows) {
  test(`judged: ${name}`, () => {
    const verdict = judge(policy(parts), { path, version: "v1.2.0", now, ...more });
    const findings = verdict.findings.map(({ rule, reason }) => `finding ${rule}: ${reason}`);
    assert.deepEqual([...(verdict.allowed ? [] : verdict.lines), ...findings], outcome);
  });
}

test("another rule of deny allows nothing that was refused", () => {
  fc.assert(
    fc.property(policies, rule, fc.nat(4), facts, (before, added, at, given) => {
      const after = { ...before, deny: [...before.deny.slice(0, at), added, ...before.deny.slice(at)] };
      assert.ok(judge(before, given).allowed || !judge(after, given).allowed);
    }),
  );
});

test("what reports refuses nothing, and a rule that no longer refuses makes nothing be refused", () => {
  const onTrial = (rules: readonly ConfiguredRule[]) => rules.map((each) => ({ ...each, mode: "report" as const }));
  fc.assert(
    fc.property(policies, facts, (before, given) => {
      const report = { ...before, allow: onTrial(before.allow), deny: onTrial(before.deny) };
      const isBlocked = judge(policy({}), given).allowed === false;
      assert.equal(judge(report, given).allowed, !isBlocked);
      assert.ok(!judge(before, given).allowed || judge({ ...before, deny: report.deny }, given).allowed);
    }),
  );
});

test("the order of facts does not matter", () => {
  const shuffled = fc.tuple(facts, fc.infiniteStream(fc.nat())).map(([given, keys]) => {
    const shuffle = <T>(items: readonly T[]) =>
      items
        .map((item) => ({ item, key: keys.next().value as number }))
        .sort((a, b) => a.key - b.key)
        .map(({ item }) => item);
    return [given, { ...given, rulings: shuffle(given.rulings ?? []), known: shuffle(given.known ?? []) }] as const;
  });
  fc.assert(
    fc.property(policies, shuffled, (given, [one, other]) => assert.deepEqual(judge(given, one), judge(given, other))),
  );
});

test("what a refusal says is what go prints of it, whatever anybody typed", () => {
  const long = fc.string({ unit: fc.constantFrom("a", "é", "漢", "😀", "\n", "\u202e", " "), maxLength: 3000 });
  fc.assert(
    fc.property(facts, long, long, long, (known, module, reason, contact) => {
      const all = policy({ deny: [deny("*", { reason })], contact });
      const verdict = judge(all, { ...known, path: `example.com/${module}`, rulings: [] });
      assert.ok(!verdict.allowed);
      const text = verdict.lines.join("\n");
      assert.ok(verdict.lines.length <= 8 && Buffer.byteLength(text) <= 640, text);
      for (const each of verdict.lines) assert.match(each, /^\S[^\p{C}]*$/u);
    }),
  );
});

test("what is said of all versions of a module at once is what is judged of each", () => {
  fc.assert(
    fc.property(policies, facts, (given, { version, ...module }) => {
      const refuses = refusesBy(given, module);
      assert.equal(refuses?.(version) ?? false, !judge(given, { ...module, version }).allowed);
    }),
  );
});
