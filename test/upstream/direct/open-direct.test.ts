import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { readBody } from "../../../lambda/proxy/sources/module-source.ts";
import { UpstreamFailure } from "../../../lambda/proxy/sources/upstream.ts";
import { FolderTemporaryFiles } from "../../../lambda/runtime/folder-temporary-files.ts";
import { temporaryName } from "../../../lambda/runtime/temporary-files.ts";
import { openDirect } from "../../../lambda/upstream/direct/open-direct.ts";
import { openUpstreams } from "../../../lambda/upstream/http/open-upstreams.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { DirectSource } from "../../support/direct-source.ts";
import { ScriptedUpstream } from "../../support/scripted-upstream.ts";

// Where the page of a private module may lead. Those of strangers: led-inside.test.ts.

const threadOf = (name: string) => new URL(`../../../lambda/upstream/git/${name}.ts`, import.meta.url);

/** The list of corp.example/m, whose page has these `go-import` words, or why there is none. */
async function listed(t: TestContext, server: ScriptedUpstream, words: string, rewrite: readonly object[] = []) {
  const tmp = join(dataFolder(t), "tmp");
  mkdirSync(tmp);
  server.on("/m", { body: `<head><meta name="go-import" content="corp.example/m ${words}"></head>` });
  const rewrites = [{ from: "https://corp.example/", to: `${server.url}/` }, ...rewrite] as {
    from: string;
    to: string;
  }[];
  const config = {
    upstreams: [{ patterns: ["corp.example"], chain: "direct" }],
    private: ["corp.example"],
    allowHosts: [],
    git: { rewrite: rewrites },
  };
  const threads = { packs: threadOf("repository/pack-worker"), zips: threadOf("module/zip-thread") };
  const files = new FolderTemporaryFiles(tmp, temporaryName);
  const repositories = openDirect({ rewrites, files, threads, agent: "modfront/test" });
  const upstreams = openUpstreams(config, { now: () => performance.now(), version: "1", repositories });
  try {
    const [step] = upstreams.chainFor("corp.example/m").steps;
    const body = await step?.upstream.get("/corp.example/m/@v/list", { limit: 1_000 });
    return body && Buffer.from(await readBody(body)).toString();
  } catch (error) {
    return error instanceof UpstreamFailure ? `${error.code} ${error.message}` : String(error);
  } finally {
    await upstreams.close();
  }
}

test("a repository at an address inside is reached when a rewrite leads there, and else is not", async (t) => {
  await using server = await ScriptedUpstream.start();
  await using source = await DirectSource.start("corp.example/m");
  const to = `${source.server.url.origin}/`;
  const inside = `git https://127.0.0.1:${source.server.url.port}/repo`;
  assert.match(String(await listed(t, server, inside)), /^refused-address cannot read its repository at 127\.0\.0\.1:/);
  assert.equal(source.server.requests.length, 0);
  assert.equal(
    await listed(t, server, "git ssh://git@git.example/repo", [{ from: "ssh://git@git.example/", to }]),
    "v1.0.0\n",
  );
  assert.equal(
    await listed(t, server, "git http://git.example/repo", [{ from: "http://git.example/", to }]),
    "v1.0.0\n",
  );
});

for (const [words, expected] of [
  [
    "git ssh://git@git.example/repo",
    "at git.example: it is to be reached by ssh: git.rewrite can name an https URL for it",
  ],
  [
    "git http://git.example/repo",
    "at git.example: it is to be reached by http: git.rewrite can name an https URL for it",
  ],
  [
    "mod http://proxy.example",
    "at proxy.example: it is to be reached by http: git.rewrite can name an https URL for it",
  ],
] as const) {
  test(`a page that says ${words}`, async (t) => {
    await using server = await ScriptedUpstream.start();
    assert.equal(await listed(t, server, words), `bad-answer cannot read its repository ${expected}`);
  });
}

test("a module proxy that a page names is asked like any other, if it may be", async (t) => {
  await using server = await ScriptedUpstream.start();
  await using proxy = await ScriptedUpstream.start();
  proxy.on("/corp.example/m/@v/list", { body: "v1.2.3\n" });
  const rewrite = [{ from: "https://proxy.example/", to: `${proxy.url}/` }];
  assert.equal(await listed(t, server, "mod https://proxy.example/", rewrite), "v1.2.3\n");
  const inside = `mod https://127.0.0.1:${new URL(proxy.url).port}`;
  assert.match(String(await listed(t, server, inside)), /^refused-address /);
  assert.equal(proxy.requests.length, 1);
});
