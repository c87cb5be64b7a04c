import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { type CliRun, runCli } from "../../support/cli.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { git, hasGit } from "../../support/git-repository.ts";

// `modfront publish --dry-run` in work trees of git, by the real CLI.

const skip = hasGit ? false : "git is not installed";
const module = "corp.example/repo";

interface DryRun {
  readonly path: string;
  readonly version: string;
  readonly files: readonly { readonly path: string; readonly size: number }[];
  readonly size: number;
  readonly sum: string;
  readonly goModSum: string;
  readonly tag?: string;
  readonly commit?: string;
}

class WorkTree {
  readonly folder: string;

  constructor(t: TestContext, ...how: readonly string[]) {
    this.folder = dataFolder(t);
    this.git("init", "-q", "-b", "main", ...how);
  }

  git(...args: readonly string[]): string {
    const who = ["-c", "user.name=A", "-c", "user.email=a@example.com"];
    return git(this.folder, [...who, ...args])
      .toString()
      .trim();
  }

  write(files: Readonly<Record<string, string>>): this {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(this.folder, name)), { recursive: true });
      writeFileSync(join(this.folder, name), content);
    }
    return this;
  }

  commit(files: Readonly<Record<string, string>> = {}): string {
    this.write(files).git("add", "-A");
    this.git("commit", "-q", "-m", "a commit");
    return this.git("rev-parse", "HEAD");
  }

  run(directory: string, ...args: readonly string[]): Promise<CliRun> {
    return publish(join(this.folder, directory), ...args);
  }
}

function publish(folder: string, ...args: readonly string[]): Promise<CliRun> {
  // A git that asks its caller's settings must not find those of whoever runs the tests.
  return runCli(["publish", folder, ...args, "--dry-run"], { environment: { HOME: dirname(folder) } });
}

async function made(run: Promise<CliRun>): Promise<DryRun> {
  const { code, stdout, stderr } = await run;
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

async function refused(run: Promise<CliRun>, said: RegExp, expected = 1): Promise<void> {
  const { code, stdout, stderr } = await run;
  assert.equal(code, expected, stderr);
  assert.match(stderr, said);
  assert.equal(stdout, "");
}

const names = ({ files }: DryRun) => files.map(({ path }) => path).sort();
const files = { "go.mod": `module ${module}\n`, "a.go": "package repo\n", ".gitignore": "built\n" };

test("of a work tree it is what is committed that is published, by whatever name it will be tagged", {
  skip,
}, async (t) => {
  const tree = new WorkTree(t);
  const commit = tree.commit(files);
  tree.write({ "built/x.go": "package built\n" });
  const head = await made(tree.run("", "--version", "v1.0.0", "--json"));
  assert.deepEqual(names(head), [".gitignore", "a.go", "go.mod"]);
  assert.deepEqual([head.path, head.version, head.commit, head.tag], [module, "v1.0.0", commit, undefined]);
  tree.git("tag", "-a", "-m", "x", "v1.0.0");
  const tagged = await made(tree.run("", "--tag", "v1.0.0", "--json"));
  assert.deepEqual({ ...head, tag: "v1.0.0" }, tagged);
  // The tag is on what is published: that is no conflict.
  assert.deepEqual(await made(tree.run("", "--version", "v1.0.0", "--json")), head);

  const { code, stdout, stderr } = await tree.run("", "--tag", "v1.0.0");
  assert.equal(code, 0);
  const lines = [`${module} v1.0.0 ${head.sum}`, `${module} v1.0.0/go.mod ${head.goModSum}`, ""];
  assert.deepEqual(stdout.split("\n").slice(-3), lines);
  assert.match(stdout, /^ +13 {2}a\.go$/m);
  assert.match(stderr, /^corp\.example\/repo@v1\.0\.0: 3 files of 44 bytes, zipped \d+\n$/);
});

test("what is changed, added or removed and not committed is refused by name", { skip }, async (t) => {
  const tree = new WorkTree(t);
  await refused(tree.write(files).run("", "--version", "v1.0.0"), /not as it is committed.*\n\?\? \.gitignore/);
  tree.commit();
  tree.write({ "a.go": "package other\n" });
  await refused(tree.run("", "--version", "v1.0.0"), /not as it is committed[^\n]*\n M a\.go\n$/);
  tree.git("add", "a.go");
  await refused(tree.run("", "--version", "v1.0.0"), /\nM {2}a\.go\n$/);
  tree.git("checkout", "-q", "HEAD", "--", "a.go");
  rmSync(join(tree.folder, "a.go"));
  await refused(tree.run("", "--version", "v1.0.0"), /\n D a\.go\n$/);
  tree.git("checkout", "-q", "HEAD", "--", "a.go");
  tree.write({ "\u001b[2Jé\n": "", b: "", c: "", d: "", e: "", f: "" });
  await refused(tree.run("", "--version", "v1.0.0"), /\n\?\? \?\[2Jé\?\n\?\? b\n\?\? c\n\?\? d\n\?\? e\nand 1 more\n$/);
});

test("of a module below the top only what is in its zip must be clean", { skip }, async (t) => {
  const tree = new WorkTree(t);
  const sub = { "sub/go.mod": `module ${module}/sub\n`, "sub/a.go": "package sub\n", LICENSE: "free\n", "other/x": "" };
  const commit = tree.commit({ ...files, ...sub });
  tree.write({ "other/x": "changed", untracked: "" });
  const head = await made(tree.run("sub", "--version", "v1.0.0", "--json"));
  assert.deepEqual([head.path, names(head)], [`${module}/sub`, ["LICENSE", "a.go", "go.mod"]]);
  tree.git("tag", "sub/v1.0.0");
  // From the top by its whole name, from its folder by either.
  for (const [folder = "", tag = ""] of [
    ["", "sub/v1.0.0"],
    ["sub", "v1.0.0"],
    ["sub", "sub/v1.0.0"],
  ]) {
    const tagged = await made(tree.run(folder, "--tag", tag, "--json"));
    assert.deepEqual(tagged, { ...head, tag: "sub/v1.0.0", commit }, `${tag} in ${folder}`);
  }
  await refused(tree.run("other", "--tag", "sub/v1.0.0"), /is no tag of the module in other/, 2);
  for (const name of ["LICENSE", ".gitattributes", "sub/a.go", "sub/.gitattributes"]) {
    tree.write({ [name]: "# changed\n" });
    await refused(tree.run("sub", "--version", "v1.0.0"), /not as it is committed/);
    tree.git("checkout", "-q", "HEAD", "--", ...(name.endsWith("attributes") ? [] : [name]));
    if (name.endsWith("attributes")) rmSync(join(tree.folder, name));
  }
});

test("a folder that is ignored has no module that is committed", { skip }, async (t) => {
  const tree = new WorkTree(t);
  tree.commit(files);
  tree.write({ "built/go.mod": "module corp.example/built\n" });
  await refused(tree.run("built", "--version", "v1.0.0"), /: built\/go\.mod is not in HEAD: a module without one/);
});

test("a module of a repository with SHA-256 is published as well", { skip }, async (t) => {
  const tree = new WorkTree(t, "--object-format=sha256");
  const commit = tree.commit(files);
  assert.equal(commit.length, 64);
  const run = await made(tree.run("", "--version", "v1.0.0", "--json"));
  assert.deepEqual([run.commit, names(run)], [commit, [".gitignore", "a.go", "go.mod"]]);
});

test("a major version in a folder of its name, or in a go.mod at the top", { skip }, async (t) => {
  const tree = new WorkTree(t);
  tree.commit({ ...files, "v2/go.mod": `module ${module}/v2\n`, "v2/b.go": "package repo\n" });
  tree.git("tag", "v2.0.0");
  const top = await made(tree.run("", "--tag", "v2.0.0", "--json"));
  assert.deepEqual([top.path, names(top)], [`${module}/v2`, ["b.go", "go.mod"]]);
  assert.deepEqual(await made(tree.run("v2", "--tag", "v2.0.0", "--json")), top);
  assert.equal((await made(tree.run("v2", "--version", "v2.0.0", "--json"))).sum, top.sum);
  await refused(tree.run("", "--version", "v3.0.0"), /is that of corp\.example\/repo, which has no version v3\.0\.0/);
  tree.commit({ "go.mod": `module ${module}/v2\n` });
  tree.git("tag", "v2.1.0");
  await refused(tree.run("", "--tag", "v2.1.0"), /both have \.\.\.\/v2 module paths/);
});

test("what is no tag, or the tag of something else, is refused, and never an option of git", { skip }, async (t) => {
  const tree = new WorkTree(t);
  tree.commit(files);
  tree.git("tag", "v1.0.0");
  tree.commit({ "b.go": "package repo\n" });
  tree.git("branch", "v1.5.0");
  const proof = join(tree.folder, "proof");
  const rows: readonly (readonly [args: readonly string[], said: RegExp, code?: number])[] = [
    [["--tag", "v1.9.0"], /there is no tag v1\.9\.0/],
    [["--tag", "v1.5.0"], /there is no tag v1\.5\.0/],
    [["--tag", "main"], /is no version/, 2],
    [["--tag", "HEAD"], /is no version/, 2],
    [[`--tag=--upload-pack=touch ${proof}`], /is no version/, 2],
    [[`--tag=--upload-pack=touch ${proof}/v1.0.0`], /there is no tag --upload-pack/],
    [["--version=--output=x"], /is no version/, 2],
    [["--version", "v1.0.0"], /the tag v1\.0\.0 is on another commit/],
    [["--version", "v1.0.0", "--tag", "v1.0.0"], /either --version or --tag/, 2],
    [[], /either --version or --tag/, 2],
  ];
  for (const [args, said, code] of rows) await refused(tree.run("", ...args), said, code);
  await refused(publish(join(tree.folder, "nowhere"), "--version", "v1.0.0"), /is no folder/, 2);
  await refused(publish(dataFolder(t), "--tag", "v1.0.0"), /--tag is for a folder in a git repository/, 2);
  await refused(tree.run(".git", "--version", "v1.0.0"), /a folder of git's own/, 2);
  assert.ok(!existsSync(proof));
});

test("shallow clones, linked work trees and repositories without one", { skip }, async (t) => {
  const tree = new WorkTree(t);
  tree.commit(files);
  tree.commit({ "b.go": "package repo\n" });
  tree.git("tag", "-a", "-m", "x", "v1.0.0");
  const { sum } = await made(tree.run("", "--tag", "v1.0.0", "--json"));
  const folder = dataFolder(t);
  tree.git("clone", "-q", "--depth=1", "--branch=v1.0.0", `file://${tree.folder}`, join(folder, "shallow"));
  tree.git("clone", "-q", "--bare", `file://${tree.folder}`, join(folder, "bare"));
  tree.git("worktree", "add", "-q", "--detach", join(folder, "linked"), "v1.0.0");
  tree.commit({ "c.go": "package repo\n" });
  for (const name of ["shallow", "bare", "linked"]) {
    assert.equal((await made(publish(join(folder, name), "--tag", "v1.0.0", "--json"))).sum, sum, name);
  }
  for (const name of ["shallow", "linked"]) {
    assert.equal((await made(publish(join(folder, name), "--version", "v1.0.0", "--json"))).sum, sum, name);
  }
  await refused(publish(join(folder, "bare"), "--version", "v1.0.0"), /has no work tree/, 2);
});

test("a repository runs no programs of its own, and its links lead nowhere", { skip }, async (t) => {
  const tree = new WorkTree(t);
  const proof = join(tree.folder, "../", `proof-${process.pid}`);
  const program = join(tree.folder, ".git", "evil.sh");
  tree.write(files);
  symlinkSync("/etc/passwd", join(tree.folder, "passwd"));
  symlinkSync("/etc", join(tree.folder, "etc"));
  tree.commit({ ".gitattributes": "*.go export-ignore\ngo.mod -text\n" });
  tree.git("tag", "v1.0.0");
  writeFileSync(program, `#!/bin/sh\ntouch ${proof}\n`);
  chmodSync(program, 0o755);
  for (const key of ["core.fsmonitor", "core.sshCommand", "core.editor", "core.pager", "uploadpack.packObjectsHook"]) {
    tree.git("config", key, program);
  }
  mkdirSync(join(tree.folder, ".git/hooks"), { recursive: true });
  for (const hook of ["post-index-change", "pre-push", "reference-transaction"])
    symlinkSync(program, join(tree.folder, ".git/hooks", hook));
  for (const args of [
    ["--tag", "v1.0.0"],
    ["--version", "v1.0.0"],
  ]) {
    const run = await made(tree.run("", ...args, "--json"));
    assert.deepEqual(names(run), [".gitattributes", ".gitignore", "a.go", "go.mod"]);
  }
  assert.ok(!existsSync(proof));
});

test("what git would find by its environment is not what is published, and it sees no token", { skip }, async (t) => {
  const [tree, other] = [new WorkTree(t), new WorkTree(t)];
  tree.commit(files);
  other.commit({ "go.mod": "module corp.example/other\n" });
  for (const each of [tree, other]) each.git("tag", "v1.0.0");
  const folder = dataFolder(t);
  const { PATH = "" } = process.env;
  const seen = join(folder, "seen");
  writeFileSync(
    join(folder, "git"),
    `#!/bin/sh\nenv >>${seen}; echo "$*" >>${seen}\nPATH=$REAL_PATH:${PATH} exec git "$@"\n`,
  );
  chmodSync(join(folder, "git"), 0o755);
  const environment = {
    ...{ PATH: `${folder}:${PATH}`, HOME: folder, MODFRONT_TOKEN: "mf_secret.x", CI_JOB_TOKEN: "s3cret" },
    ...{
      GIT_DIR: join(other.folder, ".git"),
      GIT_WORK_TREE: other.folder,
      GIT_INDEX_FILE: join(other.folder, ".git/index"),
    },
  };
  const run = await made(runCli(["publish", tree.folder, "--tag", "v1.0.0", "--dry-run", "--json"], { environment }));
  assert.equal(run.path, module);
  assert.match(readFileSync(seen, "utf8"), /upload-pack/);
  assert.ok(!/s3cret|secret|GIT_DIR/.test(readFileSync(seen, "utf8")));
});

test("without git a folder is taken as it is, and a repository says what it takes", { skip }, async (t) => {
  const tree = new WorkTree(t);
  tree.commit(files);
  const environment = { PATH: dataFolder(t), HOME: dataFolder(t) };
  const args = ["--version", "v1.0.0", "--dry-run", "--json"];
  await refused(runCli(["publish", tree.folder, ...args], { environment }), /git cannot be run/);
  rmSync(join(tree.folder, ".git"), { recursive: true });
  tree.write({ "built/x.go": "package built\n" });
  const run = await made(runCli(["publish", tree.folder, ...args], { environment }));
  assert.deepEqual(names(run), [".gitignore", "a.go", "built/x.go", "go.mod"]);
  assert.equal(run.commit, undefined);
});
