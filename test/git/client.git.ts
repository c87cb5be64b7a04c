import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gitLimits } from "../../lambda/upstream/git/pack/git-limits.ts";
import { Objects } from "../../lambda/upstream/git/pack/objects.ts";
import type { Snapshot } from "../../lambda/upstream/git/repository/snapshot.ts";
import { gitClient } from "../support/git-client.ts";
import { git, hasGit, RepositoryScript, scratch } from "../support/git-repository.ts";
import { startGitServer } from "../support/git-server.ts";

// The client against git's own http-backend: what it reads is what git itself says of the same repository.

const skip = hasGit ? false : "there is no git on this machine";

/** Thirty versions of some files that git makes deltas of, branches that are merged, and tags of every kind. */
function build(folder: string, objectFormat: string): void {
  const script = new RepositoryScript();
  const lines = (version: number, file: number) =>
    Array.from(
      { length: 300 },
      (_, i) => `line ${i} of ${file}${i % 30 === version % 30 ? ` in ${version}` : ""}\n`,
    ).join("");
  for (let version = 0; version < 30; version++) {
    const files = Object.fromEntries([0, 1, 2, 3].map((file) => [`d${file}/deep/f${file}.txt`, lines(version, file)]));
    const last = script.commit(
      { "go.mod": "module example.com/m\n", ...files, [`only/${version}`]: String(version) },
      { zone: "+0530" },
    );
    if (version % 3 === 0) script.tag(`v1.${version}.0`);
    if (version % 3 === 1) script.annotate(`v1.${version}.0`);
    if (version % 10 === 5) {
      const side = script.commit({ side: String(version) }, { on: `side/${version}`, parents: [last] });
      script.commit({ merged: String(version) }, { parents: [last, side], time: 1_600_000_000 + version });
    }
  }
  script.commit({
    link: { link: "go.mod" },
    module: { module: "1".repeat(objectFormat === "sha1" ? 40 : 64) },
    "binary.bin": new Uint8Array(3 << 20),
  });
  const outer = script.annotate("outer");
  script.annotate("outermost", outer);
  script.afterwards("tag", "on-a-tree", "main^{tree}");
  script.afterwards("tag", "on-a-blob", "main:go.mod");
  script.build(folder, objectFormat);
  git(folder, ["repack", "-adfq", "--depth=50"]);
}

/** Path, mode and id of every file, as `git ls-tree -r` has them. */
function listed(snapshot: Snapshot): string {
  const objects = new Objects(snapshot.place, gitLimits);
  const modes = { file: "100644 blob", executable: "100755 blob", symlink: "120000 blob", submodule: "160000 commit" };
  const lines = Array.from(
    objects.files(snapshot.place.tree),
    ({ path, kind, id }) => `${modes[kind]} ${id}\t${path}\n`,
  );
  for (const { kind, id } of objects.files(snapshot.place.tree)) if (kind !== "submodule") objects.blob(id, 1 << 30);
  objects.close();
  snapshot.close();
  return lines.join("");
}

for (const objectFormat of ["sha1", "sha256"]) {
  for (const options of [{ protocol: 2 }, { protocol: 2, filter: false }, { protocol: 0 }] as const) {
    test(`${objectFormat} ${JSON.stringify(options)}: all that git says of a repository`, { skip }, async (t) => {
      const folder = scratch("git-client");
      build(join(folder, "repo"), objectFormat);
      const local = (...args: string[]) => git(join(folder, "repo"), args).toString();
      const server = await startGitServer(folder, options);
      t.after(() => server.close());
      const { repositories, folder: files } = gitClient(t);
      const repository = repositories.open(new URL(`${server.url}/repo`));

      const refs = await repository.refs();
      const ids = (ref: string) =>
        local("for-each-ref", "--format=%(refname:lstrip=2) %(objectname) %(*objectname)", ref);
      assert.deepEqual([...refs.heads].map(([name, id]) => `${name} ${id} \n`).join(""), ids("refs/heads"));
      for (const [name, { id, target }] of refs.tags) {
        assert.equal(
          `${id} ${target}`,
          local("rev-parse", `refs/tags/${name}`, `refs/tags/${name}^{}`).trim().replace("\n", " "),
        );
      }
      assert.equal(refs.tags.size, local("tag").trim().split("\n").length);
      assert.deepEqual(refs.head, { branch: "main", id: local("rev-parse", "HEAD").trim() });

      for (const tag of ["v1.0.0", "v1.28.0", "v1.13.0", "outermost"]) {
        const commit = refs.tags.get(tag)?.target ?? "";
        const snapshot = await repository.snapshot(commit);
        assert.equal(
          `${snapshot.commit.time} ${snapshot.commit.parents.join(" ")}\n`,
          local("log", "-1", "--format=%ct %P", commit),
        );
        assert.equal(listed(snapshot), local("ls-tree", "-r", commit), tag);
        const mod = await repository.files(commit, ["go.mod", "d1/deep/f1.txt"], { limit: 1 << 20 });
        assert.equal(mod.get("d1/deep/f1.txt")?.toString(), local("show", `${commit}:d1/deep/f1.txt`));
      }
      await assert.rejects(repository.commit(refs.tags.get("on-a-blob")?.target ?? ""), { code: "wrong-type" });
      await assert.rejects(repository.snapshot(refs.tags.get("on-a-tree")?.target ?? ""), { code: "wrong-type" });
      await assert.rejects(
        repository.commit("0".repeat(objectFormat === "sha1" ? 39 : 63).padEnd(objectFormat === "sha1" ? 40 : 64, "1")),
        { code: "missing-object" },
      );

      const history = await repository.history(refs);
      const commits = local("rev-list", "--all").trim().split("\n");
      for (const id of commits) {
        const commit = await history.commit(id);
        assert.equal(`${commit?.time} ${commit?.parents.join(" ")}\n`, local("log", "-1", "--format=%ct %P", id));
        assert.equal(await history.resolve(id.slice(0, 10)), id);
      }
      const among = commits[commits.length >> 1] ?? "";
      assert.deepEqual(
        [...(await history.ancestorsAmong(commits, among))].sort(),
        local("rev-list", among).trim().split("\n").sort(),
      );

      // A commit that comes later is all that is fetched then.
      const before = server.requests.length;
      const next = new RepositoryScript();
      next.commit({ "d0/deep/f0.txt": "new\n" }, { on: "later", parents: [] });
      next.into(join(folder, "repo"));
      const later = await repository.refs();
      const more = await repository.history(later);
      assert.equal(await more.isReachable(local("rev-parse", "later").trim()), true);
      assert.equal(server.requests.length - before, 2);
      assert.ok(readdirSync(files).length <= 12);
    });
  }
}

test("a second version of a real server's repository is smaller, and some files are fewer", { skip }, async (t) => {
  const folder = scratch("git-client");
  build(join(folder, "repo"), "sha1");
  const server = await startGitServer(folder);
  t.after(() => server.close());
  const { repositories } = gitClient(t);
  const repository = repositories.open(new URL(`${server.url}/repo`));
  const refs = await repository.refs();
  const snapshot = async (tag: string, paths?: readonly string[]) => {
    const taken = await repository.snapshot(refs.tags.get(tag)?.target ?? "", paths === undefined ? {} : { paths });
    taken.close();
    return taken.place.packs.map(({ index }) => index.types.length);
  };
  const [first] = await snapshot("v1.27.0");
  const [second] = await snapshot("v1.28.0");
  assert.ok((first ?? 0) > 38 && (second ?? 0) < 20, `${first} objects, then ${second}`);
  // Trees of another version, and one file of it.
  const [blobs, trees] = await snapshot("v1.0.0", ["d0", "go.mod"]);
  assert.deepEqual(blobs, 1);
  assert.ok((trees ?? 0) <= 12, `${trees} trees`);
});
