import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Attributes } from "../../lambda/upstream/git/attributes/attributes.ts";
import { conversionOf, convert } from "../../lambda/upstream/git/attributes/conversion.ts";
import { whole } from "../../lambda/upstream/git/attributes/whole.ts";
import { git, hasGit, RepositoryScript, scratch } from "../support/git-repository.ts";
import { tarFiles } from "../support/tar.ts";

// What `git archive` writes as go runs it, against what attributes/ makes of the same files, over generated repositories.

/** A generator that gives the same numbers for the same seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

type Random = ReturnType<typeof numbers>;

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random(from.length)] as T;
}

function text(random: Random, pieces: readonly string[], most: number): string {
  return Array.from({ length: 1 + random(most) }, () => pick(random, pieces)).join("");
}

const names = ["a", "b", "ab", "a.go", "b.txt", "x.y.z", "A", "é", "[a]", "a b", "a-b", "f\\g", "Z9", "~"];
const folders = ["", "", "s/", "s/t/", "s/t/u/", "a/", "é/"];
const globs = [
  "*",
  "**",
  "?",
  "a",
  "b",
  "/",
  "s",
  "t",
  "[ab]",
  "[!a]",
  "[^a-c]",
  "[[:alpha:]]",
  "\\*",
  ".",
  "go",
  "txt",
];
const rareGlobs = [
  ...globs,
  "[a-",
  "[]a]",
  "[[:nope:]]",
  "[[:x]",
  "[a\\-z]",
  "[z-a]",
  "\\",
  "é",
  "u",
  "[[]",
  "-",
  "**/",
  "/**",
  "!",
  "~",
];
const states = [
  ...["text", "-text", "!text", "text=auto", "text=input", "text=x", "eol=crlf", "eol=crlf", "eol=lf", "eol", "binary"],
  ...["-binary", "crlf", "-crlf", "crlf=input", "crlf=auto", "ident", "ident", "-ident", "ident=x", "export-ignore"],
  ...["export-subst", "m", "-m", "!m", "n", "working-tree-encoding=UTF-16", "working-tree-encoding=utf-16le-bom"],
  ...[
    "working-tree-encoding=UTF-16BE",
    "!working-tree-encoding",
    "diff=go",
    "filter=lfs",
    "working-tree-encoding=utf8",
  ],
  ...["working-tree-encoding=", "-eol", "text=", "merge=a=b", "eol=CRLF"],
];
const rareStates = [...states, "-", "a/b", "!", "--text", "=x", "é", "-text=auto"];
const contents = [
  ...["\n", "\n", "a", "a line\n", "\r\n", "\r", "$Id$", "$Id: x $", "$Id: x y $", "$Id:\n$", "$", "Id$", "\0", "\x1a"],
  ...["é", "\ufeff", "\x7f", "\x01", "$Id:$", "$Id: $", "$Format:%H$", "x".repeat(140), "\u{1f600}", "$Id:abc$"],
];

function attributeFile(random: Random): string {
  const line = () => {
    const rare = random(6) === 0;
    if (random(9) === 0)
      return `[attr]${pick(random, ["m", "n", "binary", "text", "-x"])} ${attributeWords(random, false)}`;
    const glob = text(random, rare ? rareGlobs : globs, 5);
    const pattern = random(6) === 0 ? `"${glob.replaceAll("\\", "\\\\")}"` : glob;
    return `${pick(random, ["", "", "", " ", "\t", "#"])}${pattern}${pick(random, [" ", "\t", "  "])}${attributeWords(random, rare)}`;
  };
  return (
    Array.from({ length: 1 + random(6) }, line).join(pick(random, ["\n", "\n", "\r\n"])) + pick(random, ["", "\n"])
  );
}

function attributeWords(random: Random, rare: boolean): string {
  return Array.from({ length: 1 + random(3) }, () => pick(random, rare ? rareStates : states)).join(" ");
}

function repository(random: Random): Map<string, string | Uint8Array> {
  const files = new Map<string, string | Uint8Array>();
  for (let i = 0; i < 12; i++) {
    const content = Buffer.from(text(random, contents, 6));
    files.set(
      pick(random, folders) + pick(random, names),
      random(8) === 0 ? Buffer.concat([content, Buffer.of(0xff)]) : content,
    );
  }
  for (let i = 0; i < 3; i++) files.set(`${pick(random, folders)}.gitattributes`, attributeFile(random));
  // A name cannot be a folder too.
  const taken = new Set(
    [...files.keys()].flatMap((path) => path.split("/").map((_, i, all) => all.slice(0, i).join("/"))),
  );
  for (const path of files.keys()) if (taken.has(path)) files.delete(path);
  return files;
}

async function ours(
  files: ReadonlyMap<string, string | Uint8Array>,
  ids: ReadonlyMap<string, string>,
): Promise<Map<string, string>> {
  const bytes = (path: string) => Buffer.from(path).toString("latin1");
  const content = (path: string) => Buffer.from(files.get(path) as string);
  const attributeFiles = [...files.keys()].filter((path) => /(^|\/)\.gitattributes$/.test(path));
  const attributes = new Attributes(
    new Map(
      attributeFiles.map((path) => [bytes(path.slice(0, -".gitattributes".length)), content(path).toString("latin1")]),
    ),
  );
  const out = new Map<string, string>();
  for (const path of files.keys()) {
    const stored = { id: ids.get(path) ?? "", size: content(path).length, chunks: () => [content(path)] };
    const conversion = conversionOf(attributes.of(bytes(path)));
    const converted = conversion === undefined ? stored : await convert(stored, conversion);
    const written = await whole(converted.chunks());
    assert.equal(converted.size, written.length, path);
    out.set(path, written.toString("latin1"));
  }
  return out;
}

const cases = Number(process.env.FUZZ_CASES ?? 400);
const settings = ["-c", "core.autocrlf=input", "-c", "core.eol=lf"];

test(`attributes are applied as git archive applies them, in ${cases} generated repositories`, {
  skip: !hasGit,
}, async () => {
  const folder = scratch("attributes");
  new RepositoryScript().build(folder);
  // go does the same.
  mkdirSync(join(folder, "info"), { recursive: true });
  writeFileSync(join(folder, "info/attributes"), "\n* -export-subst -export-ignore\n");
  let converted = 0;
  for (let seed = 1; seed <= cases; seed++) {
    const files = repository(numbers(seed * 7919));
    const script = new RepositoryScript();
    script.commit(Object.fromEntries(files), { whole: true });
    script.into(folder);
    const archive = tarFiles(git(folder, [...settings, "archive", "--format=tar", "refs/heads/main"]));
    const ids = new Map(
      git(folder, ["ls-tree", "-r", "-z", "refs/heads/main"])
        .toString()
        .split("\0")
        .map((row) => /^\d+ blob ([0-9a-f]+)\t([\s\S]+)$/.exec(row))
        .flatMap((match) => (match === null ? [] : [[match[2] ?? "", match[1] ?? ""] as const])),
    );
    const mine = await ours(files, ids);
    assert.deepEqual(new Map([...mine].sort()), new Map([...archive].sort()), `seed ${seed}`);
    for (const [path, content] of mine)
      if (content !== Buffer.from(files.get(path) as string).toString("latin1")) converted++;
  }
  assert.ok(converted > cases / 4, `${converted} files were converted`);
});
