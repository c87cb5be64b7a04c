import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { bearerAuthorization } from "../../../lambda/upstream/credentials/credentials.ts";
import { openDirectLists } from "../../support/direct-lists.ts";
import { DirectSource } from "../../support/direct-source.ts";
import { ScriptedUpstream } from "../../support/scripted-upstream.ts";

// Who may ask for public modules may not read by them what modfront's credentials open: any page can name any repository.

/** Lists modules, one after the other, where a closed repository and a proxy are at git.example and pages name what they like. */
async function listed(t: TestContext, pages: Readonly<Record<string, string>>, asked: readonly string[]) {
  await using server = await ScriptedUpstream.start();
  await using source = await DirectSource.start("corp.example/lib");
  source.authorization = "Bearer t0ken";
  for (const [path, words] of Object.entries(pages)) {
    const at = path.slice(path.indexOf("/"));
    server.on(at, { body: `<head><meta name="go-import" content="${path} ${words}"></head>` });
  }
  server.otherwise(({ headers }) => ({ body: headers.authorization === undefined ? "" : "v9.0.0\n" }));
  const rewrites = [
    { from: "https://git.example/", to: `${source.server.url.origin}/` },
    { from: "https://git.example/repo?", to: `${server.url}/repo?` },
    { from: "https://proxy.example/", to: `${server.url}/` },
    ...["corp.example", "public.example"].map((host) => ({ from: `https://${host}/`, to: `${server.url}/` })),
  ];
  // Whoever is led there reaches it, so that only credentials can make a difference.
  await using lists = openDirectLists(
    t,
    { private: ["corp.example"], allowHosts: ["127.0.0.1"], rewrites },
    { credentials: () => ({ authorize: async () => bearerAuthorization("t0ken") }) },
  );
  const answers: string[] = [];
  for (const module of asked) answers.push(await lists.of(module));
  return answers;
}

test("a page of a public module does not draw credentials to another repository, known or not", async (t) => {
  const words = "git https://git.example/repo";
  const pages = { "corp.example/lib": words, "public.example/other": words };
  const asked = ["public.example/other", "corp.example/lib", "public.example/other", "corp.example/lib"];
  assert.deepEqual(await listed(t, pages, asked), ["status 401", "v1.0.0\n", "status 401", "v1.0.0\n"]);
});

test("nor to another proxy", async (t) => {
  const words = "mod https://proxy.example/proxy";
  const pages = { "corp.example/p": words, "public.example/q": words };
  assert.deepEqual(await listed(t, pages, ["public.example/q", "corp.example/p"]), ["", "v9.0.0\n"]);
});

test("a public module's own repository is shown them", async (t) => {
  assert.deepEqual(await listed(t, {}, ["git.example/repo.git"]), ["v1.0.0\n"]);
  const pages = { "git.example/repo": "git https://git.example/repo" };
  assert.deepEqual(await listed(t, pages, ["git.example/repo"]), ["v1.0.0\n"]);
});
