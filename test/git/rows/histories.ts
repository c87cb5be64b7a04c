import type { RepositoryScript } from "../../support/git-repository.ts";
import { followed, hash, mod, pseudo, type Row } from "./row.ts";

/** Pseudo-versions, what commits come from, and what reaches them. */
export const historyRows: readonly Row[] = [
  {
    rule: "a pseudo-version must have the commit's time and 12 digits",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(path) });
      r.tag("v1.0.0");
      const b = r.commit({ "b.go": "package a\n" });
      const base = "v1.0.0";
      return {
        "": [
          pseudo(b, base),
          ...[pseudo(b, base, { seconds: 1 }), pseudo(b, base, { seconds: -1 }), pseudo(b, base, { digits: 11 })],
          ...[pseudo(b, base, { digits: 13 }), pseudo(b, base, { digits: 40 }), followed(pseudo(b, base), "x")],
          "v1.0.1-0.20201301000000-abcdefabcdef",
        ],
      };
    },
  },
  {
    rule: "a pseudo-version may be behind any tag before it",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(path) });
      r.tag("v1.0.0");
      r.commit({ "b.go": "package a\n" });
      r.tag("v1.1.0");
      const c = r.commit({ "c.go": "package a\n" });
      const later = r.commit({ "d.go": "package a\n" });
      r.tag("v1.2.0", later);
      return {
        "": [
          pseudo(c, "v1.0.0"),
          pseudo(c, "v1.1.0"),
          pseudo(c, "v1.2.0"),
          pseudo(c, "v1.3.0"),
          pseudo(c),
          pseudo(later, "v1.2.0"),
        ],
      };
    },
  },
  {
    rule: "a pseudo-version of v1 without a tag",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      return { "": [pseudo(a, "", { major: "v1" }), pseudo(a, "", { major: "v2" }), pseudo(a)] };
    },
  },
  {
    rule: "a tag on another branch is not before",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      r.tag("v1.0.0");
      r.commit({ "b.go": "package a\n" }, { on: "side", parents: [a] });
      const side = r.commit({ "c.go": "package a\n" }, { on: "side" });
      r.tag("v1.5.0", side);
      const c = r.commit({ "d.go": "package a\n" });
      return { "": ["main", "side", pseudo(c, "v1.5.0"), pseudo(c, "v1.0.0")] };
    },
  },
  {
    rule: "a merge has what was before either side",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      r.tag("v1.0.0");
      const side = r.commit({ "b.go": "package a\n" }, { on: "side", parents: [a] });
      r.tag("v1.4.0", side);
      const c = r.commit({ "c.go": "package a\n" });
      const merge = r.commit({}, { parents: [c, side] });
      return { "": ["main", hash(merge), pseudo(merge, "v1.4.0"), pseudo(merge, "v1.0.0"), hash(c, 10)] };
    },
  },
  {
    rule: "a criss-cross merge with two bases",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      const x = r.commit({ "x.go": "package a\n" }, { on: "x", parents: [a] });
      const y = r.commit({ "y.go": "package a\n" }, { on: "y", parents: [a] });
      r.tag("v1.0.0", x);
      r.tag("v1.1.0", y);
      const xy = r.commit({ "y.go": "package a\n" }, { on: "x", parents: [x, y] });
      const yx = r.commit({ "x.go": "package a\n" }, { on: "y", parents: [y, x] });
      const merge = r.commit({ "z.go": "package a\n" }, { parents: [xy, yx] });
      return {
        "": ["main", "x", "y", pseudo(merge, "v1.0.0"), pseudo(merge, "v1.1.0"), pseudo(xy, "v1.0.0"), hash(a)],
      };
    },
  },
  {
    rule: "an octopus",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      const heads = [1, 2, 3, 4].map((i) => r.commit({ [`${i}.go`]: "package a\n" }, { on: `b${i}`, parents: [a] }));
      r.tag("v0.3.0", heads[2]);
      r.tag("v0.2.0", heads[0]);
      r.commit({ "1.go": "package a\n" }, { parents: heads });
      return { "": ["main", "b1", "b3", "b4"] };
    },
  },
  {
    rule: "commits of the same time, and one before its parent's",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) }, { time: 1_600_000_000 });
      r.tag("v1.0.0");
      const b = r.commit({ "b.go": "package a\n" }, { time: 1_600_000_000 });
      r.tag("v1.1.0");
      const c = r.commit({ "c.go": "package a\n" }, { time: 1_500_000_000 });
      const d = r.commit({ "d.go": "package a\n" }, { time: 1_500_000_000 });
      return { "": ["main", hash(c), pseudo(d, "v1.1.0"), pseudo(d, "v1.0.0"), hash(b), hash(a)] };
    },
  },
  {
    rule: "a clock far behind the tags before it",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(path) }, { time: 1_700_000_000 });
      r.tag("v1.0.0");
      for (let i = 0; i < 20; i++) r.commit({ "b.go": `package a\n// ${i}\n` }, { time: 1_000_000_000 - i });
      r.tag("v1.1.0");
      const c = r.commit({ "c.go": "package a\n" }, { time: 900_000_000 });
      return { "": ["main", pseudo(c, "v1.0.0"), pseudo(c, "v1.1.0")] };
    },
  },
  {
    rule: "time zones are taken out",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) }, { time: 1_600_000_000, zone: "+1400" });
      const b = r.commit({ "b.go": "package a\n" }, { time: 1_600_000_001, zone: "-1130" });
      r.tag("v1.0.0");
      return { "": ["v1.0.0", hash(a), pseudo(a), pseudo(b)] };
    },
  },
  {
    rule: "the first second, and one after 2038",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) }, { time: 0 });
      const b = r.commit({ "b.go": "package a\n" }, { time: 4_000_000_000 });
      return { "": [hash(a), pseudo(a), hash(b), "main"] };
    },
  },
  {
    rule: "what only a pull request reaches",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      r.tag("v1.0.0");
      const b = r.commit({ "evil.go": "package a\n" }, { on: "pull", parents: [a] });
      const c = r.commit({ "worse.go": "package a\n" }, { on: "pull" });
      r.afterwards("update-ref", "refs/pull/1/head", c);
      r.afterwards("update-ref", "-d", "refs/heads/pull");
      return { "": [hash(b), hash(c), hash(b, 12), pseudo(b, "v1.0.0"), pseudo(c, "v1.0.0"), "pull", hash(a)] };
    },
  },
  {
    rule: "what only notes and a remote's branch reach",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      const b = r.commit({ "b.go": "package a\n" }, { on: "notes", parents: [a] });
      r.afterwards("update-ref", "refs/notes/x", b);
      r.afterwards("update-ref", "refs/remotes/origin/x", b);
      r.afterwards("update-ref", "-d", "refs/heads/notes");
      return { "": [hash(b), pseudo(b), "main"] };
    },
  },
  {
    rule: "what only a tag reaches",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      const b = r.commit({ "b.go": "package a\n" }, { on: "gone", parents: [a] });
      const c = r.commit({ "c.go": "package a\n" }, { on: "gone" });
      r.tag("some-tag", c);
      r.afterwards("update-ref", "-d", "refs/heads/gone");
      return { "": [hash(b), hash(b, 9), pseudo(b), hash(c), "some-tag", "gone"] };
    },
  },
  {
    rule: "what was on a branch before it was moved",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      const b = r.commit({ "b.go": "package a\n" });
      r.afterwards("update-ref", "refs/heads/main", a);
      return { "": [hash(b), pseudo(b), "main"] };
    },
  },
  {
    rule: "a history without a root in common",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(path) });
      r.tag("v1.0.0");
      const b = r.commit({ "go.mod": mod(path), "b.go": "package b\n" }, { on: "orphan", parents: [] });
      return { "": ["orphan", "main", pseudo(b, "v1.0.0"), pseudo(b)] };
    },
  },
  {
    rule: "an empty repository",
    repository: () => ({ "": ["main", "HEAD", "latest", "v1.0.0", "abcdef0"] }),
  },
  {
    rule: "a HEAD on a branch that is not there",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      r.afterwards("symbolic-ref", "HEAD", "refs/heads/unborn");
      return { "": ["main", "HEAD", "latest", "unborn", hash(a)] };
    },
  },
  {
    rule: "tags and no branches",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      r.commit({ "b.go": "package a\n" });
      r.tag("v1.0.0");
      r.afterwards("update-ref", "-d", "refs/heads/main");
      return { "": ["v1.0.0", "main", "HEAD", "latest", hash(a)] };
    },
  },
  {
    rule: "a detached HEAD on a branch's commit",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      r.tag("v1.0.0");
      const b = r.commit({ "b.go": "package a\n" });
      r.commit({ "c.go": "package a\n" });
      r.afterwards("update-ref", "--no-deref", "HEAD", b);
      return { "": ["HEAD", "main", "latest", hash(b), hash(a), pseudo(b, "v1.0.0")] };
    },
  },
  {
    rule: "a detached HEAD on no branch",
    repository: (r, path) => {
      const { b, c } = detached(r, path);
      return { "": ["HEAD", "main", hash(c), hash(c, 10), pseudo(c, "v1.0.0"), hash(b), pseudo(b, "v1.0.0")] };
    },
  },
  {
    rule: "a detached HEAD and no tags",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(path) });
      const b = r.commit({ "b.go": "package a\n" }, { on: "gone" });
      r.afterwards("update-ref", "--no-deref", "HEAD", b);
      return { "": ["latest", "HEAD"] };
    },
  },
  {
    rule: "HEAD on another branch than main",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      const b = r.commit({ "b.go": "package a\n" }, { on: "develop", parents: [a] });
      r.afterwards("symbolic-ref", "HEAD", "refs/heads/develop");
      return { "": ["HEAD", "latest", "main", "develop", hash(b), hash(a)] };
    },
  },
  {
    rule: "several branches on a commit: the first is named",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      const b = r.commit({ "b.go": "package a\n" }, { on: "x", parents: [a] });
      r.afterwards("update-ref", "refs/heads/b", b);
      r.afterwards("update-ref", "refs/heads/c/d", b);
      return { "": [hash(b), hash(b, 8), "b", pseudo(b)] };
    },
  },
  {
    rule: "a branch named HEAD, latest, upgrade or like a version",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      const b = r.commit({ "b.go": "package a\n" }, { on: "v1.2.3", parents: [a] });
      r.afterwards("update-ref", "refs/heads/v1.5.0", b);
      r.afterwards("update-ref", "refs/heads/v2", b);
      return { "": ["v1.2.3", "v1.5.0", pseudo(b)] };
    },
  },
  {
    rule: "a branch with letters that are escaped",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      r.commit({ "b.go": "package a\n" }, { on: "Feature-X", parents: [a] });
      r.commit({ "c.go": "package a\n" }, { on: "feature-x", parents: [a] });
      return { "": ["Feature-X", "feature-x", "FEATURE-X"] };
    },
  },
  {
    rule: "a repository whose hashes are SHA-256",
    repository: (r, path) => {
      r.objectFormat = "sha256";
      r.commit({ "go.mod": mod(path) });
      r.tag("v1.0.0");
      const b = r.commit({ "b.go": "package a\n" });
      return { "": ["v1.0.0", "main", hash(b), hash(b, 12), hash(b, 40), hash(b, 41), pseudo(b, "v1.0.0")] };
    },
  },
  {
    rule: "a commit without files",
    repository: (r) => {
      r.commit({});
      r.tag("v1.0.0");
      return { "": ["v1.0.0", "main"] };
    },
  },
  {
    rule: "a long history, and tags along it",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(path) });
      const marks = Array.from({ length: 300 }, (_, i) => {
        const mark = r.commit({ "n.go": `package n\n// ${i}\n` });
        if (i % 10 === 0) r.tag(`v0.${i / 10}.0`, mark);
        return mark;
      });
      const [first = { mark: 0, time: 0 }, last = first] = [marks[5], marks[299]];
      return {
        "": [
          "main",
          hash(first),
          hash(first, 9),
          pseudo(last, "v0.0.0"),
          pseudo(first, "v0.1.0"),
          pseudo(first, "v0.0.0"),
        ],
      };
    },
  },
];

function detached(r: RepositoryScript, path: string) {
  const a = r.commit({ "go.mod": mod(path) });
  r.tag("v1.0.0");
  const b = r.commit({ "b.go": "package a\n" }, { on: "gone", parents: [a] });
  const c = r.commit({ "c.go": "package a\n" }, { on: "gone" });
  r.afterwards("update-ref", "--no-deref", "HEAD", c);
  r.afterwards("update-ref", "-d", "refs/heads/gone");
  return { b, c };
}

/** What the highest version retracts. */
export const retractionRows: readonly Row[] = [
  {
    rule: "a retracted version is listed, and no commit goes by it",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(path) });
      r.tag("v1.0.0");
      r.commit({ "go.mod": mod(path, "retract v1.1.0") });
      r.tag("v1.1.0");
      const c = r.commit({ "c.go": "package a\n" });
      return { "": ["v1.1.0", "main", hash(c), pseudo(c, "v1.1.0"), pseudo(c, "v1.0.0"), "latest"] };
    },
  },
  {
    rule: "a commit with a retracted and another tag",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path, "retract [v1.1.0, v1.3.0]") });
      r.tag("v1.0.0");
      r.tag("v1.2.0");
      r.tag("v1.4.0", r.commit({ "b.go": "package a\n" }));
      return { "": [hash(a), "v1.2.0", "main"] };
    },
  },
  {
    rule: "everything is retracted",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path, "retract [v0.0.0, v9.9.9]") });
      r.tag("v1.0.0");
      const b = r.commit({ "b.go": "package a\n" });
      return { "": [hash(a), hash(b), "v1.0.0", "main"] };
    },
  },
  {
    rule: "the highest release says what is retracted, and no pre-release above it",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      r.tag("v1.0.0");
      r.commit({ "go.mod": mod(path, "retract v1.0.0") });
      r.tag("v1.1.0-rc.1");
      return { "": [hash(a), "v1.0.0", "main"] };
    },
  },
  {
    rule: "without a release the highest pre-release says it",
    repository: (r, path) => {
      const a = r.commit({ "go.mod": mod(path) });
      r.tag("v1.0.0-rc.1");
      r.commit({ "go.mod": mod(path, "retract v1.0.0-rc.1") });
      r.tag("v1.0.0-rc.2");
      return { "": [hash(a), "main"] };
    },
  },
  {
    rule: "a go.mod that cannot be read retracts nothing",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(path) });
      r.tag("v1.0.0");
      const b = r.commit({ "go.mod": `${mod(path)}retract (\n` });
      r.tag("v1.1.0");
      return { "": [hash(b), "v1.0.0", "v1.1.0"] };
    },
  },
  {
    rule: "a retraction on a branch only",
    repository: (r, path) => {
      r.commit({ "go.mod": mod(path) });
      r.tag("v1.0.0");
      const b = r.commit({ "go.mod": mod(path, "retract v1.0.0") });
      return { "": [hash(b), "main", "v1.0.0"] };
    },
  },
];
