import { followed, hash, mod, pseudo, type Row } from "./row.ts";

/** Major versions: on branches, in folders, and without saying so. */
export const majorRows: readonly Row[] = [
  {
    rule: "v2 on a branch",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(path) });
      r.tag("v1.0.0");
      const b = r.commit({ "go.mod": mod(`${path}/v2`) }, { on: "main" });
      r.tag("v2.0.0");
      const c = r.commit({ "c.go": "package a\n" });
      return {
        "": ["v1.0.0", "v2.0.0", "v2.0.0+incompatible", "main", hash(b)],
        "/v2": ["v2.0.0", "main", hash(b), pseudo(c, "v2.0.0", { major: "v2" }), "v1.0.0", "v2.0.1", "latest"],
        "/v3": ["main", "v3.0.0", "v2.0.0"],
      };
    },
  },
  {
    rule: "v2 in a folder",
    repository: (r, path) => {
      r.commit({
        "go.mod": mod(path),
        "v2/go.mod": mod(`${path}/v2`),
        "v2/a.go": "package a\n",
        "a.go": "package a\n",
      });
      r.tag("v1.0.0");
      r.tag("v2.0.0");
      r.tag("v2/v2.1.0");
      const b = r.commit({ "v2/b.go": "package a\n" });
      return {
        "": ["v1.0.0", "v2.0.0", "main"],
        "/v2": ["v2.0.0", "v2.1.0", "main", pseudo(b, "v2.0.0", { major: "v2" })],
      };
    },
  },
  {
    rule: "v2 in a folder without a tag",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path), "v2/go.mod": mod(`${path}/v2`) });
      r.tag("v1.0.0");
      return { "/v2": ["main", pseudo(a, "", { major: "v2" }), pseudo(a), "latest", "v2.0.0"] };
    },
  },
  {
    rule: "v2 in both places",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(`${path}/v2`), "v2/go.mod": mod(`${path}/v2`) });
      r.tag("v2.0.0");
      return { "/v2": ["v2.0.0", "main"], "": ["v2.0.0", "main"] };
    },
  },
  {
    rule: "a wrong go.mod in v2",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(`${path}/v2`), "v2/go.mod": mod(path) });
      r.tag("v2.0.0");
      return { "/v2": ["v2.0.0", "main"] };
    },
  },
  {
    rule: "a go.mod in v2 that names nothing",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(`${path}/v2`), "v2/go.mod": "go 1.20\n" });
      r.tag("v2.0.0");
      return { "/v2": ["v2.0.0", "main"] };
    },
  },
  {
    rule: "v2 without a go.mod",
    repository: (r) => {
      r.commit({ "a.go": "package a\n" });
      r.tag("v2.0.0");
      return { "/v2": ["v2.0.0", "main"], "": ["v2.0.0", "v2.0.0+incompatible", "main"] };
    },
  },
  {
    rule: "incompatible versions",
    repository: (r) => {
      r.commit({ "a.go": "package a\n" });
      r.tag("v1.0.0");
      const b = r.commit({ "b.go": "package a\n" });
      r.tag("v2.0.0");
      r.tag("v2.1.0-rc.1");
      r.commit({ "c.go": "package a\n" });
      r.tag("v3.0.0");
      const d = r.commit({ "d.go": "package a\n" });
      return {
        "": [
          ...[
            "v1.0.0",
            "v1.0.0+incompatible",
            "v2.0.0",
            "v2.0.0+incompatible",
            "v3.0.0+incompatible",
            "main",
            "latest",
          ],
          ...["v2.1.0-rc.1+incompatible", hash(b), followed(pseudo(d, "v3.0.0"), "+incompatible"), pseudo(d, "v3.0.0")],
          ...[followed(pseudo(d), "+incompatible"), pseudo(d, "v1.0.0"), "v4.0.0+incompatible"],
        ],
      };
    },
  },
  {
    rule: "no incompatible versions where the highest other one has a go.mod",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(path) });
      r.tag("v1.0.0");
      r.commit({ "go.mod": undefined, "a.go": "package a\n" });
      r.tag("v2.0.0");
      return { "": ["v1.0.0", "v2.0.0", "v2.0.0+incompatible", "main", "latest"] };
    },
  },
  {
    rule: "no incompatible versions of a major whose highest has a go.mod",
    repository: (r, path) => {
      r.commit({ "a.go": "package a\n" });
      r.tag("v1.0.0");
      r.tag("v2.0.0");
      r.tag("v3.0.0");
      r.commit({ "go.mod": mod(`${path}/v2`) });
      r.tag("v2.1.0");
      return {
        "": ["v2.0.0+incompatible", "v2.1.0+incompatible", "v3.0.0+incompatible", "main"],
        "/v2": ["v2.1.0", "v2.0.0"],
      };
    },
  },
  {
    rule: "incompatible beside a folder of the major",
    repository: (r, path) => {
      r.commit({ "a.go": "package a\n", "v2/go.mod": mod(`${path}/v2`) });
      r.tag("v2.0.0");
      return { "": ["v2.0.0", "v2.0.0+incompatible", "main"], "/v2": ["v2.0.0"] };
    },
  },
  {
    rule: "a tag that says incompatible itself",
    repository: (r) => {
      const a = r.commit({ "a.go": "package a\n" });
      r.tag("v2.0.0+incompatible");
      return { "": ["v2.0.0+incompatible", "v2.0.0", "main", hash(a)] };
    },
  },
  {
    rule: "a go.mod with a later major on a version of v1",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(`${path}/v2`) });
      r.tag("v1.0.0");
      return { "": ["v1.0.0", "main"], "/v2": ["v1.0.0", "main"] };
    },
  },
  {
    rule: "a go.mod of another module",
    repository: (r) => {
      r.commit({ "go.mod": mod("other.example/x") });
      r.tag("v1.0.0");
      r.tag("v2.0.0");
      return { "": ["v1.0.0", "main", "v2.0.0"], "/v2": ["v2.0.0", "main"] };
    },
  },
  {
    rule: "a go.mod of another module of the right major",
    repository: (r) => {
      r.commit({ "go.mod": mod("other.example/x/v2") });
      r.tag("v2.0.0");
      return { "/v2": ["v2.0.0", "main"], "": ["v2.0.0"] };
    },
  },
  {
    rule: "a go.mod of gopkg.in under a plain path",
    repository: (r) => {
      r.commit({ "go.mod": mod("gopkg.in/x.v3") });
      r.tag("v1.0.0");
      return { "": ["v1.0.0", "main"], "/v3": ["main"] };
    },
  },
  {
    rule: "a go.mod of gopkg.in under a path with the same major",
    repository: (r) => {
      r.commit({ "go.mod": mod("gopkg.in/x.v3") });
      r.tag("v3.0.0");
      return { "/v3": ["v3.0.0", "main"] };
    },
  },
  {
    rule: "a go.mod with a malformed major",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(`${path}/v1`) });
      r.tag("v1.0.0");
      return { "": ["v1.0.0", "main"] };
    },
  },
  {
    rule: "a go.mod without a module",
    repository: (r) => {
      r.commit({ "go.mod": "go 1.20\n" });
      r.tag("v1.0.0");
      return { "": ["v1.0.0", "main"] };
    },
  },
  {
    rule: "an empty go.mod",
    repository: (r) => {
      r.commit({ "go.mod": "" });
      r.tag("v1.0.0");
      return { "": ["v1.0.0", "main"] };
    },
  },
  {
    rule: "a go.mod that is a link",
    repository: (r, path) => {
      r.commit({ "go.mod": { link: "real.mod" }, "real.mod": mod(path) });
      r.tag("v1.0.0");
      return { "": ["v1.0.0", "main"] };
    },
  },
  {
    rule: "a go.mod that is a link whose target reads as one",
    repository: (r, path) => {
      r.commit({ "go.mod": { link: `module ${path}` }, "a.go": "package a\n" });
      r.tag("v1.0.0");
      return { "": ["v1.0.0", "main"] };
    },
  },
  {
    rule: "a go.mod in quotes, with comments and carriage returns",
    repository: (r, path) => {
      r.commit({ "go.mod": `// a comment\r\nmodule "${path}" // deprecated\r\n\r\ngo 1.20\r\n` });
      r.tag("v1.0.0");
      return { "": ["v1.0.0", "main"] };
    },
  },
  {
    rule: "a go.mod of another case",
    repository: (r, path) => {
      r.commit({ "GO.MOD": mod(path) });
      r.tag("v1.0.0");
      return { "": ["v1.0.0", "main"] };
    },
  },
  {
    rule: "a go line that this go is too old for",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(path, "go 1.20.0") });
      r.tag("v1.0.0");
      return { "": ["v1.0.0"] };
    },
  },
];
