import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { type CheckedFiles, CheckedFilesError } from "../../lambda/golang/checked-files.ts";
import { hashZip } from "../../lambda/golang/dirhash.ts";
import { strToFold } from "../../lambda/golang/name-collisions.ts";
import { isLetter } from "../../lambda/golang/unicode.ts";
import { checkFiles, checkZip, create, type ModuleFile } from "../../lambda/golang/zip.ts";
import { assertAgrees, type Question } from "../support/agree.ts";
import { mutate, pick, type Random, seededRandom } from "../support/mutation.ts";
import { type RawEntry, rawZip } from "../support/raw-zip.ts";
import { askXmod, skipWithoutGo } from "../support/xmod.ts";
import { inputCount } from "../support/xmod-agreement.ts";
import { temporaryFile } from "../support/zip-file.ts";

// The same thousands of zips and lists of files through x/mod and through the port. Seeds are fixed: a failure repeats.

const module = { path: "example.com/m", version: "v1.2.3" };
const prefix = "example.com/m@v1.2.3/";

const names = [
  ..."a.go b/a.go b/b.go go.mod GO.MOD sub/go.mod sub/Go.mod LICENSE license a A b/A.go aux.txt x.go' .a a. a..b".split(
    " ",
  ),
  ..."vendor/modules.txt vendor/a/a.go pkg/vendor/vendor.go pkg/vendor/x/x.go a/vendor/b vendor .hg_archival.txt".split(
    " ",
  ),
  ..."../a a/../b ./a a//b /a a/ b/ sub/ sub/x/ go.mod/a.go go.mod/ ſ s S K k \u212a ß ẞ ς Σ σ ı i İ é É ǅ ǆ \\ a\\b".split(
    " ",
  ),
  "",
  "a b",
  "a\nb",
  "a\u0301",
];
const pieces = [
  "/",
  ".",
  "..",
  "A",
  "a",
  "go.mod",
  "vendor/",
  "\0",
  "é",
  "É",
  "\u{10400}",
  "\u{10428}",
  "~",
  ":",
  "*",
  " ",
];

function makeName(random: Random): string | Uint8Array {
  const name =
    (random(20) === 0 ? "" : prefix) + (random(3) === 0 ? mutate(random, names, pieces) : pick(random, names));
  if (random(40) > 0) return name;
  const bytes = Buffer.from(`${name}x`);
  bytes[random(bytes.length)] = 0x80 + random(0x80);
  return bytes;
}

const sizes = [0, 1, 5, 16 << 20, (16 << 20) + 1, 500 << 20, (500 << 20) + 1, 0x7fffffff, 0xffffffff];

function makeEntry(random: Random): RawEntry {
  const content = pick(random, ["", "x", "module example.com/m\n", "package a\n".repeat(random(200))]);
  const entry: RawEntry = { name: makeName(random), content, method: random(2) * 8 };
  if (random(12) > 0) return entry;
  return { ...entry, uncompressedSize: pick(random, sizes) };
}

/** A zip of a few files, in half of the cases with some bytes changed, removed or added. */
function makeZip(random: Random): Buffer {
  let zip = rawZip(Array.from({ length: random(7) }, () => makeEntry(random)));
  if (random(2) === 0) return zip;
  for (let edits = 1 + random(3); edits > 0; edits--) {
    const tail = random(2) === 0 ? Math.min(zip.length, 22 + 80) : zip.length;
    const at = zip.length - random(tail + 1);
    const added = Buffer.from(Array.from({ length: random(2) }, () => pick(random, [0, 1, 2, 8, 0xff, random(256)])));
    zip = Buffer.concat([zip.subarray(0, at), added, zip.subarray(at + random(3))]);
  }
  return zip;
}

interface Summary {
  readonly valid: readonly string[];
  readonly omitted: readonly string[];
  readonly invalid: readonly string[];
  readonly sizeError: boolean;
  readonly ok: boolean;
}

/** Bytes that are not UTF-8 become any number of U+FFFD. */
const comparable = (path: string) => path.replaceAll(/\ufffd+/g, "\ufffd");

async function summarize(checking: Promise<CheckedFiles>): Promise<Summary> {
  const checked = await checking.catch((error: unknown) => {
    if (error instanceof CheckedFilesError) return error;
    throw error;
  });
  const ok = !(checked instanceof CheckedFilesError);
  const { valid, omitted, invalid, sizeError } = ok ? checked : checked.checked;
  const paths = (list: readonly { readonly path: string }[]) => list.map(({ path }) => path);
  return { valid, omitted: paths(omitted), invalid: paths(invalid), sizeError: sizeError !== undefined, ok };
}

test("checkZip reports what zip.CheckZip reports", { skip: skipWithoutGo }, async () => {
  const random = seededRandom(1);
  const paths = Array.from({ length: inputCount }, () => temporaryFile(makeZip(random)));
  const answers = await askXmod(
    paths.map((path) => ({ fn: "zip.checkZip", args: [module.path, module.version, path] })),
  );
  const seen = { valid: 0, invalid: 0, unreadable: 0 };
  for (const [i, path] of paths.entries()) {
    const ours = await summarize(checkZip(module, path)).catch(() => undefined);
    const theirs = answers[i]?.ok as Summary | undefined;
    const invalid = theirs?.invalid.map(comparable);
    assert.deepEqual(
      ours && { ...ours, invalid: ours.invalid.map(comparable) },
      theirs ? { ...theirs, invalid } : undefined,
      `zip ${i}: ${answers[i]?.err}`,
    );
    seen[theirs === undefined || theirs === null ? "unreadable" : theirs.ok ? "valid" : "invalid"]++;
  }
  assert.ok(Math.min(...Object.values(seen)) > inputCount / 50, `the zips are one-sided: ${JSON.stringify(seen)}`);
});

test("hashZip gives the hash of dirhash.HashZip", { skip: skipWithoutGo }, async () => {
  const random = seededRandom(2);
  await assertAgrees(
    Array.from({ length: inputCount }, (): Question => {
      const path = temporaryFile(makeZip(random));
      return { fn: "dirhash.hashZip", args: [path], ours: () => hashZip(path) };
    }),
  );
});

interface TestFile {
  readonly path: string;
  readonly content: string;
  readonly kind: "" | "dir" | "symlink" | "device" | "unreadable";
  readonly size?: number;
}

const goMods = ["1.23", "1.24", "1.24rc1", "1.25.1", "2.0", "1.24.1rc1", "v1.30", "99999999999999999999.1", "x"];

function makeFiles(random: Random): TestFile[] {
  return Array.from({ length: random(8) }, () => {
    const path = random(4) === 0 ? mutate(random, names, pieces) : pick(random, names);
    const content = path === "go.mod" ? `module example.com/m\n\ngo ${pick(random, goMods)}\n` : "x".repeat(random(9));
    const kind = random(8) === 0 ? pick(random, ["dir", "symlink", "device", "unreadable"] as const) : "";
    return { path, content, kind, ...(random(20) === 0 ? { size: pick(random, sizes) } : {}) };
  });
}

function moduleFile({ path, content, kind, size }: TestFile): ModuleFile {
  const info = {
    size: size ?? Buffer.byteLength(content),
    isFile: () => kind === "",
    isDirectory: () => kind === "dir",
    isSymbolicLink: () => kind === "symlink",
  };
  return {
    path,
    lstat: () => (kind === "unreadable" ? Promise.reject(new Error("no")) : info),
    open: async function* () {
      yield Buffer.from(content);
    },
  };
}

test("checkFiles reports what zip.CheckFiles reports", { skip: skipWithoutGo }, async () => {
  const random = seededRandom(3);
  await assertAgrees(
    Array.from({ length: inputCount }, (): Question => {
      const files = makeFiles(random);
      return { fn: "zip.checkFiles", args: [files], ours: () => summarize(checkFiles(files.map(moduleFile))) };
    }),
  );
});

async function hashOfCreated(files: readonly TestFile[]): Promise<string> {
  const bytes = await text((await create(module, files.map(moduleFile))).setEncoding("latin1"));
  return hashZip(temporaryFile(Buffer.from(bytes, "latin1")));
}

test("create makes a zip of the hash that zip.Create's has", { skip: skipWithoutGo }, async () => {
  const random = seededRandom(4);
  await assertAgrees(
    Array.from({ length: Math.ceil(inputCount / 5) }, (): Question => {
      const files = makeFiles(random).filter(({ size }) => size === undefined);
      return { fn: "zip.create", args: [module.path, module.version, files], ours: () => hashOfCreated(files) };
    }),
  );
});

test("strToFold has the classes of unicode.SimpleFold", { skip: skipWithoutGo }, async () => {
  const [answer] = await askXmod([{ fn: "unicode.folds", args: [] }]);
  const theirs = answer?.ok as Readonly<Record<string, readonly string[]>>;
  const least = new Map(Object.entries(theirs).flatMap(([first, others]) => others.map((other) => [other, first])));
  assert.ok(least.size > 1000);
  const differences: string[] = [];
  for (const [other, first] of least) if (strToFold(other) !== strToFold(first)) differences.push(`${first} ${other}`);
  const classes = new Map<string, string>();
  for (let code = 0x80; code <= 0x10ffff; code++) {
    const character = String.fromCodePoint(code);
    // Younger letters than Go's are refused by checkFilePath before they are folded.
    if (!isLetter(character)) continue;
    const first = least.get(character) ?? character;
    const folded = strToFold(character);
    if ((classes.get(folded) ?? first) !== first) differences.push(`${character} is with ${classes.get(folded)}`);
    classes.set(folded, first);
  }
  assert.deepEqual(differences, []);
});
