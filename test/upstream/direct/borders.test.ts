import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { tenantBorders } from "../../../lambda/access/tenants.ts";
import { bearerAuthorization } from "../../../lambda/upstream/credentials/credentials.ts";
import { pathsOfPlace } from "../../../lambda/upstream/direct/place-paths.ts";
import { Visits } from "../../../lambda/upstream/direct/visits.ts";
import { UrlRewrites } from "../../../lambda/upstream/git/url-rewrites.ts";
import { openDirectLists } from "../../support/direct-lists.ts";
import { DirectSource } from "../../support/direct-source.ts";
import { ScriptedUpstream } from "../../support/scripted-upstream.ts";

// What one tenant has nobody else reads by a page that names it, though one rule of credentials opens both tenants' repositories.

const borders = tenantBorders({
  pay: { modules: ["git.example/pay", "git.example/mono/pay", "pay.example", "Case.example/Pay"] },
  web: { modules: ["web.example", "git.example/web/*"] },
});

const rewrite = [{ from: "https://mirrored.example/", to: "https://mirror.example/git/" }];

/** Where a module of a tenant, of none, and a public one are led. */
const rows: readonly (readonly [module: string, place: string, below: string, led: boolean])[] = [
  ["pay.example/x", "https://git.example/pay/x", "", true],
  ["web.example/x", "https://git.example/web/x", "", true],
  ["web.example/x", "https://git.example/nobodys", "", true],
  ["web.example/x", "https://git.example/pay/x", "", false],
  ["nobodys.example/x", "https://git.example/pay/x", "", false],
  ["public.example/x", "https://git.example/pay/x", "", false],
  ["pay.example/x", "https://git.example/web/x", "", false],
  // One folder of a repository that nobody has as a whole.
  ["web.example/x", "https://git.example/mono", "", true],
  ["web.example/x", "https://git.example/mono", "web/", true],
  ["web.example/x", "https://git.example/mono", "pay/v2", false],
  ["pay.example/x", "https://git.example/mono", "pay/", true],
  // However it is spelled.
  ["web.example/x", "https://git.example/pay.git", "", false],
  ["web.example/x", "https://git.example./PAY/x", "", false],
  ["web.example/x", "https://git.example:8443/pay/x", "", false],
  ["web.example/x", "https://git.example/web/../pay/x", "", false],
  ["web.example/x", "https://git.example/web/%2e%2e%2fpay/x", "", false],
  ["web.example/x", "https://git.example//%2570ay/x", "", false],
  ["web.example/x", "https://git.example/web\\..\\pay/x", "", false],
  ["web.example/x", "https://case.example/pay", "", false],
];

function visits(send: () => never = () => assert.fail("something was sent")): Visits {
  return new Visits({
    borders,
    hosts: { has: () => true, isNamed: () => true, isAllowed: () => true, isSpelled: () => true },
    rewrites: new UrlRewrites(rewrite),
    isPrivate: (module) => !module.startsWith("public."),
    client: { isTrusted: () => true, send },
  });
}

const refused = { code: "refused-address", message: "leads to what another tenant's patterns match" };

for (const [module, place, below, led] of rows) {
  test(`${module} is ${led ? "" : "not "}led to ${place} ${below}`, () => {
    const to = () => visits().to(place, module, below);
    if (led) to();
    else assert.throws(to, refused);
  });
}

test("what is rewritten has the name by which it is not reached, too", () => {
  const own = new Visits({
    borders: tenantBorders({ pay: { modules: ["mirrored.example/pay"] } }),
    hosts: { has: () => true, isNamed: () => true, isAllowed: () => true, isSpelled: () => true },
    rewrites: new UrlRewrites(rewrite),
    isPrivate: () => true,
    client: { isTrusted: () => true, send: () => assert.fail("something was sent") },
  });
  for (const place of ["https://mirrored.example/pay/x", "https://mirror.example/git/pay/x"])
    assert.throws(() => own.to(place, "web.example/x"), refused);
  own.to("https://mirror.example/pay/x", "web.example/x");
});

test("no redirect leads over a border", async () => {
  const sent = new Error("sent");
  const { client } = visits(() => {
    throw sent;
  }).to("https://git.example/nobodys", "web.example/x");
  const send = (url: string) => client.send(new URL(url), {});
  await assert.rejects(send("https://git.example/pay/x/info/refs?service=git-upload-pack"), refused);
  await assert.rejects(send("https://git.example/nobodys/info/refs?service=git-upload-pack"), sent);
});

test("what one tenant learnt of a repository is not for another", () => {
  const of = (module: string) => visits().to("https://git.example/nobodys", module).forWhom;
  assert.deepEqual(["pay.example/x", "web.example/x", "nobodys.example/x"].map(of), [
    "private:pay",
    "private:web",
    "private",
  ]);
});

test("a place has the paths by which patterns know it", () => {
  assert.deepEqual(pathsOfPlace("ssh://git@Git.example/team/lib.git"), [
    "git.example/team/lib.git",
    "git.example/team/lib",
  ]);
  assert.deepEqual(pathsOfPlace("git@git.example:team/lib"), ["git.example/team/lib"]);
  assert.deepEqual(pathsOfPlace("https://git.example/lib/info/refs?service=git-upload-pack", "/"), ["git.example/lib"]);
  assert.deepEqual(pathsOfPlace("https://git.example/%ff%zz/.git"), ["git.example/\ufffd%zz/.git"]);
  assert.deepEqual(pathsOfPlace("no URL"), []);
});

/** Lists modules where one repository at git.example is closed to who has no credentials, and pages name what they like. */
async function listed(t: TestContext, pages: Readonly<Record<string, string>>, asked: readonly string[]) {
  await using server = await ScriptedUpstream.start();
  await using source = await DirectSource.start("git.example/pay/repo");
  source.authorization = "Bearer shared";
  for (const [path, words] of Object.entries(pages)) {
    server.on(`/${path}`, { body: `<head><meta name="go-import" content="${path} ${words}"></head>` });
  }
  const rewrites = [
    { from: "https://git.example/pay/", to: `${source.server.url.origin}/` },
    { from: "https://git.example/pay/repo?", to: `${server.url}/git.example/pay/repo?` },
    { from: "https://web.example/", to: `${server.url}/web.example/` },
  ];
  await using lists = openDirectLists(
    t,
    { private: ["git.example", "web.example"], rewrites },
    { borders, credentials: () => ({ authorize: async () => bearerAuthorization("shared") }) },
  );
  const answers: string[] = [];
  for (const module of asked) answers.push(await lists.of(module));
  return { answers, asked: source.server.requests.length };
}

test("a page of one tenant does not open another's repository by credentials that both share", async (t) => {
  const pages = {
    "git.example/pay/repo": "git https://git.example/pay/repo",
    "web.example/spy": "git https://git.example/pay/repo",
  };
  assert.deepEqual((await listed(t, pages, ["git.example/pay/repo", "web.example/spy"])).answers, [
    "v1.0.0\n",
    "refused-address",
  ]);
  assert.deepEqual(await listed(t, pages, ["web.example/spy"]), { answers: ["refused-address"], asked: 0 });
});
