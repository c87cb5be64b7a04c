import assert from "node:assert/strict";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import fc from "fast-check";
import { CheckedFilesError, isClean } from "../../lambda/golang/checked-files.ts";
import { hashZip } from "../../lambda/golang/dirhash.ts";
import { inspectZip } from "../../lambda/golang/inspect-zip.ts";
import { strToFold } from "../../lambda/golang/name-collisions.ts";
import { checkFiles, checkZip, create, type ModuleFile } from "../../lambda/golang/zip.ts";
import { type RawEntry, rawZip } from "../support/raw-zip.ts";
import { temporaryFile } from "../support/zip-file.ts";

const module = { path: "example.com/m", version: "v1.0.0" };
const prefix = "example.com/m@v1.0.0/";
const zipped = (entries: readonly RawEntry[]) => temporaryFile(rawZip(entries));
const mebibytes = (count: number) => count << 20;

/** Names below the prefix (a name in an array is taken as it is), and the code for each that is invalid. */
type Name = string | readonly [string | Uint8Array];
const names: readonly (readonly [string, readonly Name[], Readonly<Record<string, string>>])[] = [
  ["no files", [], {}],
  ["plain files", ["go.mod", "a.go", "b/a.go", "LICENSE"], {}],
  ["directories are ignored", ["a/", "a/", "a/b/", "a/b/c.go"], {}],
  ["the prefix alone is ignored", [""], {}],
  ["another module", [["example.com/n@v1.0.0/a.go"]], { "example.com/n@v1.0.0/a.go": "wrong-prefix" }],
  ["an absolute path", [["/etc/passwd"]], { "/etc/passwd": "wrong-prefix" }],
  ["an absolute path below the prefix", ["/a"], { "/a": "invalid-file-path" }],
  ["a way up", ["../a"], { "../a": "invalid-file-path" }],
  ["a way up in between", ["a/../b"], { "a/../b": "path-not-clean" }],
  ["a dot", ["./a"], { "./a": "path-not-clean" }],
  ["two slashes", ["a//b"], { "a//b": "path-not-clean" }],
  ["a slash alone", ["/"], { "/": "path-not-clean" }],
  ["a backslash", ["a\\b"], { "a\\b": "invalid-file-path" }],
  ["a quote", ["invalid.go'"], { "invalid.go'": "invalid-file-path" }],
  ["a device of Windows", ["aux.txt"], { "aux.txt": "invalid-file-path" }],
  ["bytes that are not UTF-8", [[Buffer.from(`${prefix}\xff`, "latin1")]], { "\ufffd": "invalid-file-path" }],
  ["a real U+FFFD is no letter", ["\ufffd"], { "\ufffd": "invalid-file-path" }],
  [
    "a surrogate in UTF-8",
    [[Buffer.from(`${prefix}\xed\xa0\x80`, "latin1")]],
    { "\ufffd\ufffd\ufffd": "invalid-file-path" },
  ],
  ["the same file twice", ["a", "a"], { a: "duplicate-file" }],
  ["a file that is a directory", ["a", "a/b"], { "a/b": "file-and-directory" }],
  ["a directory that is a file", ["a/", "a"], { a: "file-and-directory" }],
  ["names equal but for case", ["m.go", "M.GO"], { "M.GO": "name-collision" }],
  ["directories equal but for case", ["a/x", "A/y"], { "A/y": "name-collision" }],
  // The fast way for the same directory as before must not forget the parents.
  [
    "the same directory again after a collision",
    ["a/x", "A/y", "A/z"],
    { "A/y": "name-collision", "A/z": "name-collision" },
  ],
  ["the long s", ["s", "ſ"], { ſ: "name-collision" }],
  ["the sign for kelvin", ["K", "\u212a"], { "\u212a": "name-collision" }],
  ["the two small sigmas", ["σ", "ς"], { ς: "name-collision" }],
  ["the capital sharp s", ["ß", "ẞ"], { ẞ: "name-collision" }],
  ["the dotless i and the dotted I are letters of their own", ["i", "ı", "İ"], {}],
  ["go.mod in another case", ["GO.MOD"], { "GO.MOD": "go-mod-case" }],
  ["go.mod in a directory", ["sub/go.mod"], { "sub/go.mod": "go-mod-not-at-root" }],
  ["go.mod of another case in a directory", ["sub/Go.Mod"], { "sub/Go.Mod": "go-mod-not-at-root" }],
  ["a directory go.mod", ["go.mod/a.go"], {}],
  ["vendor and .hg_archival.txt are the upstream's mistake", ["vendor/a/a.go", ".hg_archival.txt"], {}],
];

for (const [what, list, wrong] of names) {
  test(`checkZip: ${what}`, async () => {
    const entries = list.map((name) => ({ name: typeof name === "string" ? prefix + name : (name[0] ?? "") }));
    const found: Record<string, string> = {};
    try {
      const { invalid, omitted, sizeError } = await checkZip(module, zipped(entries));
      assert.deepEqual([invalid, omitted, sizeError], [[], [], undefined]);
    } catch (error) {
      assert.ok(error instanceof CheckedFilesError);
      assert.equal(error.code, "invalid-files");
      for (const { path, code } of error.checked.invalid) found[path.replace(prefix, "")] = code;
    }
    assert.deepEqual(found, wrong);
  });
}

const sizes: readonly (readonly [string, readonly (readonly [string, number])[], string | undefined])[] = [
  [
    "500 MiB",
    [
      ["a", mebibytes(250)],
      ["b", mebibytes(250)],
    ],
    undefined,
  ],
  [
    "more than 500 MiB",
    [
      ["a", mebibytes(250)],
      ["b", mebibytes(250) + 1],
    ],
    "zip-too-large",
  ],
  ["more than any file has", [["a", 0xffffffff]], "zip-too-large"],
  ["a go.mod of 16 MiB", [["go.mod", mebibytes(16)]], undefined],
  ["a larger go.mod", [["go.mod", mebibytes(16) + 1]], "go-mod-too-large"],
  ["a LICENSE of 16 MiB", [["LICENSE", mebibytes(16)]], undefined],
  ["a larger LICENSE", [["LICENSE", mebibytes(16) + 1]], "license-too-large"],
  ["a larger LICENSE elsewhere", [["a/LICENSE", mebibytes(16) + 1]], undefined],
];

/** The code that a size is refused with, by checkZip and checkFiles alike. */
async function codeOf(checking: Promise<unknown>): Promise<string | undefined> {
  try {
    await checking;
    return undefined;
  } catch (error) {
    assert.ok(error instanceof CheckedFilesError);
    return error.checked.invalid[0]?.code ?? error.code;
  }
}

for (const [what, list, code] of sizes) {
  test(`sizes: ${what}`, async () => {
    const entries = list.map(([name, uncompressedSize]) => ({ name: prefix + name, uncompressedSize, crc32: 0 }));
    assert.equal(await codeOf(checkZip(module, zipped(entries))), code);
    assert.equal(await codeOf(checkFiles(list.map(([path, size]) => file(path, "", { size })))), code);
  });
}

const modules = [
  ["invalid-module-path", { path: "cache", version: "v1.0.0" }],
  ["invalid-module-path", { path: "\ufffd", version: "v1.0.0" }],
  ["invalid-version", { path: "example.com/m", version: "v2.0.0" }],
  ["version-not-canonical", { path: "example.com/m", version: "v1.0.0+bad" }],
  ["version-not-canonical", { path: "example.com/m", version: "master" }],
] as const;

for (const [code, wrong] of modules) {
  test(`no zip of ${wrong.path}@${wrong.version}: ${code}`, async () => {
    await assert.rejects(checkZip(wrong, zipped([])), { code });
    await assert.rejects(create(wrong, []), { code });
  });
}

test("the message names the first files and counts the others", async () => {
  const entries = Array.from({ length: 9 }, (_, i) => ({ name: `${i}\n` }));
  await assert.rejects(checkZip(module, zipped(entries)), (error: Error) => {
    const lines = error.message.split("\n");
    assert.deepEqual([lines.length, lines[0], lines[5]], [6, `"0\\n": not under ${prefix}`, "and 4 more"]);
    return true;
  });
});

test("a name of ten thousand directories costs what its length costs", async () => {
  const deep = `${"d/".repeat(30_000)}a`;
  const entries = Array.from({ length: 15 }, (_, i) => ({ name: `${prefix}${deep}${i}` }));
  assert.equal((await checkZip(module, zipped(entries))).valid.length, 15);
});

test("more names than fit in memory are refused", async () => {
  const entries = Array.from({ length: 20 }, (_, i) => ({ name: `${prefix}${i}/${"d/".repeat(32_000)}a` }));
  await assert.rejects(checkZip(module, zipped(entries)), { code: "zip-too-many-files" });
});

test("inspectZip checks, hashes and takes out the root go.mod", async () => {
  const goMod = `module example.com/m\n\n// ${"long ".repeat(500_000)}\n`;
  const entries = [
    { name: `${prefix}a/b.go`, content: "package b\n", method: 8 },
    { name: `${prefix}go.mod`, content: goMod, method: 8 },
  ];
  const path = zipped(entries);
  const { hash, goMod: found, checked } = await inspectZip(module, path);
  assert.equal(hash, await hashZip(path));
  assert.equal(Buffer.from(found ?? []).toString(), goMod);
  assert.deepEqual(
    checked.valid,
    entries.map(({ name }) => name),
  );
  assert.equal((await inspectZip(module, zipped([{ name: `${prefix}a` }]))).goMod, undefined);
  assert.deepEqual((await inspectZip(module, zipped([{ name: `${prefix}go.mod` }]))).goMod, new Uint8Array());
  await assert.rejects(inspectZip(module, zipped([{ name: "a" }])), { code: "invalid-files" });
  await assert.rejects(inspectZip(module, zipped([{ name: `${prefix}a`, content: "a", crc32: 1 }])), {
    code: "zip-corrupt",
  });
});

function file(path: string, content = "", { size = Buffer.byteLength(content), kind = "file" } = {}): ModuleFile {
  const info = {
    size,
    isFile: () => kind === "file",
    isDirectory: () => kind === "directory",
    isSymbolicLink: () => kind === "link",
  };
  return {
    path,
    lstat: () => {
      if (kind === "unreadable") throw new Error("no");
      return info;
    },
    open: async function* () {
      yield Buffer.from(content);
    },
  };
}

const go = (version: string) => file("go.mod", `module example.com/m\n\ngo ${version}\n`);

/** Files and what is said of each, in order; "" is valid. */
const lists: readonly (readonly [string, readonly (readonly [ModuleFile, string])[]])[] = [
  [
    "various",
    [
      [file("valid.go"), ""],
      [file("not/../clean"), "path-not-clean"],
      [file("/rooted"), "path-not-relative"],
      [file("GO.MOD"), "go-mod-case"],
      [file("invalid.go'"), "invalid-file-path"],
      [file("vendor/x/y"), "vendored"],
      // Part of every module made before go 1.24, and so of its hash.
      [file("vendor/modules.txt"), ""],
      [file("sub/go.mod"), "in-other-module"],
      [file("sub/x/y.go'"), "in-other-module"],
      [file("cap/GO.MOD"), "in-other-module"],
      [file("cap/x.go"), "in-other-module"],
      [file("subx/a.go"), ""],
      [file(".hg_archival.txt"), "hg-archival"],
      [file("sub2/.hg_archival.txt"), ""],
      [file("pkg/vendor/vendor.go"), "vendored"],
      [file("link", "", { kind: "link" }), "symlink"],
      [file("dir", "", { kind: "directory" }), "not-regular"],
      [file("dir/a"), ""],
      [file("secret", "", { kind: "unreadable" }), "unreadable"],
      [file("Valid.go"), "name-collision"],
    ],
  ],
  [
    "go 1.23",
    [
      [go("1.23"), ""],
      [file("vendor/modules.txt"), ""],
      [file("pkg/vendor/vendor.go"), "vendored"],
    ],
  ],
  [
    "go 1.24",
    [
      [go("1.24"), ""],
      [file("vendor/modules.txt"), "vendored"],
      [file("pkg/vendor/vendor.go"), ""],
    ],
  ],
  [
    "go 1.24 nested",
    [
      [go("1.24"), ""],
      [file("pkg/vendor/a/a.go"), "vendored"],
      [file("vendor/a/a.go"), "vendored"],
    ],
  ],
  [
    "go 2.0",
    [
      [go("2.0"), ""],
      [file("vendor/modules.txt"), "vendored"],
    ],
  ],
  [
    "a release candidate",
    [
      [go("1.24rc1"), ""],
      [file("vendor/modules.txt"), "vendored"],
    ],
  ],
  // No version to Go, so an old one.
  [
    "a candidate of a patch",
    [
      [go("1.24.1rc1"), ""],
      [file("vendor/modules.txt"), ""],
    ],
  ],
  [
    "a broken go.mod",
    [
      [file("go.mod", 'module "'), ""],
      [file("vendor/modules.txt"), ""],
    ],
  ],
  [
    "a go.mod that is a link",
    [
      [file("a/go.mod", "", { kind: "link" }), "symlink"],
      [file("a/b.go"), ""],
    ],
  ],
];

for (const [what, rows] of lists) {
  test(`checkFiles: ${what}`, async () => {
    const checking = checkFiles(rows.map(([given]) => given));
    const checked = await checking.catch((error) => error.checked);
    const found = new Map<string, string>(checked.valid.map((path: string) => [path, ""]));
    for (const { path, code } of [...checked.omitted, ...checked.invalid]) found.set(path, code);
    assert.deepEqual([...found].sort(), rows.map(([{ path }, code]) => [path, code]).sort());
  });
}

test("checkFiles keeps the first fault of a path", async () => {
  await assert.rejects(checkFiles([file("a"), file("a"), file("a")]), ({ checked }: CheckedFilesError) => {
    assert.deepEqual([checked.valid, checked.invalid.map(({ code }) => code)], [["a"], ["duplicate-file"]]);
    return true;
  });
});

/** Lists of x/mod's testdata/create, with the hashes that stand there. */
const created: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
  ["h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", []],
  ["h1:Mun5l9cBlDnnV6JasTpio2aZJSbFj++h+814mnKC/OM=", [["go.mod/a.go", "package a\n"]]],
  [
    "h1:xctQQey8/y7IcBjFZDP/onWLSXhlqcsC3i1fgSdpMHk=",
    [
      ["a.go", "package a\n"],
      ["b/GO.MOD", "MODULE EXAMPLE.COM/M/B\n"],
      ["b/b.go", "package b\n"],
    ],
  ],
];

for (const [hash, list] of created) {
  test(`create: ${list.length} files give x/mod's ${hash}`, async () => {
    const bytes = await buffer(
      await create(
        module,
        list.map(([path, content]) => file(path, content)),
      ),
    );
    assert.equal(await hashZip(temporaryFile(bytes)), hash);
  });
}

test("create: any files come out as they went in, in their order, to the same bytes each time", async () => {
  const path = fc.array(fc.constantFrom("a", "b", "é", "c.go", "vendor", "ß"), { minLength: 1, maxLength: 4 });
  const paths = fc.uniqueArray(
    path.map((elements) => `${elements.join("/")}.x`),
    { maxLength: 8 },
  );
  await fc.assert(
    fc.asyncProperty(paths, fc.string({ maxLength: 2000 }), async (list, content) => {
      const files = list.map((name) => file(name, content + name));
      const { valid } = await checkFiles(files);
      const bytes = await buffer(await create(module, files));
      assert.deepEqual(await buffer(await create(module, files)), bytes);
      const { checked } = await inspectZip(module, temporaryFile(bytes));
      assert.deepEqual(
        checked.valid,
        valid.map((name) => prefix + name),
      );
    }),
    { numRuns: 30 },
  );
});

test("create refuses before the first byte, and fails its stream when a file changes", async () => {
  await assert.rejects(create(module, [file("a"), file("A")]), { code: "invalid-files" });
  const grown = await create(module, [file("a", "more than", { size: 4 })]);
  await assert.rejects(buffer(grown), { code: "file-grew" });
  const gone: ModuleFile = { ...file("a"), open: () => Promise.reject(new Error("gone")) };
  await assert.rejects(buffer(await create(module, [gone])), { message: "gone" });
});

test("isClean knows Go's path.Clean", () => {
  const clean = [".", "/", "a", "a/b", "..", "../..", "../a", "/a", "...", "a/...", "a.", ".a/b"];
  const unclean = ["", "./a", "a/", "a/.", "a/..", "a/../b", "/..", "/../a", "//", "a//b", "../a/..", "//a"];
  assert.deepEqual(
    clean.filter((path) => !isClean(path)),
    [],
  );
  assert.deepEqual(unclean.filter(isClean), []);
});

test("strToFold leaves plain names alone and is the same for both cases", () => {
  assert.equal(strToFold("plain-name_1.go"), "plain-name_1.go");
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."aAkKsSzZéÉσΣжЖ") }), (text) => {
      assert.equal(strToFold(text.toUpperCase()), strToFold(text.toLowerCase().replaceAll("ς", "σ")));
    }),
  );
});
