import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as module from "../../lambda/golang/module.ts";
import { ModuleError, type ModuleErrorCode } from "../../lambda/golang/module.ts";

const throwsCode = (call: () => unknown, code: ModuleErrorCode, message: string) =>
  assert.throws(call, (error) => error instanceof ModuleError && error.code === code, message);

const passes = (call: () => unknown): boolean => {
  try {
    call();
    return true;
  } catch (error) {
    if (error instanceof ModuleError) return false;
    throw error;
  }
};

test("checkPath, checkImportPath and checkFilePath", () => {
  const yes = true;
  const no = false;
  const rows: readonly (readonly [path: string, module: boolean, imports: boolean, file: boolean])[] = [
    ["example.com/m", yes, yes, yes],
    ["example.com", yes, yes, yes],
    ["x-1.y/z_~A.b", yes, yes, yes],
    ["", no, no, no],
    ["/", no, no, no],
    ["example.com/", no, no, no],
    ["/example.com", no, no, no],
    ["example.com//m", no, no, no],
    ["example.com/m\ud800", no, no, no], // what no UTF-8 can say
    ["std/m", no, yes, yes], // no dot: a package of the standard library, no module
    ["-x.y/z", no, no, yes],
    ["x.y/-z", yes, yes, yes],
    ["X.y/z", no, yes, yes],
    ["x_y.z/m", no, yes, yes],
    ["x.y/z+w", no, yes, yes],
    ["x.y/z@w", no, no, yes],
    ["x.y/z w", no, no, yes],
    ["x.y/!z", no, no, yes],
    ["x.y/é", no, no, yes],
    ["x.y/𝒳日", no, no, yes],
    ["x.y/e\u0301", no, no, no], // marks are not letters
    ["x.y/🙂", no, no, no],
    ["x.y/²", no, no, no],
    ["x.y/\u{1c89}", no, no, no], // a letter since Unicode 16, which Go does not know yet
    ["x.y/z\\w", no, no, no],
    ["x.y/z:w", no, no, no],
    ["x.y/z*", no, no, no],
    ["x.y/z\x00", no, no, no],
    ["x.y/z\n", no, no, no],
    // Dots
    [".x.y/z", no, yes, yes],
    ["x.y/.git", no, yes, yes],
    ["x.y/z.", no, no, no],
    ["x.y/.", no, no, no],
    ["x.y/../z", no, no, no],
    ["x.y/...", no, no, no],
    ["x.y/a..b", yes, yes, yes],
    // Windows
    ["x.y/con", no, no, no],
    ["x.y/CoN.txt", no, no, no],
    ["x.y/Aux.tar.gz", no, no, no],
    ["con.y/z", no, no, no],
    ["x.y/com0", yes, yes, yes],
    ["x.y/com10", yes, yes, yes],
    ["x.y/LPT9", no, no, no],
    ["x.y/conn", yes, yes, yes],
    ["x.y/z~1", no, no, yes],
    ["x.y/z~12.txt", no, no, yes],
    ["x.y/z~", yes, yes, yes],
    ["x.y/z~1a", yes, yes, yes],
    ["x.y/z.w~1", yes, yes, yes], // only what is before the first dot looks like a short name
    // Major versions
    ["x.y/z/v2", yes, yes, yes],
    ["x.y/z/v1", no, yes, yes],
    ["x.y/z/v0", no, yes, yes],
    ["x.y/z/v02", no, yes, yes],
    ["x.y/z/v2.1", no, yes, yes],
    ["x.y/z/v2/w", yes, yes, yes],
    ["x.y/z/v", yes, yes, yes],
    ["gopkg.in/yaml.v2", yes, yes, yes],
    ["gopkg.in/yaml.v0", yes, yes, yes],
    ["gopkg.in/yaml.v1-unstable", yes, yes, yes],
    ["gopkg.in/yaml", no, yes, yes],
    ["gopkg.in/yaml/v2", no, yes, yes],
    ["gopkg.in/yaml.v02", no, yes, yes],
  ];
  for (const [path, ...expected] of rows) {
    const checks = [module.checkPath, module.checkImportPath, module.checkFilePath];
    assert.deepEqual(
      checks.map((check) => passes(() => check(path))),
      expected,
      JSON.stringify(path),
    );
  }
});

test("a refused path has a code of its kind, and a message of one line that is not as long as the path", () => {
  throwsCode(() => module.checkPath("x"), "invalid-module-path", "module");
  throwsCode(() => module.checkImportPath("x/"), "invalid-import-path", "import");
  throwsCode(() => module.checkFilePath("x/"), "invalid-file-path", "file");
  const message = `malformed file path "${"a".repeat(200)}…": invalid character "\\n"`;
  assert.throws(() => module.checkFilePath(`${"a".repeat(1000)}\n`), { message });
});

test("check holds path and version together", () => {
  const rows: readonly (readonly [path: string, version: string, code: ModuleErrorCode | undefined])[] = [
    ["x.y/z", "v0.1.0", undefined],
    ["x.y/z", "v1", undefined], // valid, though not canonical
    ["x.y/z", "v2.0.0", "invalid-version"],
    ["x.y/z", "v2.0.0+incompatible", undefined],
    ["x.y/z/v2", "v2.0.0-pre", undefined],
    ["x.y/z/v2", "v3.0.0", "invalid-version"],
    ["x.y/z/v2", "v2.0.0+incompatible", undefined],
    ["x.y/z/v20", "v2.0.0", "invalid-version"],
    ["gopkg.in/yaml.v2", "v2.4.0", undefined],
    ["gopkg.in/yaml.v2-unstable", "v2.4.0", undefined],
    ["gopkg.in/yaml.v2", "v1.0.0", "invalid-version"],
    ["gopkg.in/check.v1", "v0.0.0-20161208181325-20d25e280405", undefined],
    ["gopkg.in/check.v1", "v0.0.1", "invalid-version"],
    ["x.y/z", "master", "invalid-version"],
    ["x.y/z", "", "invalid-version"],
    ["x", "v1.0.0", "invalid-module-path"],
  ];
  for (const [path, version, code] of rows) {
    if (code === undefined) module.check(path, version);
    else throwsCode(() => module.check(path, version), code, `${path} ${version}`);
  }
});

test("splitPathVersion and pathMajorPrefix", () => {
  const rows: readonly (readonly [path: string, prefix: string, pathMajor: string, tag: string])[] = [
    ["x.y/z", "x.y/z", "", ""],
    ["x.y/z/v2", "x.y/z", "/v2", "v2"],
    ["x.y/v10", "x.y", "/v10", "v10"],
    ["x.y/zv2", "x.y/zv2", "", ""],
    ["v2", "v2", "", ""],
    ["gopkg.in/yaml.v0", "gopkg.in/yaml", ".v0", "v0"],
    ["gopkg.in/u/yaml.v3-unstable", "gopkg.in/u/yaml", ".v3-unstable", "v3"],
  ];
  for (const [path, prefix, pathMajor, tag] of rows) {
    assert.deepEqual(module.splitPathVersion(path), { prefix, pathMajor, ok: true });
    assert.equal(module.pathMajorPrefix(pathMajor), tag);
  }
  for (const path of ["x.y/z/v1", "x.y/v0", "x.y/v2.", "gopkg.in/yaml", "gopkg.in/yaml.v0-unstable"]) {
    assert.deepEqual(module.splitPathVersion(path), { prefix: path, pathMajor: "", ok: false });
  }
  for (const pathMajor of ["v2", "/2", "/v02", ".v1-stable"]) {
    throwsCode(() => module.pathMajorPrefix(pathMajor), "invalid-path-major", pathMajor);
  }
});

test("matchPathMajor takes what is no version for no major version", () => {
  assert.equal(module.matchPathMajor("v2.0.0", "/v2"), true);
  assert.equal(module.matchPathMajor("bad", ""), false);
  assert.equal(module.matchPathMajor("v2.0.0", "v2"), false);
});

test("canonicalVersion keeps +incompatible alone", () => {
  assert.equal(module.canonicalVersion("v2+meta"), "");
  assert.equal(module.canonicalVersion("v2"), "v2.0.0");
  assert.equal(module.canonicalVersion("v2.0.0-pre+meta"), "v2.0.0-pre");
  assert.equal(module.canonicalVersion("v2.0.0+incompatible"), "v2.0.0+incompatible");
});

test("escaping and unescaping", () => {
  const paths = [
    ["github.com/Azure/azure-sdk", "github.com/!azure/azure-sdk"],
    ["x.y/AbC", "x.y/!ab!c"],
    ["x.y/z", "x.y/z"],
  ] as const;
  for (const [path, escaped] of paths) {
    assert.equal(module.escapePath(path), escaped);
    assert.equal(module.unescapePath(escaped), path);
  }
  assert.equal(module.escapeVersion("v1.0.0-RC1"), "v1.0.0-!r!c1");
  assert.equal(module.unescapeVersion("v1.0.0-!r!c1"), "v1.0.0-RC1");
  assert.equal(module.escapeVersion("branch name"), "branch name");
  for (const path of ["x.y/Z", "x.y/!", "x.y/!!z", "x.y/!1", "x.y/!Z", "x.y/é", "x.y/!é", "!x.y/z", ""]) {
    throwsCode(() => module.unescapePath(path), "invalid-module-path", path);
  }
  for (const version of ["V1", "v1!", "a/b", "", ".", "..", "con", "é", "a\x00"]) {
    throwsCode(() => module.unescapeVersion(version), "invalid-version", version);
  }
  for (const version of ["v1!a", "a/b", "é", ""]) {
    throwsCode(() => module.escapeVersion(version), "invalid-version", version);
  }
});

test("what escapes comes back, and no two escaped paths differ in case alone", () => {
  const path = fc.stringMatching(/^[a-z]{1,3}\.[a-z]{1,3}(?:\/[a-zA-Z0-9_.~-]{1,8}){0,3}$/);
  fc.assert(
    fc.property(path, path, (a, b) => {
      fc.pre(passes(() => module.checkPath(a)) && passes(() => module.checkPath(b)));
      assert.equal(module.unescapePath(module.escapePath(a)), a);
      assert.equal(module.escapePath(a), module.escapePath(a).toLowerCase());
      assert.equal(module.escapePath(a) === module.escapePath(b), a === b);
    }),
  );
  fc.assert(
    fc.property(fc.stringMatching(/^v(?:![a-z]|[a-z0-9.+-]){0,10}[a-z0-9]$/), (escaped) => {
      assert.equal(module.escapeVersion(module.unescapeVersion(escaped)), escaped);
    }),
  );
});

test("sort orders by path bytes, then version, then go.sum's file", () => {
  const list = [
    "b v1.0.0",
    "a v1.10.0",
    "a v1.9.0/go.mod",
    "a v1.9.0",
    "\u{1f600} v1.0.0",
    "\uff5e v1.0.0",
    "B v1.0.0",
  ].map((row) => ({ path: row.split(" ")[0] ?? "", version: row.split(" ")[1] ?? "" }));
  assert.equal(module.sort(list), list);
  assert.deepEqual(
    list.map(({ path, version }) => `${path} ${version}`),
    ["B v1.0.0", "a v1.9.0", "a v1.9.0/go.mod", "a v1.10.0", "b v1.0.0", "\uff5e v1.0.0", "\u{1f600} v1.0.0"],
  );
});

test("matchPrefixPatterns reads GOPRIVATE as Go does", () => {
  const rows: readonly (readonly [globs: string, target: string, matches: boolean])[] = [
    ["", "x.y/z", false],
    ["x.y", "x.y", true],
    ["x.y", "x.y/z/w", true],
    ["x.y/z", "x.y", false],
    ["x.y/z/", "x.y/z/w", true],
    ["x.y/z//", "x.y/z/w", false],
    [",, ,x.y", "x.y/z", true],
    [" x.y", "x.y/z", false], // nothing is trimmed
    ["*.corp.com,a.b/c", "git.corp.com/m", true],
    ["*.corp.com", "corp.com/m", false],
    ["*", "x.y/z", true],
    ["*/z", "x.y/z/w", true],
    ["x.y/*", "x.y", false],
    ["x.?/[a-z]", "x.y/z", true],
    ["x.?/[^a-z]", "x.y/z", false],
    ["x.y/[", "x.y/[", false], // malformed: ignored
    ["x.y/[,x.y", "x.y/z", true],
    ["x.\\y", "x.y/z", true],
    ["x.y/\\*", "x.y/*", true],
    ["?.y", "é.y", true],
  ];
  for (const [globs, target, matches] of rows) {
    assert.equal(module.matchPrefixPatterns(globs, target), matches, `${globs} ${target}`);
  }
});

test("hostile patterns and paths cost one pass", { timeout: 20_000 }, () => {
  assert.equal(module.matchPrefixPatterns(`${"*a".repeat(1000)}b`, "a".repeat(20_000)), false);
  assert.equal(
    passes(() => module.checkPath(`x.y/${"v1.".repeat(300_000)}`)),
    false,
  );
  assert.equal(module.splitPathVersion(`x.y/${"1".repeat(1_000_000)}z`).ok, true);
  assert.equal(
    passes(() => module.checkPath(`x.y/${"z~1".repeat(300_000)}`)),
    false,
  );
});
