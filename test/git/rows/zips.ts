import { mod, pseudo, type Row } from "./row.ts";

function one(
  rule: string,
  files: (path: string) => Readonly<Record<string, import("../../support/git-repository.ts").Content>>,
): Row {
  return {
    rule,
    repository: (r, path) => {
      r.commit({ "go.mod": mod(path), "a.go": "package a\n", ...files(path) });
      r.tag("v1.0.0");
      return { "": ["v1.0.0"] };
    },
  };
}

/** A module in sub/, with what is at the root beside it. */
function below(rule: string, files: Readonly<Record<string, import("../../support/git-repository.ts").Content>>): Row {
  return {
    rule,
    repository: (r, path) => {
      r.commit({ "sub/go.mod": mod(`${path}/sub`), "sub/a.go": "package a\n", ...files });
      r.tag("sub/v1.0.0");
      return { "/sub": ["v1.0.0"] };
    },
  };
}

const gitlink = { module: "1234567890123456789012345678901234567890" };
const vendored = {
  "vendor/modules.txt": "# x\n",
  "vendor/x.example/x/x.go": "package x\n",
  "vendor/README": "x\n",
  "sub/vendor/x.example/x/x.go": "package x\n",
  "sub/vendor/README": "x\n",
  "sub/vendor/modules.txt": "# x\n",
  "vendoring/x/x.go": "package x\n",
  "a/b/c/vendor/x.go": "package x\n",
};

/** What is in a zip, and what makes it impossible. */
export const zipRows: readonly Row[] = [
  one("folders and files of all kinds", () => ({
    "b/c/d.go": "package d\n",
    ".hidden/x": "x",
    "b/.x": "",
    "x.bin": Buffer.of(0, 1, 2, 255),
  })),
  one("links are left out", () => ({ link: { link: "a.go" }, "b/link": { link: "../.." }, "b/x.go": "package b\n" })),
  one("links that lead out of the repository, to themselves and nowhere", () => ({
    passwd: { link: "/etc/passwd" },
    up: { link: "../../.." },
    loop: { link: "loop" },
    "b/gone.go": { link: "nowhere.go" },
    "vendor/v/v.go": { link: "../../a.go" },
  })),
  one("a link with a name that a file may not have", () => ({ "a:b": { link: "a.go" } })),
  one("submodules of git are left out", () => ({
    module: gitlink,
    "b/module": gitlink,
    ".gitmodules": "[submodule]\n",
  })),
  one("a submodule of git with a name that a file may not have", () => ({ "a:b": gitlink, AUX: gitlink })),
  one("a vendor folder before go 1.24", () => vendored),
  {
    ...one("a vendor folder since go 1.24", () => vendored),
    repository: (r, path) => {
      r.commit({ "go.mod": mod(path, "go 1.24"), ...vendored });
      r.tag("v1.0.0");
      return { "": ["v1.0.0"] };
    },
  },
  {
    ...one("a vendor folder since go 1.24rc1", () => vendored),
    repository: (r, path) => {
      r.commit({ "go.mod": mod(path, "go 1.24rc1"), ...vendored });
      r.tag("v1.0.0");
      return { "": ["v1.0.0"] };
    },
  },
  {
    ...one("a vendor folder before go 1.24, with more digits", () => vendored),
    repository: (r, path) => {
      r.commit({ "go.mod": mod(path, "go 1.23.99"), ...vendored });
      r.tag("v1.0.0");
      return { "": ["v1.0.0"] };
    },
  },
  one("names with letters of the world, and spaces", () => ({
    "é.go": "package a\n",
    "日本.go": "package a\n",
    "a b.go": "package a\n",
    "x~1": "",
  })),
  one("a name with a colon", () => ({ "a:b": "x" })),
  one("a name with a backslash", () => ({ "a\\b": "x" })),
  one("a name with a star", () => ({ "a*b": "x" })),
  one("a name with a quote", () => ({ "a'b": "x" })),
  one("a name with a newline", () => ({ "a\nb": "x" })),
  one("a name that Windows keeps for itself", () => ({ "aux.go": "package a\n" })),
  one("a name that ends in a dot", () => ({ "a.": "x" })),
  one("a name with an emoji", () => ({ "😀": "x" })),
  one("a forbidden name in a vendor folder", () => ({ "vendor/x/a:b": "x" })),
  one("a forbidden name in another module", () => ({ "sub/go.mod": "module sub\n", "sub/a:b": "x" })),
  one("names that differ by case", () => ({ "A.go": "package a\n" })),
  one("folders that differ by case", () => ({ "x/a.go": "package a\n", "X/b.go": "package a\n" })),
  one("names that differ by the folding of letters", () => ({ "ſ.txt": "", "s.txt": "" })),
  one("names that differ by case, one of them a link", () => ({ "A.go": { link: "a.go" } })),
  one("a .hg_archival.txt", () => ({ ".hg_archival.txt": "x", "b/.hg_archival.txt": "x" })),
  one("a go.mod in another case in a folder", () => ({ "x/Go.Mod": "module x\n", "x/y.go": "package y\n" })),
  one("a LICENSE of its own", () => ({ LICENSE: "free\n", "sub/LICENSE": "free too\n" })),
  one("an empty LICENSE", () => ({ LICENSE: "" })),
  below("the root's LICENSE is added", { LICENSE: "free\n" }),
  below("not where the module has its own", { LICENSE: "free\n", "sub/LICENSE": "not so free\n" }),
  below("not where the module has a link", { LICENSE: "free\n", "sub/LICENSE": { link: "../LICENSE" } }),
  below("nor one of another name", { "LICENSE.txt": "free\n", license: "free\n", COPYING: "free\n" }),
  below("a LICENSE at the root that is a link", { LICENSE: { link: "COPYING" }, COPYING: "free\n" }),
  below("a LICENSE at the root that is a folder", { "LICENSE/MIT": "free\n" }),
  below("a LICENSE at the root that is a submodule", { LICENSE: gitlink }),
  below("a LICENSE in the module that is a folder", { LICENSE: "free\n", "sub/LICENSE/MIT": "free\n" }),
  below("a license in lower case beside the one that is added", { LICENSE: "free\n", "sub/license": "free\n" }),
  below("the root's LICENSE is added as it is stored", { LICENSE: "free\n", ".gitattributes": "* eol=crlf\n" }),
  {
    rule: "a LICENSE for a v2 in a folder",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(path), "v2/go.mod": mod(`${path}/v2`), LICENSE: "free\n" });
      r.tag("v2.0.0");
      return { "/v2": ["v2.0.0"] };
    },
  },
  {
    rule: "a zip of a pseudo-version has another prefix",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path), "a.go": "package a\n" });
      return { "": [pseudo(a)] };
    },
  },
  {
    rule: "a module path with capitals",
    repository: (r, path) => {
      r.commit({ "Sub/go.mod": mod(`${path}/Sub`), "Sub/A.go": "package a\n" });
      r.tag("Sub/v1.0.0-RC1");
      return { "/Sub": ["v1.0.0-RC1", "main"] };
    },
  },
  {
    rule: "files that are deltas of others",
    repository: (r, path) => {
      const text = (n: number) => Array.from({ length: 2_000 }, (_, i) => `line ${i === n ? "changed" : i}\n`).join("");
      r.commit({ "go.mod": mod(path), "a.txt": text(1), "b.txt": text(500), "c.txt": text(1_999) });
      for (let i = 0; i < 20; i++) r.commit({ "a.txt": text(i * 7) });
      r.tag("v1.0.0");
      r.afterwards("repack", "-adfq", "--depth=50");
      return { "": ["v1.0.0"] };
    },
  },
  {
    rule: "a go.mod that is too large",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(path) + `// ${"x".repeat(1_000)}\n`.repeat(17_000) });
      r.tag("v1.0.0");
      return { "": ["v1.0.0"] };
    },
  },
  {
    rule: "a LICENSE that is too large",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(path), LICENSE: "x".repeat((16 << 20) + 1) });
      r.tag("v1.0.0");
      return { "": ["v1.0.0"] };
    },
  },
  {
    rule: "a LICENSE of the most bytes",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(path), LICENSE: "x".repeat(16 << 20) });
      r.tag("v1.0.0");
      return { "": ["v1.0.0"] };
    },
  },
  {
    rule: "100,000 files",
    heavy: true,
    repository: (r, path) => {
      const files = Array.from({ length: 100_000 }, (_, i) => [
        `d${i % 300}/e${i % 7}/f${i}.go`,
        `package f\n// ${i}\n`,
      ]);
      r.commit({ "go.mod": mod(path), ...Object.fromEntries(files) });
      r.tag("v1.0.0");
      return { "": ["v1.0.0"] };
    },
  },
  {
    rule: "500 MiB in one file",
    heavy: true,
    repository: (r, path) => {
      const goMod = mod(path);
      r.commit({ "go.mod": goMod, "large.bin": Buffer.alloc((500 << 20) - goMod.length, "0123456789abcdef") });
      r.tag("v1.0.0");
      return { "": ["v1.0.0"] };
    },
  },
  {
    rule: "a byte more than 500 MiB",
    heavy: true,
    repository: (r, path) => {
      const goMod = mod(path);
      r.commit({ "go.mod": goMod, "large.bin": Buffer.alloc((500 << 20) - goMod.length + 1, "0123456789abcdef") });
      r.tag("v1.0.0");
      return { "": ["v1.0.0"] };
    },
  },
];

const texts = { "a.go": "package a\n// $Id$\n", "b.txt": "one\ntwo\r\nthree\n", "c.bin": Buffer.of(0, 10, 13, 10, 10) };

/** `.gitattributes`, which test/git/attributes.git.ts looks at closer. */
export const attributeRows: readonly Row[] = [
  one("export-ignore and export-subst are off", () => ({
    ".gitattributes": "b.txt export-ignore\n*.go export-subst\nx export-ignore\n",
    "b.txt": "$Format:%H$\n",
    "a.go": "// $Format:%H$\n",
    "x/y.go": "package y\n",
  })),
  one("eol=crlf", () => ({ ".gitattributes": "* eol=crlf\n", ...texts })),
  one("text=auto eol=crlf", () => ({ ".gitattributes": "* text=auto eol=crlf\n", ...texts })),
  one("text=auto", () => ({ ".gitattributes": "* text=auto\n", ...texts })),
  one("-text and binary", () => ({ ".gitattributes": "* eol=crlf\n*.go -text\n*.bin binary\n", ...texts })),
  one("ident", () => ({ ".gitattributes": "* ident\n", ...texts })),
  one("UTF-16", () => ({ ".gitattributes": "*.txt working-tree-encoding=UTF-16\n", ...texts })),
  one("UTF-16LE-BOM and line ends", () => ({
    ".gitattributes": "*.txt text working-tree-encoding=UTF-16LE-BOM eol=crlf\n",
    ...texts,
  })),
  one("a pointer of LFS stays", () => ({
    ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n",
    "c.bin":
      "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n",
  })),
  one("a .gitattributes that is a link", () => ({ ".gitattributes": { link: "* eol=crlf" }, ...texts })),
  one("a .gitattributes that is a folder", () => ({ ".gitattributes/x": "* eol=crlf\n", ...texts })),
  one("a mark in front of a .gitattributes", () => ({
    ".gitattributes": "\ufeff*.go eol=crlf\n*.txt eol=crlf\n",
    ...texts,
  })),
  one("folders with attributes of their own", () => ({
    ".gitattributes": "* eol=crlf\n",
    "s/.gitattributes": "* !eol\n",
    "s/x.go": "package x\n",
    "s/t/.gitattributes": "*.go eol=crlf\n",
    "s/t/x.go": "package x\n",
  })),
  one("macros", () => ({
    ".gitattributes": "[attr]dos text eol=crlf\n*.go dos\n*.txt dos -text\n",
    "s/.gitattributes": "[attr]dos -text\n*.tex dos\n",
    "s/x.tex": "x\n",
    ...texts,
  })),
  one("a go.mod whose line ends change", () => ({ ".gitattributes": "go.mod eol=crlf\n" })),
  below("attributes above the module's folder", {
    ".gitattributes": "sub/*.txt eol=crlf\nb.txt ident\n",
    "sub/b.txt": "x\n$Id$\n",
  }),
  below("attributes beside the module's folder", { "other/.gitattributes": "* eol=crlf\n", "sub/b.txt": "x\n" }),
  {
    rule: "an encoding without a name",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(path), ".gitattributes": "*.txt working-tree-encoding\n", "b.txt": "x\n" });
      r.tag("v1.0.0");
      return { "": ["v1.0.0"] };
    },
  },
];
