import { hash, mod, pseudo, type Row } from "./row.ts";

/** Modules in folders of a repository. */
export const folderRows: readonly Row[] = [
  {
    rule: "a module in a folder has tags with its prefix",
    repository: (r, path) => {
      r.commit({
        "go.mod": mod(path),
        "sub/go.mod": mod(`${path}/sub`),
        "sub/a.go": "package a\n",
        "a.go": "package a\n",
      });
      r.tag("v1.0.0");
      r.tag("sub/v1.1.0");
      const b = r.commit({ "sub/b.go": "package a\n" });
      return {
        "": ["v1.0.0", "v1.1.0", "main"],
        "/sub": ["v1.0.0", "v1.1.0", "main", pseudo(b, "v1.1.0"), pseudo(b, "v1.0.0"), hash(b), "latest"],
      };
    },
  },
  {
    rule: "a module deep in folders",
    repository: (r, path) => {
      r.commit({ "a/b/c/go.mod": mod(`${path}/a/b/c`), "a/b/c/x.go": "package c\n", "a/x.go": "package a\n" });
      r.tag("a/b/c/v0.1.0");
      r.tag("a/v0.2.0");
      return { "/a/b/c": ["v0.1.0", "v0.2.0", "main"], "/a/b": ["main"], "": ["main"] };
    },
  },
  {
    rule: "a folder without a go.mod is no module",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(path), "sub/a.go": "package a\n" });
      r.tag("sub/v1.0.0");
      return { "/sub": ["v1.0.0", "main"], "/none": ["main", "v1.0.0"] };
    },
  },
  {
    rule: "a folder's v2 on a branch",
    repository: (r, path) => {
      r.commit({ "sub/go.mod": mod(`${path}/sub/v2`), "sub/a.go": "package a\n" });
      r.tag("sub/v2.0.0");
      r.tag("v2.0.0");
      const b = r.commit({ "sub/b.go": "package a\n" });
      return { "/sub/v2": ["v2.0.0", "main", pseudo(b, "v2.0.0", { major: "v2" })], "/sub": ["v2.0.0", "main"] };
    },
  },
  {
    rule: "a folder's v2 in a folder",
    repository: (r, path) => {
      r.commit({
        "sub/go.mod": mod(`${path}/sub`),
        "sub/a.go": "package a\n",
        "sub/v2/go.mod": mod(`${path}/sub/v2`),
        "sub/v2/a.go": "package a\n",
      });
      r.tag("sub/v1.0.0");
      r.tag("sub/v2.0.0");
      r.tag("sub/v2/v2.1.0");
      return { "/sub/v2": ["v2.0.0", "v2.1.0", "main"], "/sub": ["v1.0.0", "v2.0.0"] };
    },
  },
  {
    rule: "a folder's version is never incompatible",
    repository: (r, path) => {
      r.commit({ "sub/go.mod": mod(`${path}/sub`), "sub/a.go": "package a\n" });
      r.tag("sub/v2.0.0");
      return { "/sub": ["v2.0.0", "v2.0.0+incompatible", "main"] };
    },
  },
  {
    rule: "modules within a module are left out of it",
    repository: (r, path) => {
      r.commit({
        "go.mod": mod(path),
        "a.go": "package a\n",
        "sub/go.mod": mod(`${path}/sub`),
        "sub/a.go": "package a\n",
        "sub/deep/a.go": "package a\n",
        "x/GO.MOD": "module x\n",
        "x/a.go": "package x\n",
        "y/go.mod/a.go": "package y\n",
        "z/go.mod": { link: "../go.mod" },
        "z/a.go": "package z\n",
      });
      r.tag("v1.0.0");
      return { "": ["v1.0.0"], "/sub": ["main"] };
    },
  },
  {
    rule: "a tag of the root stands in the way of a folder's pseudo-version",
    repository: (r, path) => {
      r.commit({ "sub/go.mod": mod(`${path}/sub`) });
      r.tag("sub/v1.0.0");
      const b = r.commit({ "sub/b.go": "package a\n" });
      r.tag("v1.0.0");
      return { "/sub": [pseudo(b, "v1.0.0"), "main"] };
    },
  },
  {
    rule: "a folder's tags that look like pseudo-versions",
    repository: (r, path) => {
      const a = r.commit({ "sub/go.mod": mod(`${path}/sub`) });
      r.tag("sub/v0.0.0-20200101000000-abcdefabcdef");
      return { "/sub": ["main", hash(a), "v0.0.0-20200101000000-abcdefabcdef"] };
    },
  },
  {
    rule: "folders of which one begins as the other",
    repository: (r, path) => {
      r.commit({ "sub/go.mod": mod(`${path}/sub`), "subway/go.mod": mod(`${path}/subway`), "sub/a.go": "package a\n" });
      r.tag("sub/v1.0.0");
      r.tag("subway/v1.2.0");
      return { "/sub": ["v1.0.0", "v1.2.0", "main"], "/subway": ["v1.2.0", "main"] };
    },
  },
  {
    rule: "a folder with capitals, dots, dashes and underscores",
    repository: (r, path) => {
      r.commit({ "Sub-Dir_1.x/go.mod": mod(`${path}/Sub-Dir_1.x`), "Sub-Dir_1.x/A.go": "package a\n" });
      r.tag("Sub-Dir_1.x/v1.0.0");
      return { "/Sub-Dir_1.x": ["v1.0.0", "main"], "/sub-dir_1.x": ["v1.0.0"] };
    },
  },
  {
    rule: "a module that moves between folders",
    repository: (r, path) => {
      r.commit({ "sub/go.mod": mod(`${path}/sub`), "sub/a.go": "package a\n" });
      r.tag("sub/v1.0.0");
      r.commit({ "sub/go.mod": undefined, "go.mod": mod(path) });
      r.tag("sub/v1.1.0");
      r.tag("v0.1.0");
      return { "/sub": ["v1.0.0", "v1.1.0", "main"], "": ["v0.1.0", "main"] };
    },
  },
  {
    rule: "a folder that is a link, or a submodule of git",
    repository: (r, path) => {
      const a = { module: "1234567890123456789012345678901234567890" };
      r.commit({ "go.mod": mod(path), real: { link: "sub" }, sub: a, "a.go": "package a\n" });
      r.tag("v1.0.0");
      r.tag("sub/v1.0.0");
      return { "": ["v1.0.0"], "/sub": ["v1.0.0", "main"], "/real": ["main"] };
    },
  },
  {
    rule: "retractions of a folder's module",
    repository: (r, path) => {
      r.commit({ "sub/go.mod": mod(`${path}/sub`) });
      r.tag("sub/v1.0.0");
      r.commit({ "sub/go.mod": mod(`${path}/sub`, "retract v1.1.0") });
      r.tag("sub/v1.1.0");
      const c = r.commit({ "sub/c.go": "package c\n" });
      return { "/sub": ["v1.1.0", "main", hash(c), "latest"] };
    },
  },
];
