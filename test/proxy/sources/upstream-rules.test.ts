import assert from "node:assert/strict";
import { test } from "node:test";
import { parseChain, UpstreamRules, withoutCatchAll } from "../../../lambda/proxy/sources/upstream-rules.ts";

/** `"https://a/|https://b"` back out of what was parsed, with what it ends with. */
function shown(text: string): string {
  const { entries, end } = parseChain(text);
  return `${entries.map(({ source, onAnyError }) => `${source}${onAnyError ? "|" : ","}`).join("")}${end}`;
}

const chains: readonly (readonly [text: string, expected: string])[] = [
  ["https://a.example", "https://a.example/,nothing"],
  ["https://a.example,http://b.example:8080/go/|off", "https://a.example/,http://b.example:8080/go|off"],
  ["https://a.example|direct", "https://a.example/|direct,nothing"],
  // What stands behind off and direct is not looked at.
  ["off,no url at all", "off"],
  ["direct|::", "direct,nothing"],
  [" https://a.example , , |https://b.example ,", "https://a.example/,https://b.example/,nothing"],
  // Words are reserved, all else is an https URL.
  ["a.example/go,localhost:3000", "https://a.example/go,https://localhost:3000/,nothing"],
  ["https://me:pass@a.example/x", "https://me:pass@a.example/x,nothing"],
  ["HTTPS://A.example", "https://a.example/,nothing"],
  ["https://a.example|", "https://a.example/|nothing"],
];

for (const [text, expected] of chains) {
  test(`chain ${JSON.stringify(text)}`, () => assert.equal(shown(text), expected));
}

const wrong: readonly (readonly [text: string, message: string])[] = [
  ["", "the upstream chain contains no entries"],
  [" ,|, ", "the upstream chain contains no entries"],
  ["noproxy", "entry 1 of the upstream chain is not an http or https URL, direct or off"],
  ["OFF", "entry 1 of the upstream chain is not an http or https URL, direct or off"],
  [",https://a.example,/srv/proxy", "entry 2 of the upstream chain is not an http or https URL, direct or off"],
  ["ftp://a.example", "entry 1 of the upstream chain is not an http or https URL, direct or off"],
  ["https:/a.example", "entry 1 of the upstream chain is not an http or https URL, direct or off"],
  ["https://", "entry 1 of the upstream chain is not an http or https URL, direct or off"],
  ["https:///x", "entry 1 of the upstream chain is not an http or https URL, direct or off"],
  ["https://a b.example", "entry 1 of the upstream chain is not an http or https URL, direct or off"],
  ["https://a.example\\x", "entry 1 of the upstream chain is not an http or https URL, direct or off"],
  ["https://me:secret@a.example:99999", "entry 1 of the upstream chain is not an http or https URL, direct or off"],
  ["file:///srv/proxy", "entry 1 of the upstream chain is a file: URL, which is not supported"],
  ["https://a.example?x=1", "entry 1 of the upstream chain has a query or a fragment, which is not supported"],
];

for (const [text, message] of wrong) {
  test(`no chain: ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseChain(text), { code: "config", message });
  });
}

/** `"a.com,b.com=first"` is a rule whose chain leads to https://first. */
function rulesOf(rules: readonly string[], patterns: readonly string[], fallback?: string): UpstreamRules {
  return new UpstreamRules({
    upstreams: rules.map((rule) => {
      const [left = "", right = ""] = rule.split("=");
      return { patterns: [left], chain: parseChain(`https://${right}.example`) };
    }),
    private: patterns,
    fallback: fallback === undefined ? undefined : parseChain(`https://${fallback}.example`),
  });
}

function choice(rules: UpstreamRules, modulePath: string): string {
  const { entries, end } = rules.chainFor(modulePath);
  return /^https:\/\/(\w+)/.exec(String(entries[0]?.source))?.[1] ?? end;
}

const choices: readonly (readonly [rules: readonly string[], modulePath: string, expected: string])[] = [
  [["github.com=one", "*=two"], "github.com/a/b", "one"],
  [["github.com=one", "*=two"], "golang.org/x/mod", "two"],
  [["*=two", "github.com=one"], "github.com/a/b", "two"],
  [["a.com,github.com/x*=one"], "github.com/xy", "one"],
  [["github.com/x=one"], "github.com/xy", "fallback"],
  [[], "github.com/xy", "fallback"],
];

for (const [rules, modulePath, expected] of choices) {
  test(`${modulePath} by ${rules.join(" ")}`, () => {
    assert.equal(choice(rulesOf(rules, [], "fallback"), modulePath), expected);
  });
}

test("without a fallback there may be no rule", () => {
  assert.equal(choice(rulesOf(["a.com=one"], []), "b.com/x"), "no-rule");
});

// Private modules: only a rule that lies within a private pattern counts; neither the catch-all, nor a broader rule that
// may lead to a public proxy, nor the fallback.
const no = "private-unnamed";
const privates: readonly (readonly [
  patterns: string,
  rules: readonly string[],
  modulePath: string,
  expected: string,
])[] = [
  ["corp.example", ["*=public"], "corp.example/x", no],
  ["corp.example", ["*/*=public"], "corp.example/x", no],
  ["corp.example", [], "corp.example/x", no],
  ["corp.example", ["*=public", "corp.example=own"], "corp.example/x", "own"],
  ["corp.example/*", ["corp.example=own"], "corp.example/x", "own"],
  ["corp.example", ["corp.example/*=own"], "corp.example/x", "own"],
  ["corp.example", ["corp.example/team=own"], "corp.example/team/x", "own"],
  ["corp.example", ["corp.example/team=own"], "corp.example/other", no],
  ["*.corp.example", ["git.corp.example=own"], "git.corp.example/x", "own"],
  ["*.corp.example", ["*.corp.example=own"], "git.corp.example/x", "own"],
  ["*corp.example", ["*.git.corp.example=own"], "a.git.corp.example/x", "own"],
  ["github.com/corp", ["github.com=public"], "github.com/corp/x", no],
  ["github.com/corp", ["*.com=public"], "github.com/corp/x", no],
  ["*.corp.example", ["*.example=public"], "git.corp.example/x", no],
  ["github.com/corp", ["g*/corp=public"], "github.com/corp/x", no],
  ["github.com/corp-*", ["github.com/corp-a=own"], "github.com/corp-a/x", "own"],
  ["github.com/corp/a,github.com/corp", ["github.com/corp=own"], "github.com/corp/a/x", "own"],
  // The rule names another private pattern, which does not match this module.
  ["github.com/corp/a,gitlab.com", ["github.com=public", "gitlab.com=own"], "github.com/corp/a", no],
  // Even with everything private the catch-all is the catch-all.
  ["*", ["*=public"], "corp.example/x", no],
  ["*", ["corp.example=own", "*=public"], "corp.example/x", "own"],
  // What is not private goes on as before.
  ["corp.example", ["*=public"], "corp.example.org/x", "public"],
];

for (const [patterns, rules, modulePath, expected] of privates) {
  test(`private ${patterns}: ${modulePath} by ${rules.join(" ") || "nothing"}`, () => {
    const chosen = rulesOf(rules, [patterns], "fallback");
    assert.equal(choice(chosen, modulePath), expected);
    assert.equal(chosen.isPrivate(modulePath), expected !== "public");
  });
}

test("on hosts that do not tell case apart, a private module in other letters is private and goes nowhere", () => {
  const rows: readonly (readonly [patterns: string, modulePath: string, expected: string])[] = [
    ["github.com/corp/*", "github.com/corp/x", "own"],
    ["github.com/corp/*", "github.com/Corp/x", "private-case"],
    ["github.com/Corp", "github.com/corp/X", "private-case"],
    ["github.com/corp/*", "github.com/Corporate/x", "public"],
    ["corp.example/team", "corp.example/Team/x", "public"],
    ["*.com/corp", "gitlab.com/CORP/x", "private-case"],
  ];
  for (const [patterns, modulePath, expected] of rows) {
    const chosen = rulesOf([`${patterns}=own`, "*=public"], [patterns]);
    assert.equal(choice(chosen, modulePath), expected, modulePath);
    assert.equal(chosen.isPrivate(modulePath), expected !== "public", modulePath);
  }
});

test("the catch-all, and private patterns that no rule names", () => {
  const rules = rulesOf(["corp.example/a=own", "*=all"], ["corp.example,other.example"], "fallback");
  assert.equal(String(rules.catchAll.entries[0]?.source), "https://all.example/");
  assert.deepEqual(rules.unnamedPrivate, ["other.example"]);
  assert.equal(choice(rulesOf([], [], "fallback"), "a.org/x"), "fallback");
  assert.equal(rulesOf([], []).catchAll.end, "no-rule");
});

test("rules lose their catch-all patterns and nothing else", () => {
  const rules = [
    { patterns: ["*"], chain: "https://a.example" },
    { patterns: ["corp.example,*"], chain: "https://b.example" },
    { patterns: ["*.org"], chain: "off" },
  ];
  assert.deepEqual(withoutCatchAll(rules), [
    { patterns: ["corp.example"], chain: "https://b.example" },
    { patterns: ["*.org"], chain: "off" },
  ]);
});

test("a private pattern is named too by a rule for a wider private one, as a tenant's in the organisation's", () => {
  const chain = parseChain("https://own.example");
  const unnamed = (patterns: readonly string[]) =>
    new UpstreamRules({ upstreams: [{ patterns, chain }], private: ["corp.example", "corp.example/team"] })
      .unnamedPrivate;
  assert.deepEqual(unnamed(["corp.example"]), []);
  assert.deepEqual(unnamed(["corp.example/other"]), ["corp.example/team"]);
  assert.deepEqual(unnamed(["*"]), ["corp.example", "corp.example/team"]);
});
