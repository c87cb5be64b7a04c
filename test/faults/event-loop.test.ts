import assert from "node:assert/strict";
import { test } from "node:test";
import { infoLimit } from "../../lambda/proxy/sources/version-info.ts";
import { listLimit } from "../../lambda/proxy/sources/version-list.ts";
import { dataFolder } from "../support/data-folder.ts";
import { longestTurn } from "../support/longest-turn.ts";
import { get, startProduct } from "../support/product.ts";
import { type RawEntry, rawZip } from "../support/raw-zip.ts";
import { type Reply, ScriptedUpstream } from "../support/scripted-upstream.ts";

// Whatever an upstream sends, and however much of it is allowed, everybody else gets their turn.

/** Milliseconds of processor time: what nobody may take at once. */
const longest = 50;

const path = "corp.example/m";
const megabyte = 1 << 20;

/** The text again and again, as many bytes of it as are allowed. */
const filled = (text: string, size: number) => Buffer.alloc(size, text);

/** Lines for the numbers from 0, in no order, until they are as many bytes as are allowed. */
function lines(size: number, line: (n: number) => string): Buffer {
  const count = Math.floor(size / line(999_983).length);
  return Buffer.from(Array.from({ length: count }, (_, i) => line((i * 7_919) % count)).join(""));
}

function goMod(text: string | Buffer): Buffer {
  return Buffer.concat([Buffer.from(`module ${path}\n`), Buffer.from(text)]);
}

const limits = { list: listLimit, info: infoLimit, goMod: 256 * 1024, mod: 16 * megabyte };
const tags = lines(20_000, (n) => `v1.${n}.0\n`);
const info = (more: string) => `{"Version":"v1.0.0","Time":"2024-01-02T03:04:05Z"${more}}`;
const padded = (text: (size: number) => string) => info(text(limits.info - 200));

/** What comes under which name below the module, and what is asked for then. */
interface Row {
  readonly what: string;
  readonly upstream: Readonly<Record<string, Reply["body"]>>;
  readonly ask: readonly string[];
}

const lists: readonly Row[] = [
  ["versions in no order", lines(limits.list, (n) => `v1.${n}.0\n`)],
  ["versions of other modules", lines(limits.list, (n) => `v2.${n}.0\n`)],
  ["prereleases", lines(limits.list, (n) => `v1.0.0-rc.${n}.x.y.z\n`)],
  ["+incompatible", lines(limits.list, (n) => `v${n + 2}.0.0+incompatible\n`)],
  ["pseudo-versions", lines(limits.list, (n) => `v0.0.0-20240102030405-${String(n).padStart(12, "0")}\n`)],
  ["versions too long for a name", lines(limits.list, (n) => `v1.0.0-${n}.${"1.".repeat(400)}1\n`)],
  ["one version without an end", filled("v1.0.0-1.1", limits.list)],
  ["numbers without an end", filled("v1", limits.list)],
  ["blank lines", filled("\n", limits.list)],
  ["one line of space", filled(" ", limits.list)],
  ["lines of one letter", filled("a\n", limits.list)],
  ["a page", filled("<p>not a list</p>\n", limits.list)],
  ["bytes", filled("\xff\0", limits.list)],
].map(([what, list]) => ({
  what: `a list: ${what}`,
  upstream: { "@v/list": list as Buffer },
  ask: ["@v/list", "@latest"],
}));

const goMods: readonly Row[] = [
  ["50,000 retractions", lines(limits.goMod - 200, (n) => `retract v1.${n}.0\n`)],
  ["a block of ranges", `retract (\n${lines(limits.goMod - 200, (n) => `[v1.${n}.0,v1.${n}.9]\n`)})\n`],
  ["a block of broken ranges", `retract (\n${filled("x\n", limits.goMod - 200)})\n`],
  ["a block that does not end", `retract (\n${filled("v1\n", limits.goMod - 200)}`],
  ["comments before a block", `${filled("//\n", limits.goMod - 200)}retract (\n v1.0.0\n v1.1.0\n)\n`],
  ["a line of many words", `x ${filled("x ", limits.goMod - 200)}\n`],
  ["a line of punctuation", `x ${filled("([", limits.goMod - 200)}\n`],
  ["a word", `retract ${filled("x", limits.goMod - 200)}\n`],
  ["a word beyond ASCII", `retract ${filled("é", limits.goMod - 200)}\n`],
  [
    "a word with slashes",
    `retract ${filled("/", limits.goMod - 200)
      .toString()
      .replaceAll("//", "/x")}\n`,
  ],
  ["a string of escapes", `retract "${filled("\\x41", limits.goMod - 400)}"\n`],
  ["a version without an end", `retract v1.0.0-${filled("1.", limits.goMod - 200)}1\n`],
  ["a path without an end", `require ${filled("a/", limits.goMod - 200)}v v1.0.0\n`],
  ["blank lines", filled("\n", limits.goMod - 200)],
  ["16 MB of comments", filled("// \n", limits.mod - 200)],
  ["16 MB of blank lines", filled("\n", limits.mod - 200)],
  ["16 MB of one line", filled("x ", limits.mod - 200)],
].map(([what, text]) => ({
  what: `a go.mod: ${what}`,
  upstream: { "@v/list": tags, mod: goMod(text as string | Buffer) },
  ask: ["@latest"],
}));

const infos: readonly Row[] = [
  ["deep arrays", padded((size) => `,"x":${"[".repeat(size / 2)}${"]".repeat(size / 2)}`)],
  ["deep objects", padded((size) => `,"x":${'{"a":'.repeat(size / 6)}1${"}".repeat(size / 6)}`)],
  [
    "deep within what is allowed",
    padded(
      (size) =>
        `,"x":[${filled(`${"[".repeat(4_000)}${"]".repeat(4_000)},`, size - 10_000)
          .toString()
          .replace(/\[*\]*,?$/, "")}1]`,
    ),
  ],
  ["nothing but beginnings", "[".repeat(limits.info)],
  ["many names", padded((size) => lines(size - 100, (n) => `,"n${n}":1`).toString())],
  ["one name again and again", padded((size) => ',"Time":null'.repeat(size / 12))],
  ["many times", padded((size) => ',"Time":"2024-01-02T03:04:05+01:00"'.repeat(size / 35))],
  ["many origins", padded((size) => ',"Origin":{"VCS":"git"}'.repeat(size / 23))],
  ["a string of escapes", padded((size) => `,"x":"${"\\u0041".repeat(size / 6 - 2)}"`)],
  ["a number", padded((size) => `,"x":1${"0".repeat(size - 10)}`)],
  ["a fraction of a second", padded((size) => `,"Time":"2024-01-02T03:04:05.${"0".repeat(size - 50)}Z"`)],
  ["a version without an end", `{"Version":"v1.0.0-${"1.".repeat(limits.info / 2 - 50)}1"}`],
  [
    "a pseudo-version without an end",
    `{"Version":"v0.0.0-${"0.".repeat(limits.info / 2 - 50)}0.20240102030405-0123456789ab"}`,
  ],
].map(([what, text]) => ({
  what: `an info: ${what}`,
  upstream: { info: text as string, "@latest": text as string },
  ask: ["@v/v1.0.0.info", "@v/main.info", "@latest"],
}));

const prefix = `${path}@v1.0.0/`;
const entries = (count: number, entry: (n: number) => RawEntry) =>
  rawZip(Array.from({ length: count }, (_, n) => entry(n)));

const files: readonly Row[] = [
  ...[
    ["one that says nothing", filled("module\n", limits.mod)],
    ["words that begin alike", filled("modulemodule", limits.mod)],
    ["blank lines", filled("\n", limits.mod)],
    ["space", filled(" ", limits.mod)],
    ["16 MB behind its name", goMod(filled("// \n", limits.mod - 200))],
    ["a name without an end", Buffer.concat([Buffer.from("module "), filled("a/", limits.mod - 200)])],
  ].map(([what, mod]) => ({
    what: `a .mod: ${what}`,
    upstream: { mod: mod as Buffer, info: info("") },
    ask: ["@v/v1.0.0.mod"],
  })),
  ...[
    ["a directory of 65,000 names", entries(65_000, (n) => ({ name: `${prefix}${n}.go` }))],
    ["names that differ in case", entries(20_000, (n) => ({ name: `${prefix}${"aA".at(n % 2)}${n >> 1}` }))],
    ["deep names", entries(500, (n) => ({ name: `${prefix}${`${n}/`.repeat(4_000)}x` }))],
    ["16 MB of nothing", filled("PK\x05\x06", limits.mod)],
  ].map(([what, zip]) => ({
    what: `a zip: ${what}`,
    upstream: { zip: zip as Buffer, mod: goMod(""), info: info("") },
    ask: ["@v/v1.0.0.zip"],
  })),
];

for (const [name, rows] of Object.entries({ lists, goMods, infos, files })) {
  test(`no turn of the event loop is long: ${name}`, async (t) => {
    await using upstream = await ScriptedUpstream.start();
    const config = {
      private: "corp.example",
      upstreams: [{ patterns: ["corp.example"], chain: upstream.url }],
      sumdb: { name: "off" },
    };
    for (const { what, upstream: answers, ask } of rows) {
      upstream.otherwise(({ path: asked }) => {
        const name = asked.slice(path.length + 2);
        const body = answers[name] ?? answers[name.slice(name.lastIndexOf(".") + 1)];
        return body === undefined ? undefined : { body };
      });
      for (const route of ask) {
        const product = await startProduct({ data: dataFolder(t), config });
        let status = 0;
        const took = await longestTurn(async () => {
          ({ status } = await get(product.url, `/${path}/${route}`));
        });
        await product.stop();
        const told = `${what}, /${route}: ${took.toFixed(1)} ms, ${status}`;
        t.diagnostic(told);
        assert.ok(took < longest && status !== 500, told);
      }
    }
  });
}
