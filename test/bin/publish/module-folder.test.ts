import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { readArchive } from "../../../bin/publish/module-archive.ts";
import { zipFolder } from "../../../bin/publish/module-folder.ts";
import { CodedError } from "../../../lambda/golang/coded-error.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { askXmod, skipWithoutGo } from "../../support/xmod.ts";

const path = "corp.example/m";
const goMod = `module ${path}\n`;
const link = (target: string) => ({ link: target });
const large = (size: number) => ({ size });
const pipe = { pipe: true } as const;

type Thing = string | ReturnType<typeof link> | ReturnType<typeof large> | typeof pipe;

/** What a folder has, and what publishing says of it where x/mod makes no zip of it either. */
const rows: readonly (readonly [what: string, things: Readonly<Record<string, Thing>>, refusal?: RegExp])[] = [
  [
    "files in folders",
    { "go.mod": goMod, "a.go": "package a\n", "b/c/d.go": "package d\n", ".hidden/x": "", "b/.x": "x" },
  ],
  [
    "folders of version control systems",
    { "go.mod": goMod, ".hg/x": "", ".svn/x": "", "a/.bzr/x": "", "a/.git/x": "", "b/.git": "x" },
  ],
  ["a file of such a name", { "go.mod": goMod, ".hg": "x", "a/.svn": "x" }],
  [
    "nested modules",
    { "go.mod": goMod, "n/go.mod": "module n\n", "n/a.go": "", "n/b/c.go": "", "o/go.mod/x": "", "o/a.go": "" },
  ],
  ["a nested module by a link", { "go.mod": goMod, "n/go.mod": link("/etc/passwd"), "n/a.go": "package n\n" }],
  ["a nested module whose go.mod has another case", { "go.mod": goMod, "n/Go.Mod": "module n\n", "n/a.go": "" }],
  [
    "vendored packages before go 1.24",
    { "go.mod": goMod, "vendor/modules.txt": "", "vendor/x/x.go": "", "a/vendor/x/x.go": "", "a/vendor/y": "" },
  ],
  [
    "vendored packages since go 1.24",
    {
      "go.mod": `${goMod}go 1.24\n`,
      "vendor/modules.txt": "",
      "vendor/x/x.go": "",
      "a/vendor/x/x.go": "",
      "a/vendor/y": "",
    },
  ],
  [
    "links, inside and out",
    {
      "go.mod": goMod,
      "a.go": "package a\n",
      in: link("a.go"),
      out: link("../../../etc/passwd"),
      up: link(".."),
      gone: link("nowhere"),
    },
  ],
  ["a pipe, which nobody writes to", { "go.mod": goMod, "a.go": "package a\n", pipe }],
  ["a .hg_archival.txt", { "go.mod": goMod, ".hg_archival.txt": "x" }],
  ["names of the world", { "go.mod": goMod, "é.go": "", "日本/x": "" }],
  ["a licence of its own and one above", { "../LICENSE": "free\n", "go.mod": goMod }],
  ["a name that no Windows has", { "go.mod": goMod, "aux.go": "" }, /"aux\.go"/],
  ["a name with a newline", { "go.mod": goMod, "a\nb": "" }, /"a\\nb"/],
  ["names that differ by case", { "go.mod": goMod, "a.go": "", "A.go": "" }, /a\.go/i],
  ["a go.mod of another case", { "go.mod": goMod, "GO.MOD": "" }, /go\.mod/i],
  ["a licence that is too large", { "go.mod": goMod, LICENSE: large((16 << 20) + 1) }, /LICENSE/],
  ["more than 500 MiB", { "go.mod": goMod, a: large(300 << 20), b: large(201 << 20) }, /524288000 bytes/],
];

test("a folder is zipped by the rules of x/mod's CreateFromDir", { skip: skipWithoutGo }, async (t) => {
  for (const [what, things, refusal] of rows) {
    const folder = join(dataFolder(t), "m");
    for (const [name, thing] of Object.entries({ ...things })) make(join(folder, name), thing);
    const [theirs] = await askXmod([{ fn: "zip.createFromDir", args: [path, "v1.0.0", folder] }]);
    const ours = await zipFolder(folder, "v1.0.0", dataFolder(t))
      .then(readArchive)
      .catch((error: unknown) => error);
    if (refusal === undefined) {
      assert.ok(typeof theirs?.ok === "string" && !(ours instanceof Error), `${what}: ${theirs?.err} ${ours}`);
      assert.equal((ours as { readonly sum: string }).sum, theirs.ok, what);
    } else {
      assert.ok(theirs?.err !== undefined && ours instanceof CodedError, what);
      assert.equal(ours.code, "not-published", what);
      assert.match(ours.message, refusal, what);
    }
  }
});

function make(path: string, thing: Thing): void {
  mkdirSync(dirname(path), { recursive: true });
  if (typeof thing === "string") writeFileSync(path, thing);
  else if ("link" in thing) symlinkSync(thing.link, path);
  else if ("pipe" in thing) execFileSync("mkfifo", [path]);
  else {
    writeFileSync(path, "");
    truncateSync(path, thing.size);
  }
}

test("a folder without a module is none to publish", async (t) => {
  const goMods: readonly (readonly [Thing | undefined, RegExp, string?])[] = [
    [undefined, /there is no go\.mod/],
    [link("/etc/passwd"), /there is no go\.mod/],
    ["go 1.24\n", /names no module/],
    ["module m\n", /malformed module path "m"/, "invalid-module-path"],
    ["module ../../x\n", /malformed module path/, "invalid-module-path"],
    ["module corp.example/m/v2\n", /should be v2/, "invalid-version"],
    [large((16 << 20) + 1), /larger than/],
  ];
  for (const [goMod, said, code = "not-published"] of goMods) {
    const folder = dataFolder(t);
    if (goMod !== undefined) make(join(folder, "go.mod"), goMod);
    await assert.rejects(zipFolder(folder, "v1.0.0", dataFolder(t)), (error: unknown) => {
      assert.ok(error instanceof CodedError);
      assert.match(error.message, said);
      assert.equal(error.code, code, error.message);
      return true;
    });
  }
});
