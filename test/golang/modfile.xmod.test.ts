import assert from "node:assert/strict";
import { test } from "node:test";
import { modulePath, parseLax } from "../../lambda/golang/modfile.ts";
import { unquote } from "../../lambda/golang/quoted-string.ts";
import { mutate, pick, seededRandom } from "../support/mutation.ts";
import { askXmod, skipWithoutGo, type XmodRequest } from "../support/xmod.ts";
import { assertAgreement, inputCount, type Port } from "../support/xmod-agreement.ts";

const decodeArgument = (base64: string) => new Uint8Array(Buffer.from(base64, "base64"));

/** What x/mod's ParseLax fills in; it does not read toolchain, replace and exclude. */
function laxFields(base64: string): unknown {
  const { module = null, go = null, require, retract } = parseLax(decodeArgument(base64));
  return { module, go, require, retract };
}

function allFields(base64: string): unknown {
  const { module = null, go = null, toolchain = null, ...lists } = parseLax(decodeArgument(base64));
  return { module, go, toolchain, ...lists };
}

const port: Port = {
  "modfile.modulePath": (base64: string) => modulePath(decodeArgument(base64)),
  "modfile.parseLax": laxFields,
  "modfile.parse": allFields,
  "strconv.unquote": (literal: string) => {
    const text = unquote(literal);
    if (text === undefined) throw Object.assign(new Error("no literal"), { code: "no-literal" });
    return text;
  },
};

const files = [
  "module example.com/m\n\ngo 1.21\n\nrequire a.b/c v1.2.3\n",
  "// Deprecated: use v2\n// instead.\n//\n// More.\nmodule example.com/m // here\n",
  'module "example.com/m/v2"\ngo 1.26.0\ntoolchain go1.26.8\n',
  "module (\n\t// Deprecated: x\n\n\texample.com/m // y\n)\n",
  "// Deprecated: block\nmodule (\n\texample.com/m\n)\n",
  "module `example.com/m`\n",
  "module m\nrequire (\n\ta.b/c v1.2.3 // indirect\n\n\t// why\n\td.e/f/v2 v2.0.0 // indirect; yes\n\tg.h/i v2.0.0+incompatible //indirect x\n)\n",
  "module m\nrequire ( // x\n\ta.b/c v1\n) // y\nrequire d.e/f v1.2 // indirect // z\nrequire (\n)\nrequire ()\n",
  "module m\n// first\n\n// bad\nretract v1.0.0 // oops\nretract [v1.1.0, v1.2.0]\nretract [v1, v2]\n",
  "module m\n// block\nretract (\n\tv1.0.0\n\n\tv1.0.1\n\t// own\n\t[v1.1.0, v1.2.0] // end\n\t[v1.3.0,\n\tv1.x\n\tv1.4.0 extra\n) // after\n",
  "module m\nreplace a.b/c => d.e/f v1.2.3\nreplace a.b/c v1.0.0 => ../c\nreplace (\n\tg.h/i => ./i\n\tg.h/i v1.2 => j.k/l v2.0.0\n)\nexclude a.b/c v1.2.3\nexclude (\n\ta.b/c/v2 v2.0.0\n)\n",
  "module m\nreplace a.b/c => C:\\x\nreplace a.b/c => d.e/f\nreplace a.b/c v1 v2 => x\nreplace a.b/c/v2 v1.0.0 => ./x\n",
  "module m\ngodebug default=go1.21\ntool a.b/c/cmd/x\nignore ./node_modules\nunknown thing ( a ) [b] {c}, d\nblock x (\n\tmodule y\n)\n",
  "module m\r\ngo 1.21\r\n\r\n// c\r\nrequire (\r\n\ta.b/c v1.2.3 // indirect\r\n)\r\n",
  'module m\nrequire a.b/c v1.0.0\nunknown "x\\\ny" // indirect\n',
  'module m\nretract v1.0.0 "x\\\ny" // z\nretract v1.0.1 // w\n',
  'module m\nrequire "a.b/\\x63" "v1.\\u0032.3"\n',
  "go 1.21beta1\nmodule m\ngo 1.21.0-custom",
  "go v1.20x\nmodule m // Deprecated: on the line\n",
];
const filePieces = [
  ..."\n\n\r\t \"`'()[]{},/\\=é\0\xa0".split(""),
  ...'// /* */ => // indirect|\n// Deprecated: x\n|\n\n|\\\n|"a"|\\x41|\\u00e9|\\ud800|v1.2.3|[v1.0.0, v1.1.0]|(\n|\n)\n| ( )\n'.split(
    "|",
  ),
  ..."module |go |toolchain |require |replace |exclude |retract |ignore |tool |godebug |unknown |a.b/c |m/v2 |../x".split(
    "|",
  ),
  "// comment\n",
  "\ufeff",
  "\u2028",
  "😀",
];

const random = seededRandom(1021);

/** A file near the seeds, as base64; now and then with a byte that is not UTF-8. */
function fileArgument(): string {
  const bytes = Buffer.from(mutate(random, files, filePieces) + (random(4) === 0 ? pick(random, files) : ""));
  const at = random(bytes.length + 1);
  // Alone among ASCII it is one U+FFFD to every decoder; what several in a row come to is a matter of taste.
  if (random(10) === 0 && bytes.subarray(Math.max(0, at - 1), at + 2).every((byte) => byte < 0x80)) {
    bytes[at] = 0x80 + random(128);
  }
  return bytes.toString("base64");
}

function requests(fn: string, argument: () => unknown): XmodRequest[] {
  return Array.from({ length: inputCount }, () => ({ fn, args: [argument()] }));
}

test("modulePath agrees with x/mod", { skip: skipWithoutGo }, async () => {
  await assertAgreement(port, requests("modfile.modulePath", fileArgument));
});

test("parseLax agrees with x/mod's ParseLax in what that fills in", { skip: skipWithoutGo }, async () => {
  await assertAgreement(port, requests("modfile.parseLax", fileArgument));
});

test("parseLax agrees with x/mod's Parse on files that are strictly valid", { skip: skipWithoutGo }, async () => {
  const all = requests("modfile.parse", fileArgument);
  const answers = await askXmod(all);
  const valid = all.filter((_, i) => answers[i]?.err === undefined);
  assert.ok(valid.length > inputCount / 10, `only ${valid.length} valid files`);
  await assertAgreement(port, valid);
});

test("unquote agrees with Go", { skip: skipWithoutGo }, async () => {
  const seeds = [
    '"abc"',
    '"a\\tb\\x41\\101\\u00e9\\U0001f600\\"\\\\"',
    "`a\\b`",
    '"\\xc3\\xa9"',
    '"\\\'"',
    '"é"',
    "``",
    '"',
  ];
  const pieces = [
    ..."\"`'\\abfnrtvxuU0137 9aF\r\né😀",
    "\\x",
    "\\u00",
    "\\ud800",
    "\\U0011",
    "\\377",
    "\\400",
    "\\xff",
  ];
  const literals = () => {
    const text = mutate(random, seeds, pieces).replace(/^'+/, ""); // no rune literals: go.mod has none
    // What is no UTF-8 once unquoted is compared as U+FFFD, so leave out what comes to more than one such byte.
    return text.replaceAll(/\\x[89a-fA-F][0-9a-fA-F]|\\[23][0-7]{2}/g, "\\x2e");
  };
  await assertAgreement(port, requests("strconv.unquote", literals));
});
