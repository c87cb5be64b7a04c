import { followed, hash, mod, pseudo, type Row } from "./row.ts";

/** Tags and what they are on. */
export const tagRows: readonly Row[] = [
  {
    rule: "tags are versions, and what follows is behind the last",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(path), "a.go": "package a\n" });
      r.tag("v1.0.0");
      const b = r.commit({ "b.go": "package a\n" });
      r.tag("v1.1.0");
      const c = r.commit({ "c.go": "package a\n" });
      return {
        "": [
          "v1.0.0",
          "v1.1.0",
          "main",
          "HEAD",
          hash(b),
          hash(c),
          hash(c, 7),
          hash(c, 6),
          hash(c, 12),
          pseudo(c, "v1.1.0"),
        ],
      };
    },
  },
  {
    rule: "no tags at all",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      const b = r.commit({ "a.go": "package a\n" });
      return { "": ["latest", "main", hash(a), hash(a, 8), pseudo(a), pseudo(b), "v1.0.0", "v0.0.0"] };
    },
  },
  {
    rule: "pre-releases, and pseudo-versions behind them",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(path) });
      r.tag("v1.0.0-alpha");
      r.tag("v1.0.0-alpha.1");
      r.tag("v1.0.0-rc.1");
      const b = r.commit({ "b.go": "package a\n" });
      return {
        "": ["v1.0.0-alpha", "v1.0.0-rc.1", "main", pseudo(b, "v1.0.0-rc.1"), pseudo(b, "v1.0.0-alpha"), "latest"],
      };
    },
  },
  {
    rule: "build metadata is no version",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      r.tag("v1.0.0+meta");
      const b = r.commit({ "b.go": "package a\n" });
      return { "": ["v1.0.0+meta", "v1.0.0", "main", hash(a), pseudo(a, "v1.0.0"), pseudo(b, "v1.0.0")] };
    },
  },
  {
    rule: "build metadata beside the version itself",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      r.tag("v1.0.0");
      r.tag("v1.0.0+meta");
      r.tag("v1.0.1+a");
      r.tag("v1.0.1+b");
      return { "": ["v1.0.0+meta", "v1.0.1+a", "v1.0.1", "main", hash(a), pseudo(a, "v1.0.0"), pseudo(a, "v1.0.1")] };
    },
  },
  {
    rule: "build metadata on a commit hides what was tagged higher before it",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(path) });
      r.tag("v1.5.0");
      const b = r.commit({ "b.go": "package a\n" });
      r.tag("v1.2.0+meta");
      return { "": ["main", hash(b), "v1.2.0+meta", "v1.2.0", pseudo(b, "v1.5.0"), pseudo(b, "v1.2.0")] };
    },
  },
  {
    rule: "several tags on a commit: the highest",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      for (const tag of ["v1.0.0", "v1.2.0", "v1.10.0", "v1.9.0", "v0.9.0", "v1.11.0-rc.1"]) r.tag(tag);
      return { "": ["main", hash(a), "v1.2.0", "v1.9.0", "v1.11.0-rc.1", pseudo(a, "v1.2.0"), pseudo(a)] };
    },
  },
  {
    rule: "tags that are no versions",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(path) });
      const names = [
        "1.0.0",
        "v1",
        "v1.2",
        "v01.0.0",
        "v1.0.0.0",
        "release",
        "V1.0.0",
        "v1.0.0-01",
        "x/v1.0.0",
        "v1.3.0-",
      ];
      for (const tag of names) r.tag(tag);
      return { "": ["main", "1.0.0", "release", "V1.0.0", "v01.0.0", "v1.0.0.0", "v1.0.0-01", "v1.3.0"] };
    },
  },
  {
    rule: "tags that look like pseudo-versions",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      r.tag("v0.0.0-20200101000000-abcdefabcdef");
      r.tag("v1.0.1-0.20200101000000-abcdefabcdef");
      return { "": ["main", "v0.0.0-20200101000000-abcdefabcdef", "v1.0.1-0.20200101000000-abcdefabcdef", hash(a)] };
    },
  },
  {
    rule: "annotated tags",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      const tag = r.annotate("v1.0.0");
      const b = r.commit({ "b.go": "package a\n" });
      return { "": ["v1.0.0", "main", hash(a), hash(tag), hash(tag, 10), pseudo(b, "v1.0.0")] };
    },
  },
  {
    rule: "a tag of a tag of a tag",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      r.annotate("v1.2.0", r.annotate("v1.1.0", r.annotate("v1.0.0", a)));
      r.commit({ "b.go": "package a\n" });
      return { "": ["v1.0.0", "v1.1.0", "v1.2.0", "main", hash(a)] };
    },
  },
  {
    rule: "a tag on a blob",
    repository: (r, path) => {
      const blob = r.blob("a blob\n");
      r.commit({ "go.mod": mod(path) });
      r.afterwards("tag", "v1.5.0", blob);
      r.afterwards("tag", "-a", "-m", "x", "v1.6.0", blob);
      r.tag("v1.0.0");
      return { "": ["v1.5.0", "v1.6.0", "v1.0.0", "main", hash(blob), hash(blob, 8)] };
    },
  },
  {
    rule: "a tag on a blob that would be incompatible",
    repository: (r) => {
      const blob = r.blob("a blob\n");
      r.commit({ "a.go": "package a\n" });
      r.tag("v1.0.0");
      r.afterwards("tag", "v2.0.0", blob);
      return { "": ["v2.0.0", "v2.0.0+incompatible", "v1.0.0"] };
    },
  },
  {
    rule: "a tag on a tree",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      r.afterwards("update-ref", "refs/tags/v1.5.0", "refs/heads/main^{tree}");
      return { "": ["v1.5.0", "main", hash(a)] };
    },
  },
  {
    rule: "a tag and a branch of the same name: the tag",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      r.commit({ "b.go": "package a\n" }, { on: "same", parents: [a] });
      r.commit({ "c.go": "package a\n" }, { on: "v1.7.0", parents: [a] });
      r.tag("same", a);
      return { "": ["same", "v1.7.0", "main"] };
    },
  },
  {
    rule: "names that look like hashes",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      r.commit({ "b.go": "package a\n" }, { on: "abcdef1", parents: [a] });
      r.tag("1234567", a);
      return { "": ["abcdef1", "1234567", "abcdef", "ABCDEF1", "abcdef12"] };
    },
  },
  {
    rule: "hashes that are none",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      const upper = (id: string) => id.toUpperCase();
      return {
        "": [
          "0000000",
          "0".repeat(40),
          "f".repeat(41),
          followed(hash(a), "0"),
          (id) => upper(id(a)),
          (id) => upper(id(a).slice(0, 12)),
        ],
      };
    },
  },
  {
    rule: "a digest of a tree and of a blob",
    repository: (r, path) => {
      const blob = r.blob("package b\n");
      r.commit({ "go.mod": mod(path), "b.go": "package b\n" });
      return { "": [hash(blob), hash(blob, 9)] };
    },
  },
  {
    rule: "tags with a comma, a plus and a percent",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(path) });
      for (const tag of ["a,b", "a+b", "a%b", "a=b", "v1.0.0"]) r.tag(tag);
      return { "": ["a,b", "a+b", "a=b", "main"] };
    },
  },
];
