import assert from "node:assert/strict";
import { openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { parseCommit } from "../../../../lambda/upstream/git/pack/commit.ts";
import { type GitLimits, gitLimits } from "../../../../lambda/upstream/git/pack/git-limits.ts";
import { indexPack } from "../../../../lambda/upstream/git/pack/index-pack.ts";
import { Objects } from "../../../../lambda/upstream/git/pack/objects.ts";
import { dataFolder } from "../../../support/data-folder.ts";
import { GitObjects, packOf } from "../../../support/git-objects.ts";

/** The objects of `git`, in so many packfiles, without those left out. */
async function opened(
  t: TestContext,
  git: GitObjects,
  {
    packs = 1,
    without = [],
    limits = {},
  }: { packs?: number; without?: readonly string[]; limits?: Partial<GitLimits> } = {},
) {
  const folder = dataFolder(t);
  const all = { ...gitLimits, ...limits };
  const stored = [...git.stored].filter(([id]) => !without.includes(id)).map(([, object]) => object);
  const places = [];
  for (let i = 0; i < packs; i++) {
    const path = join(folder, `pack-${i}`);
    writeFileSync(
      path,
      packOf(
        stored.filter((_, k) => k % packs === i),
        git.format,
      ),
    );
    places.push({ path, index: await indexPack(path, { format: git.format, limits: all }) });
  }
  const objects = new Objects({ objectFormat: git.format, packs: places }, all);
  t.after(() => objects.close());
  return { objects, path: places[0]?.path ?? "" };
}

test("the files of a tree come with path, kind, size and content", async (t) => {
  for (const format of ["sha1", "sha256"] as const) {
    const git = new GitObjects(format);
    const tree = git.tree({
      "go.mod": "module example.com/m\n",
      "a/b/c.go": "package b\n",
      "a.go": "package a\n",
      run: { mode: "100755", data: "#!/bin/sh\n" },
      // As old versions of git wrote it.
      old: { mode: "100664", data: "old\n" },
      link: { mode: "120000", data: "a.go" },
      sub: { mode: "160000", id: "1".repeat(format === "sha1" ? 40 : 64) },
      "caf\u00e9.txt": "",
    });
    const { objects } = await opened(t, git, { packs: 3 });
    const files = [...objects.files(tree)];
    assert.deepEqual(
      files.map(({ path, kind, size }) => `${path} ${kind} ${size}`),
      [
        "a.go file 10",
        "a/b/c.go file 10",
        "caf\u00e9.txt file 0",
        "go.mod file 21",
        "link symlink 4",
        "old file 4",
        "run executable 10",
        "sub submodule 0",
      ],
    );
    const id = files.find(({ path }) => path === "go.mod")?.id ?? "";
    assert.equal(objects.blob(id, 21).toString(), "module example.com/m\n");
    assert.throws(() => objects.blob(id, 20), { code: "too-large" });
    assert.throws(() => objects.blob(tree, 1000), { code: "wrong-type" });
    assert.throws(() => objects.blob("0".repeat(40), 1000), { code: "missing-object" });
    const some = [...objects.files(tree, ["a", "go.mod", "nothing/here", "run/none", "li"])];
    assert.deepEqual(
      some.map(({ path }) => path),
      ["a/b/c.go", "go.mod"],
    );
  }
});

test("large blobs come in pieces", async (t) => {
  const git = new GitObjects();
  const large = git.add("blob", Buffer.alloc(5 << 20, "0123456789abcdef"));
  const { objects } = await opened(t, git);
  const chunks: Uint8Array[] = [];
  for await (const chunk of objects.blobChunks(large)) chunks.push(chunk);
  assert.ok(chunks.length > 1);
  assert.ok(Buffer.concat(chunks).equals(git.get(large).data));
});

test("names that mean another place, and trees that are malformed, are refused", async (t) => {
  const git = new GitObjects();
  const blob = git.add("blob", "x");
  const empty = git.add("tree", "");
  const raw = (...lines: [string, string | Buffer, string][]) => git.rawTree(lines);
  const rows: readonly (readonly [string, string, string])[] = [
    ["..", raw(["100644", "..", blob]), "bad-answer"],
    [".", raw(["40000", ".", empty]), "bad-answer"],
    [".git", raw(["40000", ".git", empty]), "bad-answer"],
    [".GIT", raw(["100644", ".GiT", blob]), "bad-answer"],
    ["a slash", raw(["100644", "a/b", blob]), "bad-answer"],
    ["no name", raw(["100644", "", blob]), "bad-answer"],
    ["two of one name", raw(["100644", "a", blob], ["100644", "a.b", blob], ["40000", "a", empty]), "bad-answer"],
    ["no mode", raw(["", "a", blob]), "bad-answer"],
    ["a mode of nothing", raw(["060000", "a", blob]), "bad-answer"],
    ["a mode of letters", raw(["10064x", "a", blob]), "bad-answer"],
    ["cut off", git.add("tree", Buffer.concat([Buffer.from("100644 a\0"), Buffer.alloc(19)])), "bad-answer"],
    ["no end of a name", git.add("tree", "100644 abc"), "bad-answer"],
    ["a folder that is a blob", raw(["40000", "a", blob]), "wrong-type"],
    ["a file that is a tree", raw(["100644", "a", empty]), "wrong-type"],
    ["a folder that is not there", raw(["40000", "a", "2".repeat(40)]), "missing-object"],
    ["below", raw(["40000", "a", raw(["100644", "..", blob])]), "bad-answer"],
  ];
  const latin1 = raw(["100644", Buffer.from("a\xff", "latin1"), blob]);
  const { objects } = await opened(t, git);
  for (const [name, tree, code] of rows) assert.throws(() => [...objects.files(tree)], { code }, name);
  assert.deepEqual([...objects.files(empty)], []);
  // No rule of Go lets this character pass.
  assert.deepEqual(
    Array.from(objects.files(latin1), ({ path }) => path),
    ["a\ufffd"],
  );
});

test("a tree that is small and has no end is too large", async (t) => {
  const git = new GitObjects();
  let tree = git.add("tree", "");
  // 10 to the power of 20 folders, and not one file.
  for (let depth = 0; depth < 20; depth++) {
    const below = tree;
    tree = git.rawTree(Array.from({ length: 10 }, (_, i) => ["40000", `d${i}`, below]));
  }
  let deep = git.add("tree", "");
  for (let depth = 0; depth < 300; depth++) deep = git.rawTree([["40000", "d", deep]]);
  let long = git.rawTree([["100644", "f", git.add("blob", "x")]]);
  for (let depth = 0; depth < 20; depth++) long = git.rawTree([["40000", "d".repeat(250), long]]);
  const { objects } = await opened(t, git, { limits: { files: 10_000 } });
  for (const each of [tree, deep, long]) assert.throws(() => [...objects.files(each)], { code: "too-large" });
});

test("paths are no more together than memory is for them", async (t) => {
  const git = new GitObjects();
  const folder = git.tree(
    Object.fromEntries(Array.from({ length: 99 }, (_, i) => [String(i).padStart(100, "f"), "x"])),
  );
  const few = git.rawTree([["40000", "a", folder]]);
  const many = git.rawTree(["a", "b", "c"].map((name) => ["40000", name, folder]));
  const { objects } = await opened(t, git, { limits: { allPathBytes: 30_000 } });
  assert.equal([...objects.files(few)].length, 99);
  const message = "has paths that are too long together";
  assert.throws(() => [...objects.files(many)], { code: "too-large", message });
});

test("bytes that were changed on disk are not read as the object they were", async (t) => {
  const git = new GitObjects();
  const small = git.add("blob", "a small blob");
  const { objects, path } = await opened(t, git);
  const other = new GitObjects();
  other.add("blob", "another text");
  const changed = packOf([...other.stored.values()]);
  writeSync(openSync(path, "r+"), changed, 0, changed.length, 0);
  assert.throws(() => objects.blob(small, 100), { code: "bad-answer" });
});

test("a commit has its tree, parents and the committer's time", () => {
  const format = "sha1" as const;
  const [tree, p1, p2] = ["a".repeat(40), "b".repeat(40), "c".repeat(40)];
  const commit = (...lines: string[]) =>
    parseCommit("id", Buffer.from(`${lines.join("\n")}\n\nparent ${p1}\n`, "latin1"), format);
  const author = "author A <a> 1 +0000";
  const committer = (rest: string) => `committer C <c@corp.example> ${rest}`;
  assert.deepEqual(commit(`tree ${tree}`, `parent ${p1}`, `parent ${p2}`, author, committer("1700000000 -0730")), {
    id: "id",
    tree,
    parents: [p1, p2],
    time: 1_700_000_000,
  });
  const time = (line: string) => commit(`tree ${tree}`, author, line).time;
  // Names with angle brackets and bytes of another encoding; a time that is none, which git shows as 1970.
  assert.equal(time("committer \xe9> 7 <c> 8 +0000"), 8);
  assert.equal(time(committer("soon")), 0);
  assert.equal(time(committer("")), 0);
  assert.equal(commit(`tree ${tree}`, author, author, committer("5 +0000")).time, 5);
  const bad: readonly (readonly string[])[] = [
    [],
    [`tree ${tree}`],
    [`tree ${tree.slice(1)}`, author, committer("1 +0000")],
    [`tree ${tree.toUpperCase()}`, author, committer("1 +0000")],
    [author, committer("1 +0000"), `tree ${tree}`],
    [`tree ${tree}`, `parent ${p1}0`, author, committer("1 +0000")],
    [`tree ${tree}`, "gpgsig x", author, committer("1 +0000")],
    [`object ${tree}`, "type commit"],
  ];
  for (const lines of bad) assert.throws(() => commit(...lines), { code: "bad-answer" }, lines.join());
});
