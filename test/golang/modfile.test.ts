import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { goVersionLax, type ModFile, ModFileError, modulePath, parseLax } from "../../lambda/golang/modfile.ts";
import { quote, unquote } from "../../lambda/golang/quoted-string.ts";

const nothing: ModFile = {
  module: undefined,
  go: undefined,
  toolchain: undefined,
  require: [],
  replace: [],
  exclude: [],
  retract: [],
};

test("modulePath finds the path and little else", () => {
  const rows: readonly (readonly [text: string, path: string])[] = [
    ["module x.y/z", "x.y/z"],
    ["// comment\n\n  module\tx.y/z // what\n", "x.y/z"],
    ['module "x.y/\\x7a"\r\n', "x.y/z"],
    ["module `x.y/z`", "x.y/z"],
    ["broken (\nmodule x.y/z", "x.y/z"],
    ["module x.y/z w", "x.y/z w"], // not its business
    ["modulex.y/z", ""],
    ["module", ""],
    ["module // x.y/z", ""],
    ["module 'x'", "'x'"],
    ['module "x', ""],
    ["module\u3000x", "x"],
    ["require x v1.0.0\n", ""],
    ["", ""],
    ["// module a\nmodules b\nmodule x.y/z\nmodule c", "x.y/z"],
    // It looks no further than a MiB, and not at half a line.
    [`//${" ".repeat(1024 * 1024 - 20)}\nmodule x.y/z\n\n\n\n\n`, "x.y/z"],
    [`//${" ".repeat(1024 * 1024 - 15)}\nmodule x.y/zzzz`, ""],
  ];
  for (const [text, path] of rows) {
    assert.equal(modulePath(text), path, text);
    assert.equal(modulePath(Buffer.from(text)), path, text);
  }
});

test("parseLax reads every directive a proxy asks for", () => {
  const text = `// Deprecated: use x.y/z/v2
// instead.
//
// It is better.
module x.y/z

go 1.26.0
toolchain go1.26.8
godebug default=go1.21

require a.b/c v1.2
require (
	"d.e/f/v2" v2.0.0-pre // indirect
	g.h/i v3.0.0+incompatible // indirect; or is it
	j.k/l v0.0.0+meta // indirectly
)
replace a.b/c => ../c
replace (
	a.b/c v1.2.0 => d.e/f v1.0.0
)
exclude d.e/f/v2 v2.0.0
// all bad
retract (
	v1.0.0
	[v1.1.0, v1.2.0] // worse
)
`;
  assert.deepEqual(parseLax(text), {
    module: { path: "x.y/z", deprecated: "use x.y/z/v2\ninstead." },
    go: "1.26.0",
    toolchain: "go1.26.8",
    require: [
      { path: "a.b/c", version: "v1.2.0", indirect: false },
      { path: "d.e/f/v2", version: "v2.0.0-pre", indirect: true },
      { path: "g.h/i", version: "v3.0.0+incompatible", indirect: true },
      { path: "j.k/l", version: "v0.0.0", indirect: false },
    ],
    replace: [
      { old: { path: "a.b/c", version: "" }, new: { path: "../c", version: "" } },
      { old: { path: "a.b/c", version: "v1.2.0" }, new: { path: "d.e/f", version: "v1.0.0" } },
    ],
    exclude: [{ path: "d.e/f/v2", version: "v2.0.0" }],
    retract: [
      { low: "v1.0.0", high: "v1.0.0", rationale: "all bad" },
      { low: "v1.1.0", high: "v1.2.0", rationale: "worse" },
    ],
  });
  assert.deepEqual(parseLax(text.replaceAll("\n", "\r\n")), parseLax(text));
  assert.deepEqual(parseLax(Buffer.from(text)), parseLax(text));
});

test("parseLax ignores what a later Go may mean", () => {
  const rows: readonly (readonly [text: string, expected: Partial<ModFile>])[] = [
    ["", {}],
    ["// only\n\n// comments", {}],
    ["future x y (z) [ { , \nfuture (\n\tx\n)\nfuture ()\nmodule x (\n\ty\n)\n", {}],
    ["go 1.99-custom", { go: "1.99" }],
    ["go v1.21rc", { go: "1.21" }],
    ["go 1.21rc1", { go: "1.21rc1" }],
    ["go (\n\t1.21\n)\n", {}], // no block in any Go so far
    ["toolchain local\ntoolchain default\ntoolchain go1.22", { toolchain: "default" }],
    ["retract [v1.0.0, )\nretract v1.0.0 future", { retract: [{ low: "v1.0.0", high: "v1.0.0", rationale: "" }] }],
    ["retract v1", { retract: [{ low: "v1", high: "v1", rationale: "" }] }], // as written, like x/mod
    ["exclude a.b/c v2.0.0\nexclude a.b/c master", {}],
    ["replace a.b/c => d.e/f\nreplace a.b/c => .\\x\nreplace => ./x\nreplace a.b/c => ./x v1.0.0", {}],
  ];
  for (const [text, expected] of rows) assert.deepEqual(parseLax(text), { ...nothing, ...expected }, text);
});

test("parseLax refuses what x/mod refuses, and says where", () => {
  const rows: readonly (readonly [text: string, message: string])[] = [
    ["\nmodule", "2: usage: module module/path"],
    ["module x\nmodule y", "2: repeated module statement"],
    ["module 'x'", "1: usage: module module/path"],
    ["go 1.21\ngo 1.21", "2: repeated go statement"],
    ["go 1", "1: invalid go version: must match format 1.23.0"],
    ["go 1.21 1.22", "1: usage: go 1.23.0"],
    ["require x", "1: usage: module/path v1.2.3"],
    ["require x master", "1: invalid version: must be of the form v1.2.3"],
    ["require x/v1 v1.0.0", "1: invalid module path"],
    ["require x v2.0.0", "1: the version does not fit the major version of the path"],
    ['require "x\\" v1.0.0\n', "1: unexpected newline in string"],
    ['require "\\q" v1.0.0', "1: invalid quoted string"],
    ["ignore", "1: usage: ignore ./path"],
    ["\n\nrequire (\n\tx v1.0.0\n", "3: this block does not end"],
    ["require (\n) x", "2: expected a newline after the closing )"],
    ["/* x */", "1: comments start with //, not /*"],
    ["x/*", "1: comments start with //, not /*"],
    ["`x", "1: unexpected end of file in string"],
    ['"x\\', "1: unexpected end of file in string"],
    ["module x\x00", '1: unexpected character "\\u0000"'],
    ["\ufeffmodule x", '1: unexpected character "\\u{feff}"'],
    ["module\xa0x", '1: unexpected character "\\u{a0}"'],
  ];
  for (const [text, message] of rows) {
    const refusal = { code: "invalid-go-mod", message: `x@v1.0.0/go.mod:${message}` };
    assert.throws(() => parseLax(text, { file: "x@v1.0.0/go.mod" }), refusal, text);
  }
  assert.throws(() => parseLax("require x"), { message: "go.mod:1: usage: module/path v1.2.3" });
});

test("comments go where x/mod puts them", () => {
  const rows: readonly (readonly [text: string, rationale: string])[] = [
    ["// a\nretract v1.0.0", "a"],
    ["// a\n\nretract v1.0.0", ""], // a blank line sets it off
    ["retract v1.0.0 // a", "a"],
    ["//  a\n//b\nretract v1.0.0 // c", "a\nb\nc"],
    ["// a\nretract (\n\tv1.0.0\n)", "a"],
    ["// a\nretract (\n\t// b\n\n\t// c\n\tv1.0.0\n)", "b\nc"],
    ["// a\nretract ( // b\n\tv1.0.0\n) // c", "a"],
    ['retract v1.0.0\nfuture "x\\\ny" // a', "a"], // that line spreads over two, and so its comment moves up
    ['retract v1.0.0\n// b\n\nfuture "x\\\ny" // a', ""],
  ];
  for (const [text, rationale] of rows) assert.equal(parseLax(text).retract[0]?.rationale, rationale, text);
  // The blank line before the second counts as a comment of its own, so it does not have the block's.
  const spaced = parseLax("// a\nretract (\n\n\tv1.0.0\n\n\tv1.1.0\n)");
  assert.deepEqual(
    spaced.retract.map((retraction) => retraction.rationale),
    ["a", ""],
  );
});

test("a deprecation is a paragraph that starts with the word", () => {
  const rows = [
    ["// Deprecated: a\n// b\nmodule x", "a\nb"],
    ["// x\n//\n// Deprecated: a\n//\n// b\nmodule x", "a"],
    ["// x\n// Deprecated: a\nmodule x", ""],
    ["module x // Deprecated:a", "a"],
    ["// Deprecated:\nmodule x", ""],
    ["// deprecated: a\nmodule x", ""],
    ["// Deprecated: a\nmodule (\n\tx\n)", "a"],
  ];
  for (const [text = "", deprecated] of rows) assert.equal(parseLax(text).module?.deprecated, deprecated, text);
});

test("unquote reads Go's strings", () => {
  const rows: readonly (readonly [literal: string, text: string | undefined])[] = [
    ['""', ""],
    ['"a\\t\\x41\\101\\u00e9\\U0001f642\\\\\\""', 'a\tAAé🙂\\"'],
    ['"\\xc3\\xa9"', "é"],
    ['"\\xff"', "\ufffd"],
    ["`a\\n\r`", "a\\n"],
    ['"\\\'"', undefined],
    ['"\\ud800"', undefined],
    ['"\\U00110000"', undefined],
    ['"\\400"', undefined],
    ['"\\x4"', undefined],
    ['"a"b"', undefined],
    ['"a\\"', undefined],
    ['"a\nb"', undefined],
    ["`a`b`", undefined],
    ['"', undefined],
    ["a", undefined],
  ];
  for (const [literal, text] of rows) assert.equal(unquote(literal), text, literal);
});

test("any text either parses or is refused with our own error", () => {
  const piece = fc.constantFrom(
    "module",
    "require",
    "x",
    "v1.0.0",
    "(",
    ")",
    "[",
    ",",
    "\n",
    " ",
    "//",
    '"',
    "\\",
    "`",
    "\0",
    "é",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: "binary" }),
        fc.array(piece).map((pieces) => pieces.join("")),
      ),
      (text) => {
        modulePath(text);
        try {
          parseLax(text);
        } catch (error) {
          assert.ok(error instanceof ModFileError);
        }
      },
    ),
  );
});

test("a megabyte of anything is read in one pass", { timeout: 30_000 }, () => {
  const pieces = [
    "(",
    "a (\n",
    "// x\n",
    "a // x\n",
    '"\\\n" // x\n',
    "\n",
    "a ( ) ",
    "é",
    '"',
    "`x",
    "module \n",
    "a\\",
  ];
  for (const piece of pieces) {
    const text = piece.repeat(2 ** 20 / piece.length);
    modulePath(text);
    try {
      parseLax(text);
    } catch (error) {
      assert.ok(error instanceof ModFileError);
    }
  }
  // Every one of these lines has the block's comment.
  const retracted = parseLax(`${"// x\n".repeat(100_000)}retract (\n${"v1\n".repeat(100_000)})\n`).retract;
  assert.equal(retracted.length, 100_000);
  assert.equal(retracted.at(-1)?.rationale.length, 199_999);
});

test("quote makes any text fit for a message", () => {
  assert.equal(quote('é🙂"\\'), '"é🙂\\"\\\\"');
  assert.equal(quote("\n\x1b\x9b\u2028\ud800"), '"\\n\\u001b\\u{9b}\\u{2028}\\ud800"');
  assert.equal(quote("a".repeat(201)), `"${"a".repeat(200)}…"`);
});

test("goVersionLax gives the go line of parseLax, and refuses what that refuses", () => {
  const texts = [
    "module m.example/x\ngo 1.26\nrequire a.example/b v1.0.0\nretract v1.0.0 // no\n",
    "module m.example/x\n",
    "go 1.26\ngo 1.27\n",
    "require a.example/b\ngo 1.26\n",
    `x ${"y ".repeat(100)}\ngo 1.25\n`,
    `module m.example/x ${"y ".repeat(100)}\n`,
  ];
  const read = (go: () => string | undefined) => {
    try {
      return go();
    } catch (error) {
      return (error as Error).message;
    }
  };
  const versions = texts.map((text) => read(() => goVersionLax(text)));
  assert.deepEqual(
    versions,
    texts.map((text) => read(() => parseLax(text).go)),
  );
  assert.deepEqual(versions.slice(0, 2), ["1.26", undefined]);
  assert.equal(versions[4], "1.25");
});
