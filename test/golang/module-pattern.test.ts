import assert from "node:assert/strict";
import { test } from "node:test";
import { checkPath, matchPrefixPatterns } from "../../lambda/golang/module.ts";
import { exampleOfPattern, faultOfPattern, splitAllPatterns } from "../../lambda/golang/module-pattern.ts";

// A pattern that can match nothing is a private module's name on its way to a public proxy.

const syntax = /^expected patterns in GOPRIVATE syntax$/;

const refused: readonly (readonly [pattern: string, fault: RegExp])[] = [
  ["corp.example/...", /: write corp\.example, which covers everything below it$/],
  ["corp.example...", /: write corp\.example, which covers/],
  ["https://corp.example", /: write corp\.example, without a scheme$/],
  ["https://me:pa/ss@corp.example/x", /^"https:\/\/corp\.example\/x": write corp\.example\/x, without a scheme$/],
  ["/corp.example", /: write corp\.example, without a slash before it$/],
  ["//corp.example", /: write corp\.example, without a slash/],
  ["corp.example//x", /: write corp\.example\/x, with single slashes$/],
  ["corp.example/x//", /: write corp\.example\/x\/, with single slashes$/],
  ["Corp.example/X", /: write corp\.example\/X, with the host in lower case$/],
  ["corp.example/x@v1", /: write corp\.example\/x, for a pattern covers all versions$/],
  ["corp.example@v1.2.3", /: write corp\.example, for a pattern/],
  ["github.com/corp/x.git", /: write github\.com\/corp\/x, the path of the module/],
  ["corp.example;corp.other", /: write a comma between two patterns$/],
  ["corp.example corp.other", /: write a comma/],
  ["corp.example|corp.other", /: write a comma/],
  ["corp.example\ncorp.other", /: write a comma/],
  ["corp.example\n", /: write a comma/],
  ["corp", /: a module path begins with a host name, which has a dot$/],
  ["corp/x", /: a module path begins with a host name/],
  ["/", /: no module path matches it$/],
  ["corp.example/.github", /: no module path matches it$/],
  ["corp.example/con", /: no module path matches it$/],
  ["corp.example/aux.x/*", /: no module path matches it$/],
  ["corp.example/x~1", /: no module path matches it$/],
  ["corp.example/x:y", /: no module path matches it$/],
  ["corp.example/\\*", /: no module path matches it$/],
  ["corp.example/[!+]", /: no module path matches it$/],
  ["a?/x", /: no module path matches it$/],
  ["-corp.example", /: no module path matches it$/],
  ["corp.example/é", /: no module path matches it$/],
  ["corp.example[/]x", /: write the slash outside of the brackets$/],
  ["corp.[ez", syntax],
  ["corp.example/[a", syntax],
  ["corp.example\\/", syntax],
];

const accepted: readonly string[] = [
  ...["*", "*/*", "*/*/", "*.corp.example", "*corp.example", "corp.example", "corp.example/", "corp.example/*"],
  ...["github.com/Corp/*", "corp.example/v1", "corp.example/v0", "gopkg.in/yaml", "gopkg.in", "corp.?xample"],
  // Taken by go where the host says with a meta tag which repository that is, and behind any proxy.
  ...["corp.example/x.git", "corp.example/x.git/sub"],
  ...["corp.[a-z]xample", "corp.[^a-z]", "corp.example/co[nm]?", "corp.example/x~[0-9]*", "a?b", "[a-z]*", "\\a.b"],
  ...["corp.example/*~1*", "corp.example/con*", "corp.example/au?", "corp.example/*.*", "???", "[.a][.a][.a]"],
];

test("a pattern that can match no module path is refused with what was meant", () => {
  for (const [pattern, fault] of refused) assert.match(faultOfPattern(pattern) ?? "accepted", fault, pattern);
});

test("a pattern that is accepted matches a valid module path", () => {
  for (const pattern of accepted) {
    assert.equal(faultOfPattern(pattern), undefined);
    assertMatches(pattern);
  }
});

function assertMatches(pattern: string): void {
  const example = exampleOfPattern(pattern) ?? assert.fail(`no example of ${pattern}`);
  checkPath(example);
  assert.ok(matchPrefixPatterns(pattern, example), `${pattern} ${example}`);
}

test("several patterns in one text are several, without the blanks around them", () => {
  const rows: readonly (readonly [string | readonly string[], readonly string[]])[] = [
    [["corp.other, corp.example"], ["corp.other", "corp.example"]],
    [" a.b ,,c.d,", ["a.b", "c.d"]],
    ["", []],
    ["corp.[ez,]xample", ["corp.[ez", "]xample"]],
  ];
  for (const [text, patterns] of rows) assert.deepEqual(splitAllPatterns(text), patterns);
});

/** The same pieces for every run: a linear congruential generator. */
function pieces(seed: number): (from: readonly string[]) => string {
  let state = seed;
  return (from) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return from[Math.floor((state / 2 ** 32) * from.length)] ?? "";
  };
}

const patternPieces = [
  "a",
  "z",
  ".",
  "-",
  "/",
  "~",
  "1",
  "*",
  "?",
  "[a-c]",
  "[^a]",
  "[.~]",
  "\\",
  "A",
  "con",
  "@",
  ".b/",
];
const pathPieces = ["a", "b", "z", ".", "-", "~", "1", "/", "A", "con", "/x", "a.b/", "z.a"];

/** Path texts that x/mod's rules take, as many and as different as a fuzz run has time for. */
function validPaths(): string[] {
  const pick = pieces(7);
  const texts = Array.from({ length: 8_000 }, () =>
    Array.from({ length: 1 + pick(["1", "2", "3", "4", "5"]).charCodeAt(0) - 48 }, () => pick(pathPieces)).join(""),
  );
  return [...new Set(texts)].filter((text) => {
    try {
      checkPath(text);
      return true;
    } catch {
      return false;
    }
  });
}

test("what is refused matches none of many valid paths, and what is accepted matches one", () => {
  const paths = validPaths();
  assert.ok(paths.length > 500, `${paths.length} paths`);
  const pick = pieces(1);
  const judged = { refused: 0, accepted: 0 };
  for (let i = 0; i < 1_500; i++) {
    const length = 1 + pick(["1", "2", "3", "4", "5", "6"]).charCodeAt(0) - 48;
    const pattern = Array.from({ length }, () => pick(patternPieces)).join("");
    if (faultOfPattern(pattern) === undefined) {
      judged.accepted++;
      assertMatches(pattern);
      continue;
    }
    judged.refused++;
    const matched = paths.find((path) => matchPrefixPatterns(pattern, path));
    assert.equal(matched, undefined, pattern);
  }
  assert.ok(judged.accepted > 100 && judged.refused > 100, JSON.stringify(judged));
});
