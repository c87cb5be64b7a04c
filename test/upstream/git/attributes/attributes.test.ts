import assert from "node:assert/strict";
import { test } from "node:test";
import { AttributeError, Budget } from "../../../../lambda/upstream/git/attributes/attribute-error.ts";
import { attributePattern } from "../../../../lambda/upstream/git/attributes/attribute-pattern.ts";
import { Attributes } from "../../../../lambda/upstream/git/attributes/attributes.ts";
import { conversionOf, convert } from "../../../../lambda/upstream/git/attributes/conversion.ts";
import { whole } from "../../../../lambda/upstream/git/attributes/whole.ts";

// The rules one by one; test/git/attributes.git.ts holds them against git itself.

const budget = () => new Budget(1_000_000);

/** Pattern, the paths that it means, and those that it does not. */
const patterns: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["a.go", ["a.go", "s/a.go", "s/t/a.go"], ["ba.go", "a.go/b"]],
  ["*.go", ["a.go", ".go", "s/a.go"], ["a.go/b", "a.gob"]],
  ["*", ["a", "s/a"], []],
  ["a*b", ["ab", "axxb", "s/ab"], ["ab/c", "abc"]],
  ["/a", ["a"], ["s/a"]],
  ["s/a", ["s/a"], ["t/s/a", "s/ab"]],
  ["s/*", ["s/a"], ["s/t/a"]],
  ["s/**", ["s/a", "s/t/a"], ["s", "t/a"]],
  ["**/a", ["a", "s/a", "s/t/a"], ["ba", "s/ba"]],
  ["s/**/a", ["s/a", "s/t/a", "s/t/u/a"], ["sa", "s/ta"]],
  // What stands before the stars is cut off first, and then they are a beginning.
  ["s**/a", ["sa", "st/a", "s/t/a"], ["a"]],
  ["a**b/c", ["ab/c", "axb/c"], ["a/b/c"]],
  ["s/?", ["s/a"], ["s/ab", "s//"]],
  ["s/[!a]", ["s/b"], ["s/a", "s//"]],
  ["[a-c]", ["b"], ["d"]],
  ["[]a]", ["]", "a"], ["b"]],
  ["[[:digit:]]", ["1"], ["a", ":"]],
  ["[[:nope:]]", [], ["n", ":"]],
  ["[a", [], ["a", "[a"]],
  ["\\*", ["*"], ["a", "\\*"]],
  ["a\\", [], ["a", "a\\"]],
  ["s/", [], ["s", "s/a"]],
];

test("patterns mean what they mean in git", () => {
  for (const [pattern, meant, others] of patterns) {
    const matches = attributePattern(pattern);
    for (const path of meant) assert.equal(matches(path, budget()), true, `${pattern} means ${path}`);
    for (const path of others) assert.equal(matches(path, budget()), false, `${pattern} does not mean ${path}`);
  }
});

test("a pattern of stars costs no more than its length times that of the path, and too much of it ends in an error", () => {
  const matches = attributePattern("*a".repeat(1_000));
  const path = "a".repeat(999);
  assert.equal(matches(path, new Budget(3_000_000)), false);
  assert.throws(() => matches(path, new Budget(1_000_000)), { code: "attributes-too-costly" });
});

/** Folders with their lines, and what is said of s/a.go. */
const files: readonly (readonly [string, Readonly<Record<string, string>>, object])[] = [
  ["nothing", {}, {}],
  ["set, unset, a value", { "": "*.go text -ident eol=crlf" }, { text: true, ident: false, eol: "crlf" }],
  ["the last line counts", { "": "* text\n*.go -text" }, { text: false }],
  ["the last word of a line counts", { "": "* text -text" }, { text: false }],
  ["the deeper folder counts", { "": "*.go -text\n", "s/": "a.go text" }, { text: true }],
  ["another folder does not", { "t/": "a.go text", "s/t/": "* text" }, {}],
  ["unspecified again", { "": "* text", "s/": "* !text" }, {}],
  ["a macro", { "": "[attr]m text eol=crlf\n* m" }, { text: true, eol: "crlf" }],
  ["a macro that is unset", { "": "[attr]m text\n* -m" }, {}],
  ["a macro of macros", { "": "[attr]m n\n[attr]n -text\n* m" }, { text: false }],
  ["a macro below the root is none", { "": "* m", "s/": "[attr]m text" }, {}],
  ["a macro of itself", { "": "[attr]m m text\n* m" }, { text: true }],
  ["binary", { "": "* binary" }, { text: false }],
  ["another binary", { "": "[attr]binary text\n* binary" }, { text: true }],
  ["a comment, and blanks", { "": "# * text\n \t *.go \t text \r\n" }, { text: true }],
  ["a negative pattern", { "": "!b text" }, {}],
  ["a malformed attribute spoils its line", { "": "* text a/b" }, {}],
  ["a name in quotes", { "": '"\\141.go" text' }, { text: true }],
  ["quotes without an end", { "": '"a.go text' }, {}],
  ["a line that is too long", { "": `* text ${"x".repeat(2_048)}` }, {}],
  ["what follows a NUL", { "": "* ident\0\n* text" }, { ident: true }],
];

test("attributes come out of all folders on the way", () => {
  for (const [what, folders, said] of files) {
    assert.deepEqual({ ...new Attributes(new Map(Object.entries(folders))).of("s/a.go") }, said, what);
  }
});

const id = "0123456789012345678901234567890123456789";

/** Attributes, what is stored, and what leaves the repository. */
const conversions: readonly (readonly [string, string | Uint8Array, string | Uint8Array])[] = [
  ["text", "a\nb\n", "a\nb\n"],
  ["text=auto", "a\nb\n", "a\nb\n"],
  ["eol=lf", "a\r\n", "a\r\n"],
  ["eol=crlf", "a\nb\r\n\n", "a\r\nb\r\n\r\n"],
  ["eol=crlf", "\0\n", "\0\r\n"],
  ["text eol=crlf", "a\n", "a\r\n"],
  ["crlf eol=crlf", "a\n", "a\r\n"],
  ["-text eol=crlf", "a\n", "a\n"],
  ["-crlf eol=crlf", "a\n", "a\n"],
  ["text -crlf eol=crlf", "a\n", "a\r\n"],
  ["binary eol=crlf", "a\n", "a\n"],
  ["text=auto eol=crlf", "a\n", "a\r\n"],
  ["text=auto eol=crlf", "a\nb\r\n", "a\nb\r\n"],
  ["text=auto eol=crlf", "a\nb\rc", "a\nb\rc"],
  ["text=auto eol=crlf", "\0\n", "\0\n"],
  ["text=auto eol=crlf", `${"x".repeat(127)}\x01\n`, `${"x".repeat(127)}\x01\n`],
  ["text=auto eol=crlf", `${"x".repeat(128)}\x01\n`, `${"x".repeat(128)}\x01\r\n`],
  ["text=auto eol=crlf", "a\n\x1a", "a\r\n\x1a"],
  ["ident", "// $Id$\n", `// $Id: ${id} $\n`],
  ["ident", "$Id: old $ $Id: of another $ $Id:$", `$Id: ${id} $ $Id: of another $ $Id: ${id} $`],
  ["ident", "$Id: no end", "$Id: no end"],
  ["ident", "$Id$ $Id: no end", `$Id: ${id} $ $Id: no end`],
  ["ident eol=crlf", "$Id$\n", `$Id: ${id} $\r\n`],
  ["ident=x", "$Id$", "$Id$"],
  ["working-tree-encoding=UTF-8", "é", "é"],
  ["working-tree-encoding=UTF-16", "é\n", Buffer.from("\ufeffé\n", "utf16le")],
  ["working-tree-encoding=utf16le", "é", Buffer.from("é", "utf16le")],
  ["working-tree-encoding=UTF-16BE-BOM", "é", Buffer.of(0xfe, 0xff, 0, 0xe9)],
  ["working-tree-encoding=UTF-16", Buffer.of(0xff), Buffer.of(0xff)],
  ["working-tree-encoding=UTF-16", "", ""],
  [
    "filter=lfs diff=lfs -text",
    "version https://git-lfs.example/spec/v1\n",
    "version https://git-lfs.example/spec/v1\n",
  ],
  ["export-subst export-ignore", "$Format:%H$\n", "$Format:%H$\n"],
];

test("contents leave the repository as git archive writes them", async () => {
  for (const [words, before, after] of conversions) {
    const conversion = conversionOf(new Attributes(new Map([["", `* ${words}`]])).of("a"));
    const bytes = Buffer.from(before as string);
    // One byte at a time: nothing may depend on where pieces end.
    const chunks = () => [...bytes].map((byte) => Buffer.of(byte));
    const stored = { id, size: bytes.length, chunks };
    const converted = conversion === undefined ? stored : await convert(stored, conversion);
    const out = await whole(converted.chunks());
    assert.deepEqual([out, converted.size], [Buffer.from(after as string), out.length], `${words}: ${before}`);
  }
});

test("an encoding does not depend on where its pieces end", async () => {
  const text = `a${"é".repeat(300_000)}`;
  const conversion = conversionOf({ "working-tree-encoding": "UTF-16LE" });
  assert.ok(conversion);
  const of = async (bytes: Buffer) => {
    const converted = await convert({ id, size: bytes.length, chunks: () => [bytes] }, conversion);
    return whole(converted.chunks());
  };
  assert.ok((await of(Buffer.from(text))).equals(Buffer.from(text, "utf16le")));
  const cut = Buffer.from(text).subarray(0, -1);
  assert.ok((await of(cut)).equals(cut), "what is not UTF-8 at its very end stays as it is");
});

test("what cannot be written as git writes it is refused", async () => {
  const refused = (words: string) => () => conversionOf(new Attributes(new Map([["", `* ${words}`]])).of("a"));
  for (const words of ["=ISO-8859-1", "=UTF-32", ""]) {
    assert.throws(refused(`working-tree-encoding${words}`), { code: "unsupported-encoding" });
  }
  assert.throws(refused("-working-tree-encoding"), { code: "unsupported-encoding" });
  const large = { id, size: 17 << 20, chunks: () => [] };
  const conversion = conversionOf({ ident: true });
  assert.ok(conversion);
  await assert.rejects(convert(large, conversion), AttributeError);
});
