import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { type TestContext, test } from "node:test";
import type { GitLimits } from "../../../../lambda/upstream/git/pack/git-limits.ts";
import type { ObjectFormat } from "../../../../lambda/upstream/git/pack/object-id.ts";
import { eventually } from "../../../support/eventually.ts";
import { filesOf, gitClient } from "../../../support/git-client.ts";
import { GitHttpServer } from "../../../support/git-http-server.ts";
import { GitObjects } from "../../../support/git-objects.ts";

/** Two versions of a module, an annotated tag, a side branch that was merged, and a pull request that was not. */
function world(format: ObjectFormat = "sha1") {
  const git = new GitObjects(format);
  const large = "a line of a file that is there in every version\n".repeat(400);
  const v1 = { "go.mod": "module example.com/m\n", "a.go": "package m\n", "sub/b.txt": large, "sub/deep/c.txt": "c" };
  const v2 = { ...v1, "a.go": "package m // 2\n", "sub/b.txt": `${large}more` };
  const first = git.commit(git.tree(v1), { time: 1_600_000_000 });
  const side = git.commit(git.tree({ ...v1, "side.txt": "side" }), { parents: [first], time: 1_600_000_100 });
  const second = git.commit(git.tree(v2), { parents: [first, side], time: 1_600_000_200 });
  const pull = git.commit(git.tree({ ...v2, "evil.go": "package evil\n" }), { parents: [second] });
  const tag = git.tag("v1.1.0", second);
  const refs = {
    HEAD: "ref: refs/heads/main",
    "refs/heads/main": second,
    "refs/heads/with/slash": side,
    "refs/pull/1/head": pull,
    "refs/tags/sub/v0.1.0": first,
    "refs/tags/v1.0.0": first,
    "refs/tags/v1.1.0": tag,
    "refs/tags/nested": git.tag("nested", tag),
    "refs/tags/tree": git.tree(v1),
  };
  return { git, refs, v1, v2, first, side, second, pull, tag };
}

for (const protocol of [2, 1, 0] as const) {
  for (const format of ["sha1", "sha256"] as const) {
    test(`protocol ${protocol}, ${format}: refs, commits, files and history`, async (t) => {
      const { git, refs, v1, v2, first, side, second, pull, tag } = world(format);
      await using server = await GitHttpServer.start(git, refs, { protocol });
      const { repositories } = gitClient(t);
      const repository = repositories.open(server.url);
      const listing = await repository.refs();
      assert.deepEqual(server.asked(), protocol === 2 ? ["GET", "ls-refs"] : ["GET"]);
      assert.equal(listing.objectFormat, format);
      assert.deepEqual(listing.head, { branch: "main", id: second });
      assert.deepEqual(
        [...listing.heads],
        [
          ["main", second],
          ["with/slash", side],
        ],
      );
      assert.deepEqual([...listing.tags.keys()], ["sub/v0.1.0", "v1.0.0", "v1.1.0", "nested", "tree"]);
      assert.deepEqual(listing.tags.get("v1.0.0"), { id: first, target: first });
      assert.deepEqual(listing.tags.get("v1.1.0"), { id: tag, target: second });
      assert.equal(listing.tags.get("nested")?.target, second);

      const commit = await repository.commit(second);
      assert.deepEqual(commit, { id: second, tree: git.tree(v2), parents: [first, side], time: 1_600_000_200 });
      assert.deepEqual(filesOf(await repository.snapshot(first)), v1);
      assert.deepEqual(filesOf(await repository.snapshot(second)), v2);
      const mod = await repository.files(first, ["go.mod", "sub", "none", "sub/deep/c.txt"], { limit: 100 });
      assert.deepEqual(
        [...mod].map(([path, data]) => [path, data.toString()]),
        [
          ["go.mod", v1["go.mod"]],
          ["sub/deep/c.txt", "c"],
        ],
      );

      const history = await repository.history(listing);
      assert.deepEqual(await history.commit(side), { id: side, parents: [first], time: 1_600_000_100 });
      assert.deepEqual(await Promise.all([first, side, second, pull].map((id) => history.isReachable(id))), [
        true,
        true,
        true,
        false,
      ]);
      assert.deepEqual(
        await Promise.all(
          [
            [first, second],
            [second, second],
            [second, first],
            [pull, second],
            [first, pull],
          ].map(async ([a = "", b = ""]) => (await history.ancestorsAmong([a], b)).has(a)),
        ),
        [true, true, false, false, false],
      );
      assert.deepEqual(
        await history.ancestorsAmong([first, side, pull, second, "nothing"], side),
        new Set([first, side]),
      );
      assert.deepEqual(
        [
          await history.resolve(side.slice(0, 7)),
          await history.resolve(pull.slice(0, 12)),
          await history.resolve(side.slice(0, 6)),
        ],
        [side, undefined, undefined],
      );
      assert.equal(await history.commit(pull), undefined);
    });
  }
}

test("a second version fetches only what is new, and what is known costs nothing", async (t) => {
  const { git, refs, v1, v2, first, second } = world();
  const sent: string[][] = [];
  await using server = await GitHttpServer.start(git, refs, {
    pack: (_, objects) => {
      sent.push(objects.map((id) => git.get(id).type).sort());
      return undefined;
    },
  });
  const { repositories } = gitClient(t);
  const repository = repositories.open(server.url);
  assert.deepEqual(filesOf(await repository.snapshot(first)), v1);
  assert.deepEqual(filesOf(await repository.snapshot(second)), v2);
  assert.deepEqual(filesOf(await repository.snapshot(second)), v2);
  assert.deepEqual((await repository.files(first, ["a.go"], { limit: 100 })).get("a.go")?.toString(), v1["a.go"]);
  assert.deepEqual(server.asked(), ["GET", "fetch", "fetch"]);
  // Of the second: itself, its root and "sub", and the two files that changed.
  assert.deepEqual(sent, [
    ["blob", "blob", "blob", "blob", "commit", "tree", "tree", "tree"],
    ["blob", "blob", "commit", "tree", "tree"],
  ]);
});

test("some files of a commit come without the others", async (t) => {
  const { git, refs, v1, first, second } = world();
  await using server = await GitHttpServer.start(git, refs);
  const { repositories } = gitClient(t);
  const repository = repositories.open(server.url);
  const goMod = await repository.files(first, ["go.mod"], { limit: 100 });
  assert.equal(goMod.get("go.mod")?.toString(), v1["go.mod"]);
  assert.deepEqual(
    server.requests.map(({ lines }) => lines.filter((line) => /^(filter|want|deepen|have)/.test(line)).length),
    [0, 3, 1],
  );
  assert.deepEqual(server.asked(), ["GET", "fetch", "fetch"]);
  // The same file of another version is here already: trees are fetched alone.
  assert.equal((await repository.files(second, ["go.mod"], { limit: 100 })).size, 1);
  assert.deepEqual(server.asked(), ["fetch"]);
  const snapshot = await repository.snapshot(second, { paths: ["sub/deep", "go.mod", "LICENSE"] });
  assert.deepEqual(server.asked(), ["fetch"]);
  assert.deepEqual(filesOf(snapshot, ["sub/deep", "go.mod", "LICENSE"]), {
    "go.mod": v1["go.mod"],
    "sub/deep/c.txt": "c",
  });
  await assert.rejects(repository.files(first, ["go.mod"], { limit: 3 }), { code: "too-large" });
});

test("64 calls at once are one request each, and ending one does not end the others", async (t) => {
  const { git, refs, v1, first } = world();
  await using server = await GitHttpServer.start(git, refs);
  const { repositories, folder } = gitClient(t);
  const repository = repositories.open(server.url);
  const abort = new AbortController();
  const calls = Array.from({ length: 64 }, () => repository.snapshot(first));
  const given = repository.snapshot(first, { signal: abort.signal });
  abort.abort(new Error("enough"));
  await assert.rejects(given, { message: "enough" });
  for (const snapshot of await Promise.all(calls)) assert.deepEqual(filesOf(snapshot), v1);
  assert.deepEqual(server.asked(), ["GET", "fetch"]);
  assert.equal(readdirSync(folder).length, 1);
  await repositories.close();
  assert.deepEqual(readdirSync(folder), []);
});

test("what is asked of a commit whose files are all on their way waits for them", async (t) => {
  const { git, refs, v1, first } = world();
  await using server = await GitHttpServer.start(git, refs);
  const { repositories } = gitClient(t);
  const repository = repositories.open(server.url);
  const [snapshot, commit, files, some] = await Promise.all([
    repository.snapshot(first),
    repository.commit(first),
    repository.files(first, ["go.mod"], { limit: 100 }),
    repository.snapshot(first, { paths: ["sub"] }),
  ]);
  assert.deepEqual(server.asked(), ["GET", "fetch"]);
  assert.deepEqual([filesOf(snapshot), commit.id, files.get("go.mod")?.toString()], [v1, first, v1["go.mod"]]);
  assert.deepEqual(Object.keys(filesOf(some, ["sub"])), ["sub/b.txt", "sub/deep/c.txt"]);
});

test("a fetch that nobody waits for any more ends, and leaves no file", async (t) => {
  const { git, refs, first } = world();
  const abort = new AbortController();
  let closed = false;
  await using server = await GitHttpServer.start(git, refs, {
    intercept: (request, response) => {
      if (request.method === "GET") return undefined;
      response.writeHead(200, { "content-type": "application/x-git-upload-pack-result" }).write("000dpackfile\n");
      response.on("close", () => {
        closed = true;
      });
      abort.abort(new Error("enough"));
      return "done";
    },
  });
  const { repositories, folder } = gitClient(t);
  await assert.rejects(repositories.open(server.url).snapshot(first, { signal: abort.signal }), { message: "enough" });
  await eventually(() => closed && readdirSync(folder).length === 0);
});

for (const limits of [{ keptBytes: 600 }, { keptPacks: 2 }, { keptObjects: 7 }])
  test(`what is kept on disk is bounded, and nothing that is read goes away: ${JSON.stringify(limits)}`, (t) =>
    fill(t, limits));

async function fill(t: TestContext, limits: Partial<GitLimits>): Promise<void> {
  const git = new GitObjects();
  const commits = Array.from({ length: 6 }, (_, i) => git.commit(git.tree({ "a.txt": `${i} ${"x".repeat(2_000)}` })));
  await using server = await GitHttpServer.start(
    git,
    Object.fromEntries(commits.map((id, i) => [`refs/heads/b${i}`, id])),
  );
  const { repositories, folder } = gitClient(t, { limits });
  const repository = repositories.open(server.url);
  const open = await repository.snapshot(commits[0] ?? "");
  for (const id of commits.slice(1)) (await repository.snapshot(id)).close();
  assert.equal(filesOf(open)["a.txt"]?.length, 2_002);
  await eventually(() => readdirSync(folder).length <= 3);
  assert.equal(filesOf(await repository.snapshot(commits[1] ?? ""))["a.txt"]?.slice(0, 2), "1 ");
}

test("a history is extended by what is new, also when branches were rewritten", async (t) => {
  const { git, refs, first, side, second } = world();
  await using server = await GitHttpServer.start(git, refs);
  const { repositories } = gitClient(t);
  const repository = repositories.open(server.url);
  await repository.history(await repository.refs());
  server.asked();
  const third = git.commit(git.tree({ "a.go": "package m\n" }), { parents: [second] });
  server.refs["refs/heads/main"] = third;
  const extended = await repository.history(await repository.refs());
  assert.deepEqual(await extended.ancestorsAmong([first], third), new Set([first]));
  assert.deepEqual(
    server.requests.at(-1)?.lines.filter((line) => /^(want|have|filter)/.test(line)),
    ["filter tree:0", `want ${third}`, `have ${second}`],
  );
  server.asked();
  await repository.history(await repository.refs());
  assert.deepEqual(server.asked(), ["ls-refs"]);
  // Only the side branch is left: what it does not reach is not reachable any more, though it is known.
  server.refs = { "refs/heads/with/slash": side };
  const rewritten = await repository.history(await repository.refs());
  assert.deepEqual(await Promise.all([first, side, second, third].map((id) => rewritten.isReachable(id))), [
    true,
    true,
    false,
    false,
  ]);
  assert.deepEqual(await rewritten.resolve(third.slice(0, 10)), undefined);
  assert.deepEqual(server.asked(), ["ls-refs"]);
});

test("an abbreviated hash of several commits is ambiguous, unless only one is reachable", async (t) => {
  const git = new GitObjects();
  const tree = git.tree({ "a.txt": "a" });
  const seen = new Map<string, number>();
  const make = (i: number) => git.commit(tree, { message: String(i) });
  let pair: readonly [string, string] | undefined;
  for (let i = 0; pair === undefined; i++) {
    const id = make(i);
    const twin = seen.get(id.slice(0, 7));
    seen.set(id.slice(0, 7), i);
    git.stored.delete(id);
    if (twin !== undefined) pair = [make(twin), make(i)];
  }
  const [one, other] = pair;
  await using server = await GitHttpServer.start(git, { "refs/heads/one": one, "refs/tags/other": other });
  const repository = gitClient(t).repositories.open(server.url);
  const both = await repository.history(await repository.refs());
  await assert.rejects(both.resolve(one.slice(0, 7)), { code: "ambiguous" });
  assert.equal(await both.resolve(other), other);
  server.refs = { "refs/heads/one": one };
  const single = await repository.history(await repository.refs());
  assert.equal(await single.resolve(one.slice(0, 7)), one);
});

test("repositories without commits, without HEAD, with a HEAD of its own", async (t) => {
  const { git, first } = world();
  for (const protocol of [2, 0] as const) {
    const rows = [
      [{}, { branch: undefined, id: undefined }],
      [{ "refs/heads/main": first }, { branch: undefined, id: undefined }],
      [{ HEAD: first }, { branch: undefined, id: first }],
      // Only version 2 shows a branch that is not born.
      [{ HEAD: "ref: refs/heads/main" }, { branch: "main", id: undefined }],
    ] as const;
    for (const [refs, head] of rows) {
      await using server = await GitHttpServer.start(git, refs as Record<string, string>, { protocol });
      const { repositories } = gitClient(t);
      const listing = await repositories.open(server.url).refs();
      assert.deepEqual(listing.head, head);
      assert.equal(listing.tags.size, 0);
      const history = await repositories.open(server.url).history(listing);
      assert.equal(
        await history.isReachable(first),
        "refs/heads/main" in refs || ("HEAD" in refs && refs.HEAD === first),
      );
    }
  }
});
