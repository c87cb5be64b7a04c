import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { inspectZip } from "../../../../lambda/golang/inspect-zip.ts";
import { FolderTemporaryFiles } from "../../../../lambda/runtime/folder-temporary-files.ts";
import { whole } from "../../../../lambda/upstream/git/attributes/whole.ts";
import { DirectUpstream } from "../../../../lambda/upstream/git/module/direct-upstream.ts";
import { RefListings } from "../../../../lambda/upstream/git/module/ref-listings.ts";
import { ThreadZips } from "../../../../lambda/upstream/git/module/thread-zips.ts";
import { gitLimits } from "../../../../lambda/upstream/git/pack/git-limits.ts";
import { dataFolder } from "../../../support/data-folder.ts";
import { gitClient } from "../../../support/git-client.ts";
import { GitHttpServer } from "../../../support/git-http-server.ts";
import { GitObjects } from "../../../support/git-objects.ts";
import { temporaryFile } from "../../../support/zip-file.ts";

// What is fetched, by modfront's own git client from a server that counts.

const r = "corp.example/r";

/** A module at the root and one in a folder, a tag on a tree, and what belongs to neither module's answers alone. */
function world() {
  const git = new GitObjects("sha1");
  const files = {
    "go.mod": `module ${r}\n`,
    "a.go": "package r\n",
    "sub/go.mod": `module ${r}/sub\n`,
    "sub/b.go": "package sub\n",
  };
  const commit = git.commit(git.tree(files), { time: 1_600_000_000 });
  const refs = {
    HEAD: "ref: refs/heads/main",
    "refs/heads/main": commit,
    "refs/tags/v1.0.0": commit,
    "refs/tags/sub/v1.0.0": commit,
    "refs/tags/v1.1.0": git.tree(files),
  };
  return { git, refs };
}

function direct(t: TestContext, server: GitHttpServer) {
  const { repositories } = gitClient(t);
  const folder = dataFolder(t);
  const zips = new ThreadZips(new URL("../../../../lambda/upstream/git/module/zip-thread.ts", import.meta.url));
  t.after(() => zips.close());
  let names = 0;
  const upstream = new DirectUpstream({
    discovery: { find: async () => ({ kind: "git", url: `https://${r}`, root: r, directory: "" }) },
    openRepository: () => repositories.open(server.url),
    openProxy: () => assert.fail("no page names a proxy"),
    listings: new RefListings({ now: () => 0, freshFor: 60_000 }),
    zips,
    files: new FolderTemporaryFiles(folder, () => `zip-${names++}`),
    limits: gitLimits,
  });
  const get = async (path: string) => whole((await upstream.get(path, { limit: 1 << 20 })).chunks);
  return { get, folder };
}

const orders = [
  ["info", "mod", "zip"],
  ["zip", "mod", "info"],
] as const;

for (const order of orders) {
  test(`a version of which everything is wanted is fetched at once: ${order}`, async (t) => {
    const { git, refs } = world();
    await using server = await GitHttpServer.start(git, refs);
    const { get, folder } = direct(t, server);
    const answers = await Promise.all(order.map(async (kind) => [kind, await get(`/${r}/@v/v1.0.0.${kind}`)] as const));
    assert.deepEqual(server.asked(), ["GET", "ls-refs", "fetch"]);
    const { info, mod, zip } = Object.fromEntries(answers);
    assert.equal(JSON.parse(info?.toString() ?? "").Version, "v1.0.0");
    assert.equal(mod?.toString(), `module ${r}\n`);
    const { checked } = await inspectZip({ path: r, version: "v1.0.0" }, temporaryFile(zip ?? Buffer.alloc(0)));
    assert.deepEqual([...checked.valid].sort(), [`${r}@v1.0.0/a.go`, `${r}@v1.0.0/go.mod`]);
    assert.deepEqual(readdirSync(folder), []);
  });
}

test("of a module in a folder the trees come, and then its own files at once", async (t) => {
  const { git, refs } = world();
  await using server = await GitHttpServer.start(git, refs);
  const { get } = direct(t, server);
  await Promise.all(["info", "mod", "zip"].map((kind) => get(`/${r}/sub/@v/v1.0.0.${kind}`)));
  assert.deepEqual(server.asked(), ["GET", "ls-refs", "fetch", "fetch"]);
});

test("whoever wants no zip gets none of its files", async (t) => {
  const { git, refs } = world();
  await using server = await GitHttpServer.start(git, refs);
  const { get } = direct(t, server);
  await get(`/${r}/@v/v1.0.0.zip`);
  server.asked();
  const other = direct(t, server);
  await other.get(`/${r}/@v/v1.0.0.mod`);
  const fetches = server.requests.filter(({ lines }) => lines.includes("command=fetch"));
  const filters = fetches.map(({ lines }) => lines.find((line) => line.startsWith("filter ")));
  assert.deepEqual(filters, ["filter tree:0", "filter blob:none", undefined]);
  assert.equal(fetches[2]?.lines.filter((line) => line.startsWith("want ")).length, 1);
});

test("a zip of a tag that is on no commit is absent", async (t) => {
  const { git, refs } = world();
  await using server = await GitHttpServer.start(git, refs);
  const { get } = direct(t, server);
  await assert.rejects(get(`/${r}/@v/v1.1.0.zip`), { code: "status" });
});
