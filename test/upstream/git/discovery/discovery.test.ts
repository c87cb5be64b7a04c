import assert from "node:assert/strict";
import { test } from "node:test";
import { allAtOnce } from "../../../../lambda/golang/steps.ts";
import { inTurns, nextTurn } from "../../../../lambda/proxy/store/in-turns.ts";
import type { Absence } from "../../../../lambda/upstream/git/discovery/absence.ts";
import { Discovery } from "../../../../lambda/upstream/git/discovery/discovery.ts";
import { goImports } from "../../../../lambda/upstream/git/discovery/go-import.ts";
import { longestTurn } from "../../../support/longest-turn.ts";

// test/git/discovery.git.ts holds the same against the go command.

const git = (url: string, root: string, directory = "") => ({ kind: "git", url, root, directory });

/** Paths that say where their repository is, or why there is none. */
const paths: readonly (readonly [string, object | RegExp])[] = [
  ["github.com/o/r", git("https://github.com/o/r", "github.com/o/r")],
  ["github.com/o/r/sub/v2", git("https://github.com/o/r", "github.com/o/r")],
  ["github.com/o", /invalid github\.com import path/],
  ["github.com/o/r~x", /invalid github\.com import path/],
  ["github.com/o/r.git", /invalid version control suffix/],
  ["github.com/o/r.hg/x", /invalid version control suffix/],
  ["bitbucket.org/o/r", git("https://bitbucket.org/o/r", "bitbucket.org/o/r")],
  ["hub.jazz.net/git/o/r", git("https://hub.jazz.net/git/o/r", "hub.jazz.net/git/o/r")],
  ["git.apache.org/r.git/sub", git("https://git.apache.org/r.git", "git.apache.org/r.git")],
  ["git.apache.org/r", /invalid git\.apache\.org import path/],
  ["git.openstack.org/o/r", git("https://git.openstack.org/o/r", "git.openstack.org/o/r")],
  ["chiselapp.com/user/u/repository/r", /kept in Fossil, and direct reads git only: name a module proxy/],
  ["corp.example/team/r.git", git("https://corp.example/team/r", "corp.example/team/r.git")],
  ["corp.example/team/r.git/sub/v2", git("https://corp.example/team/r", "corp.example/team/r.git")],
  ["corp.example/~u/r.git", git("https://corp.example/~u/r", "corp.example/~u/r.git")],
  ["corp.example/a.git/b.git", git("https://corp.example/a", "corp.example/a.git")],
  ["corp.example/r.hg", /kept in Mercurial/],
  ["corp.example/r.svn/x", /kept in Subversion/],
  ["corp.example/r.bzr", /kept in Bazaar/],
];

const noPages = { get: async () => ({ status: 404, text: "" }) };

test("hosts that are known, and paths with .git in them, ask nobody", async () => {
  for (const [path, expected] of paths) {
    const found = new Discovery(noPages).find(path);
    if (expected instanceof RegExp) await assert.rejects(found, { code: "absent", message: expected }, path);
    else assert.deepEqual(await found, expected, path);
  }
});

const meta = (content: string) => `<meta name="go-import" content="${content}">`;
const found = (prefix: string, system: string, root: string, directory = "") => ({ prefix, system, root, directory });

/** Pages, and what they say. */
const pages: readonly (readonly [string, string, readonly object[] | RegExp])[] = [
  ["three fields", meta("a.example/x git https://b.example/x"), [found("a.example/x", "git", "https://b.example/x")]],
  [
    "four fields",
    meta("a.example git https://b.example sub/dir"),
    [found("a.example", "git", "https://b.example", "sub/dir")],
  ],
  ["two or five fields", meta("a.example git") + meta("a b c d e"), []],
  [
    "fields by any space",
    meta("a.example\n\tgit  https://b.example"),
    [found("a.example", "git", "https://b.example")],
  ],
  ["a name in other letters", `<META NAME='go-import' CONTENT='a git b'/>`, [found("a", "git", "b")]],
  ["another name", `<meta name="Go-Import" content="a git b"><meta name="go-source" content="a git b">`, []],
  ["attributes without quotes", `<meta name=go-import content="a git b" x y=1>`, [found("a", "git", "b")]],
  [
    "entities",
    meta("a git https://b.example/?x&amp;y&#61;&#x31;&nope;&lt"),
    [found("a", "git", "https://b.example/?x&y=1&nope;&lt")],
  ],
  ["behind the head", `<head></head>${meta("a git b")}`, []],
  ["in the body", `<body>${meta("a git b")}`, []],
  ["a head that is empty", `<head/>${meta("a git b")}`, []],
  ["a body without a head", `<p>${meta("a git b")}<body>${meta("c git d")}`, [found("a", "git", "b")]],
  ["in a comment", `<!-- ${meta("a git b")} -->${meta("c git d")}`, [found("c", "git", "d")]],
  ["in CDATA", `<![CDATA[${meta("a git b")}]]>`, []],
  ["behind a doctype", `<!DOCTYPE html [<!ENTITY x ">">]><?php ?>${meta("a git b")}`, [found("a", "git", "b")]],
  ["a namespace", `<x:meta x:name="go-import" x:content="a git b">`, [found("a", "git", "b")]],
  ["malformed behind", `${meta("a git b")}<1>`, [found("a", "git", "b")]],
  ["malformed before", `<1>${meta("a git b")}`, /expected element name/],
  ["a tag that does not end", `<p${meta("a git b")}`, /expected/],
  ["a quote that does not end", `<p x="y>`, /unexpected EOF/],
  ["a quote with a tag in it", `<p x="<b>">`, /unescaped </],
  ["bytes that are no text", `\xff${meta("a git b")}`, /invalid UTF-8/],
  ["control characters", `\x01${meta("a git b")}`, /illegal character/],
  ["another charset", `<?xml version="1.0" encoding="latin1"?>${meta("a git b")}`, /charset/],
  [
    "a proxy comes first",
    meta("a git b") + meta("c mod https://p"),
    [found("c", "mod", "https://p"), found("a", "git", "b")],
  ],
  ["a proxy shadows its prefix", meta("a git b") + meta("a mod https://p"), [found("a", "mod", "https://p")]],
];

test("pages are read as Go's parser reads them", () => {
  for (const [what, page, expected] of pages) {
    if (expected instanceof RegExp) assert.throws(() => allAtOnce(goImports(page)), { message: expected }, what);
    else assert.deepEqual(allAtOnce(goImports(page)), expected, what);
  }
});

/** A path, pages by path, and what comes of it. */
const lookups: readonly (readonly [string, string, Readonly<Record<string, string>>, object | RegExp])[] = [
  [
    "its own page",
    "a.example/x",
    { "a.example/x": meta("a.example/x git https://b.example/x") },
    git("https://b.example/x", "a.example/x"),
  ],
  [
    "the page of its prefix agrees",
    "a.example/x/y",
    {
      "a.example/x/y": meta("a.example/x git https://b.example/x"),
      "a.example/x": meta("a.example/x git https://b.example/x"),
    },
    git("https://b.example/x", "a.example/x"),
  ],
  [
    "the page of its prefix says something else",
    "a.example/x/y",
    {
      "a.example/x/y": meta("a.example git https://evil.example"),
      "a.example": meta("a.example git https://b.example"),
    },
    /disagree about go-import/,
  ],
  ["its prefix has no page", "a.example/x", { "a.example/x": meta("a.example git https://b.example") }, /disagree/],
  [
    "a prefix that is no path",
    "a.example/x",
    { "a.example/x": meta(`${"a.example/x"}/ git https://b.example`) },
    /no go-import/,
  ],
  [
    "another prefix",
    "a.example/x",
    { "a.example/x": meta("a.example/xy git https://b.example") },
    /no go-import meta tags/,
  ],
  [
    "two that match",
    "a.example/x",
    { "a.example/x": meta("a.example/x git https://b.example") + meta("a.example git https://b.example") },
    /multiple meta tags/,
  ],
  [
    "a proxy and another",
    "a.example/x",
    { "a.example/x": meta("a.example git https://b.example") + meta("a.example/x mod https://p.example/m") },
    { kind: "proxy", url: "https://p.example/m" },
  ],
  [
    "a folder",
    "a.example/x",
    { "a.example/x": meta("a.example/x git https://b.example/x go/x") },
    git("https://b.example/x", "a.example/x", "go/x"),
  ],
  [
    "a folder above",
    "a.example/x",
    { "a.example/x": meta("a.example/x git https://b.example/x ../x") },
    /invalid subdirectory/,
  ],
  [
    "an absolute folder",
    "a.example/x",
    { "a.example/x": meta("a.example/x git https://b.example/x /x") },
    /invalid subdirectory/,
  ],
  [
    "a folder like an option",
    "a.example/x",
    { "a.example/x": meta("a.example/x git https://b.example/x --x") },
    /invalid subdirectory/,
  ],
  [
    "an ssh URL, of which the user is a part",
    "a.example/x",
    { "a.example/x": meta("a.example/x git ssh://git@b.example/x.git") },
    git("ssh://git@b.example/x.git", "a.example/x", ""),
  ],
  [
    "an ssh URL with a password",
    "a.example/x",
    { "a.example/x": meta("a.example/x git ssh://git:pw@b.example/x") },
    /invalid repo root/,
  ],
  [
    "an ssh URL with two users",
    "a.example/x",
    { "a.example/x": meta("a.example/x git ssh://git@-oProxyCommand=x@b.example/x") },
    /invalid repo root/,
  ],
  [
    "a user of https",
    "a.example/x",
    { "a.example/x": meta("a.example/x git https://me@b.example/x") },
    /invalid repo root/,
  ],
  ["a file URL", "a.example/x", { "a.example/x": meta("a.example/x git file://host/etc") }, /file scheme disallowed/],
  [
    "a host like an option",
    "a.example/x",
    { "a.example/x": meta("a.example/x git ssh://-oProxyCommand=x/y") },
    /invalid repo root/,
  ],
  [
    "credentials",
    "a.example/x",
    { "a.example/x": meta("a.example/x git https://u:p@b.example/x") },
    /invalid repo root/,
  ],
  ["no URL", "a.example/x", { "a.example/x": meta("a.example/x git b.example/x") }, /invalid repo root/],
  ["another system", "a.example/x", { "a.example/x": meta("a.example/x hg https://b.example/x") }, /kept in Mercurial/],
  [
    "an unknown system",
    "a.example/x",
    { "a.example/x": meta("a.example/x cvs https://b.example/x") },
    /unknown version control system/,
  ],
  ["no page", "a.example/x", {}, /answered 404/],
];

test("repositories are found by pages, and whoever has a page below a prefix does not speak for it", async () => {
  for (const [what, path, texts, expected] of lookups) {
    const get = async (asked: string) => ({ status: texts[asked] === undefined ? 404 : 200, text: texts[asked] ?? "" });
    const address = new Discovery({ get }).find(path);
    if (expected instanceof RegExp)
      await assert.rejects(
        address,
        { code: "absent", message: expected } satisfies Partial<Record<keyof Absence, unknown>>,
        what,
      );
    else assert.deepEqual(await address, expected, what);
  }
});

test("a page with a status counts, as long as it says something", async () => {
  const get = async () => ({ status: 500, text: meta("a.example/x git https://b.example/x") });
  assert.deepEqual(await new Discovery({ get }).find("a.example/x"), git("https://b.example/x", "a.example/x"));
});

/** As much of each as is read of a page: what a parser that looks again and again would need minutes for. */
const endless = [
  "<",
  "<a ",
  '<a b="',
  "<!--",
  "<!-- -",
  "</",
  "&",
  "]]",
  "<a b=",
  "<![CDATA[",
  "<!x",
  "<?x",
  ":",
  "<a:",
  'x"',
  "\r",
  "<a>",
  "<a b>",
  "<a b='&amp;' ",
  "<!-- -->",
  "<?x?>",
  "&amp;",
  "\xc3\xa4",
  meta("a git b"),
];

test("no page takes longer than its bytes, nor its bytes at once", async () => {
  const turn = await longestTurn(async () => {
    for (const piece of endless) {
      const page = piece.repeat(Math.floor((1 << 20) / piece.length));
      await nextTurn();
      try {
        await inTurns(goImports(page));
      } catch {
        // Malformed.
      }
    }
  });
  assert.ok(turn < 150, `${turn} ms`);
});
