import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { gitLimits } from "../../../../lambda/upstream/git/pack/git-limits.ts";
import { indexPack } from "../../../../lambda/upstream/git/pack/index-pack.ts";
import { packTasks } from "../../../../lambda/upstream/git/repository/pack-tasks.ts";
import { dataFolder } from "../../../support/data-folder.ts";
import { GitObjects, packOf } from "../../../support/git-objects.ts";

/** A tree whose packfile has what begins with "here" of its files. */
async function place(t: TestContext) {
  const git = new GitObjects();
  const tree = git.tree({
    "go.mod": "here: go.mod\n",
    "a/go.mod/x": "here: below a folder of that name\n",
    ...Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`b/f${i}`, `not here ${i % 10}\n`])),
    link: { mode: "120000", data: "here: a link" },
    module: { mode: "160000", id: "1".repeat(40) },
  });
  const path = join(dataFolder(t), "pack");
  writeFileSync(path, packOf([...git.stored.values()].filter(({ data }) => !data.toString().startsWith("not here"))));
  const index = await indexPack(path, { format: "sha1", limits: gitLimits });
  return { format: "sha1", limits: gitLimits, packs: [{ path, index }], tree } as const;
}

test("only files that are asked for are read, not what is in a folder of that name", async (t) => {
  const paths = ["a/go.mod", "go.mod", "none", "b", "module"];
  const contents = await packTasks.read({ ...(await place(t)), paths, limit: 100 });
  const texts = contents.map((content) => content && Buffer.from(content).toString());
  assert.deepEqual(texts, [undefined, "here: go.mod\n", undefined, undefined, undefined]);
  await assert.rejects(packTasks.read({ ...(await place(t)), paths: ["go.mod"], limit: 3 }), { code: "too-large" });
});

test("blobs that are missing are named once, and not when they are very many", async (t) => {
  const all = { ...(await place(t)), paths: ["a", "b", "link", "module"] };
  assert.equal((await packTasks.missing({ ...all, most: 10 })).blobs?.length, 10);
  assert.equal((await packTasks.missing({ ...all, most: 9 })).blobs, undefined);
  assert.deepEqual((await packTasks.missing({ ...all, paths: ["go.mod"], most: 9 })).blobs, []);
});
