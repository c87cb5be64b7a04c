import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { UrlRewrite } from "../../../lambda/upstream/git/url-rewrites.ts";
import { type DirectConfig, openDirectLists } from "../../support/direct-lists.ts";
import { DirectSource } from "../../support/direct-source.ts";
import { ScriptedUpstream } from "../../support/scripted-upstream.ts";

// What the configuration names may be inside. Who may ask for public modules may not be led there by a page of a stranger, or
// by a redirect, and read what is open to modfront's network.

const own = "git.example/repo.git";
const paged = "corp.example/lib";
const stranger = "stranger.example/x";

/** Rewrites of hosts. */
function rewritten(hosts: Readonly<Record<string, string>>): UrlRewrite[] {
  return Object.entries(hosts).map(([host, origin]) => ({ from: `https://${host}/`, to: `${origin}/` }));
}

/**
 * A git server and a proxy inside, reached by `git.example` and `proxy.example`; private pages at `corp.example`, and the
 * public server of a stranger, all by rewrites, for all are at 127.0.0.1.
 */
async function world(
  t: TestContext,
  more: (rewrites: readonly UrlRewrite[], git: string) => DirectConfig = () => ({}),
) {
  const stack = new AsyncDisposableStack();
  const source = stack.use(await DirectSource.start(own));
  const inside = stack.use(await ScriptedUpstream.start());
  const outside = stack.use(await ScriptedUpstream.start());
  const git = source.server.url.origin;
  inside.otherwise(({ path }) => ({
    body: path.endsWith("/@v/list")
      ? "v9.0.0\n"
      : `<meta name="go-import" content="${path.startsWith("/lib") ? paged : stranger} git https://git.example/repo">`,
  }));
  const hosts = { "git.example": git, "proxy.example": inside.url, "corp.example": inside.url };
  // A page of the host inside that is served apart, for a module of that host.
  const apart = { from: "https://git.example/paged?", to: `${outside.url}/paged?` };
  const rewrites = [...rewritten({ ...hosts, "stranger.example": outside.url }), apart];
  const given = { private: ["corp.example"], rewrites, ...more(rewritten({ "stranger.example": outside.url }), git) };
  const lists = stack.use(openDirectLists(t, given));
  const page = (words: string, module = stranger) => {
    const at = module.slice(module.indexOf("/"));
    outside.on(at, { body: `<head><meta name="go-import" content="${module} ${words}"></head>` });
  };
  /** How often anybody was asked inside. */
  const reached = () => source.server.requests.length + inside.requests.length;
  return { source, inside, outside, git, lists, page, reached, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

type World = Awaited<ReturnType<typeof world>>;

/** The stranger's ways, each with what his server says. */
const ways: Readonly<Record<string, (at: World) => void>> = {
  "a page names a repository that a rewrite has": ({ page }) => page("git https://git.example/repo"),
  "a page names a host that a rewrite leads to": ({ page, git }) => page(`git ${git}/repo`),
  "a page names a proxy that a rewrite has": ({ page }) => page("mod https://proxy.example/"),
  "a page names a proxy at the host that a rewrite leads to": ({ page, inside }) => page(`mod ${inside.url}`),
  "his repository redirects": ({ page, outside, git }) => {
    page("git https://stranger.example/r");
    const location = `${git}/repo/info/refs?service=git-upload-pack`;
    outside.on("/r/info/refs", { status: 302, headers: { location } });
  },
  "his page redirects": ({ outside, inside }) => {
    outside.on("/x", { status: 302, headers: { location: `${inside.url}/page` } });
  },
  "his page redirects once more": ({ outside, inside }) => {
    outside.on("/x", { status: 302, headers: { location: "/y" } });
    outside.on("/y", { status: 307, headers: { location: `${inside.url}/page` } });
  },
  "his proxy redirects": ({ page, outside, inside }) => {
    page("mod https://stranger.example/p");
    outside.on(`/p/${stranger}/@v/list`, { status: 302, headers: { location: `${inside.url}/@v/list` } });
  },
};

for (const [way, set] of Object.entries(ways)) {
  test(`a stranger's module does not lead inside: ${way}`, async (t) => {
    await using at = await world(t);
    set(at);
    assert.equal(await at.lists.of(stranger), "refused-address");
    assert.equal(at.reached(), 0);
  });

  test(`where allowHosts names the host, it is for all: ${way}`, async (t) => {
    await using at = await world(t, () => ({ allowHosts: ["127.0.0.1"] }));
    set(at);
    assert.match(await at.lists.of(stranger), /^v[19]\.0\.0\n$/);
  });
}

test("nor to a host that the configuration names only for its credentials", async (t) => {
  await using at = await world(t, (rewrites, git) => ({ rewrites, credentials: [{ match: new URL(git).host }] }));
  at.page(`git ${at.git}/repo`);
  assert.equal(await at.lists.of(stranger), "refused-address");
  assert.equal(at.reached(), 0);
});

test("what is known by a private module, or a public one of the host inside, is not told a stranger's", async (t) => {
  await using at = await world(t);
  at.page("git https://git.example/repo");
  at.page("git https://git.example/repo", "git.example/paged");
  for (const module of [paged, own, "git.example/paged"]) {
    for (const _ of [1, 2]) {
      assert.equal(await at.lists.of(module), "v1.0.0\n", module);
      const before = at.reached();
      assert.equal(await at.lists.of(stranger), "refused-address", `after ${module}`);
      assert.equal(at.reached(), before);
    }
  }
});

test("nor that a host inside cannot be reached", async (t) => {
  await using at = await world(t);
  at.page("git https://git.example/repo");
  await at.source[Symbol.asyncDispose]();
  for (const _ of [1, 2, 3]) assert.equal(await at.lists.of(own), "unreachable");
  assert.equal(await at.lists.of(own), "breaker-open");
  assert.equal(await at.lists.of(stranger), "refused-address");
});

test("a public module's own repository, and its own host's proxy, are where a rewrite leads", async (t) => {
  await using at = await world(t, () => ({ private: [] }));
  assert.equal(await at.lists.of(own), "v1.0.0\n");
  at.page("mod https://stranger.example/p");
  at.outside.on(`/p/${stranger}/@v/list`, { body: "v3.0.0\n" });
  assert.equal(await at.lists.of(stranger), "v3.0.0\n");
});

test("a private module is led wherever the configuration names a host", async (t) => {
  await using at = await world(t);
  assert.equal(await at.lists.of(paged), "v1.0.0\n");
});
