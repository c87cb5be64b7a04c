import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { identityHeader } from "../../lambda/edge/identity.ts";
import { patterns, type RouteName } from "../../lambda/edge/routes.ts";
import { originPathOf } from "../../lib/origins.ts";
import { makeCertificate } from "../support/certificate.ts";
import { makeDataFolder } from "../support/data-folder.ts";
import { GoMachine } from "../support/go-command.ts";
import { skipWithoutGoAndTls as skip } from "../support/guarded-modfront.ts";
import { filePath, type ModuleFixture, moduleFixture, noise, versionsPath, zipOf } from "../support/module-fixture.ts";
import { ScriptedUpstream } from "../support/scripted-upstream.ts";
import { Site } from "../support/site.ts";
import { stackCli, stackToken } from "../support/stack-cli.ts";
import { TlsFront } from "../support/tls-front.ts";

// The deployed app for token holders only: tokens made by the real CLI with AWS credentials, carried by the real go
// command over TLS, decided by the edge function before the cache and again by the functions behind it. The tests are a
// story: each begins where the one before ended.

const own = "guarded.example";
/** Of nobody: a zip there comes after its small files, and by itself. */
const open = "open.example";
const seen = moduleFixture(`${own}/team/seen`);
const hidden = moduleFixture(`${own}/other/hidden`);

/** Over 4 MB, so that it is answered with a redirect to where it is stored. */
function largeModule(name: string): ModuleFixture {
  const base = moduleFixture(`${open}/${name}`);
  const content = noise(name, 5 << 20);
  return { ...base, zip: zipOf(base, [{ name: `${base.path}@${base.version}/noise.bin`, content }]) };
}

describe("deployed for token holders", { skip }, () => {
  const folder = makeDataFolder();
  let scripted: ScriptedUpstream;
  let site: Site;
  let front: TlsFront;
  let token = "";
  let config: Record<string, unknown>;

  before(async () => {
    scripted = await ScriptedUpstream.start();
    config = { private: own, upstreams: [{ patterns: `${own},${open}`, chain: scripted.url }], sumdb: { name: "off" } };
    for (const module of [seen, hidden]) publish(module);
    site = await Site.start(config);
    front = await TlsFront.start(site.url, makeCertificate(folder.path), { redirect: false });
  });

  after(async () => {
    await front?.[Symbol.asyncDispose]();
    await site?.stop();
    await scripted?.close();
    folder.remove();
  });

  function publish(module: ModuleFixture): void {
    scripted.on(`${versionsPath(module)}/list`, { body: `${module.version}\n` });
    for (const kind of ["info", "mod", "zip"] as const) scripted.on(filePath(module, kind), { body: module[kind] });
  }

  const cli = (...args: readonly string[]) => stackCli(site, "token", ...args);

  async function create(modules: string, role = "viewer"): Promise<string> {
    const made = await stackToken(site, { modules, role });
    // What the edge has read may be a second old.
    await sleep(1100);
    return made;
  }

  const basic = (password: string) => ({ authorization: `Basic ${Buffer.from(`any:${password}`).toString("base64")}` });

  async function ask(path: string, password?: string): Promise<string> {
    const answer = await fetch(site.url + path, { headers: password === undefined ? {} : basic(password) });
    const text = await answer.text();
    return answer.ok
      ? `${answer.status}`
      : `${answer.status} ${text.trim().replace(/token [0-9a-z]{16} (?=has|does)/, "token ID ")}`;
  }

  async function download(module: ModuleFixture, proxy: string, netrc = "") {
    const NETRC = `${folder.path}/netrc`;
    writeFileSync(NETRC, netrc, { mode: 0o600 });
    using go = new GoMachine(proxy, { GOSUMDB: "off", NETRC, SSL_CERT_FILE: `${folder.path}/cert.pem` });
    go.write("go.mod", "module example.com/main\n\ngo 1.25\n");
    return await go.go("mod", "download", "-json", `${module.path}@${module.version}`);
  }

  test("without a token nothing but the probes is answered, and for modules nothing behind the edge is asked", async () => {
    site.edge.reset();
    const refused = "401 this needs a modfront token, as the password with any user name: see go help goauth";
    for (const kind of ["info", "mod", "zip"] as const) assert.equal(await ask(filePath(seen, kind)), refused);
    for (const path of [`/${seen.path}/@v/list`, `/${seen.path}/@latest`, "/", "/-/gosumdb", "/-/metrics"])
      assert.equal(await ask(path), refused, path);
    assert.equal(await ask(filePath(seen, "zip"), `mf_e30.${"x".repeat(43)}`), "401 this token is not valid here");
    // The rows of what lies under /-/, and of /, are behind the edge.
    assert.deepEqual(site.edge.traffic, { edge: 6, "api /site": 3 });
    assert.equal(await ask("/-/live"), "200");
    assert.deepEqual(scripted.requests, []);
  });

  test("a token made with AWS credentials lets the real go in, by netrc and URL, also through a redirect", async () => {
    token = await create(`${own}/team`);
    const modules = [largeModule("by-url"), largeModule("by-netrc")] as const;
    for (const module of modules) publish(module);
    const runs = [
      await download(modules[0], `https://any:${token}@${front.host}`),
      await download(modules[1], `https://${front.host}`, `machine ${front.host} login any password ${token}\n`),
    ];
    for (const run of runs) assert.equal(run.code, 0, run.stderr + run.stdout);
    const returned = front.requests.filter(({ target }) => target.includes("?wait="));
    assert.deepEqual(
      returned.map(({ target }) => target),
      modules.map((module) => `${filePath(module, "zip")}?wait=1`),
    );
    for (const { authorization } of front.requests) assert.equal(authorization, basic(token).authorization);
  });

  test("the edge decides before the cache: what one may have, another may not, cached or not", async () => {
    const wide = await create(own);
    for (const module of [seen, hidden]) assert.equal(await ask(filePath(module, "zip"), wide), "200");
    assert.equal(await ask(filePath(hidden, "zip"), wide), "200");
    site.edge.reset();
    const uncovered = "403 token ID does not cover this private module: ask whoever issued it for one that does";
    for (const path of [filePath(hidden, "zip"), `/${hidden.path}/@v/list`, `/${hidden.path}/@latest`])
      assert.equal(await ask(path, token), uncovered);
    assert.equal(await ask("/-/metrics", token), "403 token ID has the role viewer, which may not do this");
    assert.deepEqual(site.edge.traffic, { edge: 3, "api /site": 1 });
    assert.equal(await ask(filePath(seen, "zip"), token), "200");
  });

  test("private files are kept by the cache, and nobody gets one from it without a token, however it is asked for", async () => {
    const wide = await create(own);
    const files = (["info", "mod", "zip"] as const).map((kind) => filePath(hidden, kind));
    const paths = [...files, `/${hidden.path}/@v/list`, `/${hidden.path}/@latest`];
    site.edge.reset();
    for (const path of files) {
      const from = async () => (await fetch(site.url + path, { headers: basic(wide) })).headers.get("x-cache");
      assert.deepEqual([await from(), await from()], ["miss", "cache"], path);
    }
    const ways: readonly RequestInit[] = [
      {},
      { method: "HEAD" },
      { headers: { range: "bytes=0-9" } },
      { headers: { "if-none-match": "*" } },
      { headers: { "if-modified-since": new Date(0).toUTCString() } },
      { method: "HEAD", headers: { range: "bytes=0-" } },
    ];
    for (const path of paths) {
      for (const { method = "GET", headers = {} } of ways) {
        const tag = (await fetch(site.url + path, { headers: basic(wide) })).headers.get("etag") ?? "";
        const asked = [headers, { ...headers, "if-none-match": tag }, { ...headers, ...basic(token) }];
        const before = { ...site.edge.traffic };
        for (const [i, each] of asked.entries()) {
          const answer = await fetch(site.url + path, { method, headers: each as Record<string, string> });
          assert.equal(answer.status, i === 2 ? 403 : 401, `${method} ${path} ${JSON.stringify(headers)}`);
          assert.equal(answer.headers.get("etag"), null);
          assert.doesNotMatch(await answer.text(), /module |v1\.0\.0|PK/);
        }
        assert.deepEqual(site.edge.traffic, { ...before, edge: (before.edge ?? 0) + asked.length });
      }
    }
  });

  test("the API refuses on every path what did not come through the edge", async () => {
    const outputs = Object.values(site.deployment.outputs).flatMap((each) => Object.entries(each));
    const id = String(outputs.find(([name]) => name.includes("RefApi"))?.[1]);
    const refused = { status: 403, body: "this address answers only through the edge\n" };
    const forged = { [identityHeader]: `["abc123","admin",${2 ** 33},"s","*"].${"x".repeat(43)}` };
    const tail: Readonly<Record<string, string>> = {
      "/site": "/-/live",
      "/sumdb": "/sumdb/sum.golang.org/latest",
      "/list": `/${seen.path}/@v/list`,
      "/latest": `/${seen.path}/@latest`,
    };
    for (const path of (Object.keys(patterns) as RouteName[]).map(originPathOf)) {
      const target = path + (tail[path] ?? `/${seen.path}/@v/v1.0.0.${path.slice(1)}`);
      for (const headers of [{}, forged, basic(token)])
        assert.deepEqual(await site.edge.askApi(id, target, headers), refused, target);
    }
  });

  test("a rotation of the keys goes unnoticed by those who have a token, and a deployment too", async () => {
    const rotated = await cli("rotate-key");
    assert.equal(rotated.code, 0, rotated.stderr);
    await sleep(1100);
    site.edge.reset();
    assert.equal(await ask(`/${seen.path}/@v/list`, token), "200");
    await site.deployment.synth({ ...config, private: [own, "more.example"] });
    await site.deployment.deploy();
    await site.open();
    await sleep(1100);
    assert.equal(await ask(`/${seen.path}/@v/list`, token), "200");
    assert.match(await ask("/more.example/m/@v/list", token), /^403 .*private module/);
  });

  test("a revoked token is refused within seconds, cached or not, and the others go on", async () => {
    const other = await create(`${own}/team`, "operator");
    const listed = await cli("list");
    const rows = listed.stdout
      .trim()
      .split("\n")
      .map((row) => row.split("\t"));
    assert.deepEqual(
      rows.map(([, role, , state, subject, modules]) => [role, state, subject, modules].join(" ")).toSorted(),
      [
        `operator valid gopher ${own}/team`,
        `viewer valid gopher ${own}`,
        `viewer valid gopher ${own}`,
        `viewer valid gopher ${own}/team`,
      ].toSorted(),
    );
    assert.equal(await ask(filePath(seen, "zip"), token), "200");
    const [id = ""] = rows.find(([, role, , , , modules]) => role === "viewer" && modules === `${own}/team`) ?? [];
    assert.equal((await cli("revoke", id)).code, 0);
    await sleep(1100);
    assert.equal(await ask(filePath(seen, "zip"), token), "401 this token was revoked");
    assert.equal(await ask(filePath(seen, "zip"), other), "200");
    assert.equal((await cli("rotate-key", "--drop-old")).code, 0);
    await sleep(1100);
    assert.equal(await ask(filePath(seen, "zip"), other), "401 this token is not valid here");
    assert.equal(await ask("/-/live"), "200");
  });

  test("the audit says who made, revoked and ended tokens, from objects that are only created", async () => {
    const { code, stdout, stderr } = await stackCli(site, "audit", "--json");
    assert.equal(code, 0, stderr);
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const revoked = events.filter(({ action }) => action === "token.revoke");
    assert.deepEqual(
      revoked.map(({ decision, rule, subject }) => [decision, rule, subject]),
      ["intended", "done"].map((decision) => [decision, "aws-credentials", userInfo().username]),
    );
    const made = events.filter(({ action, decision }) => action === "token.create" && decision === "done");
    const [id] = JSON.parse(Buffer.from(token.slice(3).split(".")[0] ?? "", "base64url").toString());
    assert.ok(made.some(({ target }) => target === id) && revoked.every(({ target }) => target === id));
    assert.equal(events.at(-1).action, "token.drop-keys");
    assert.deepEqual(events.filter(({ decision }) => decision === "intended").length, events.length / 2);
    assert.ok(!stdout.includes(token.slice(-43)));
  });

  test("no token is in any log of the deployment or in what was deployed", async () => {
    const call = async (action: string, body: unknown): Promise<string> => {
      const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": `Logs_20140328.${action}` };
      return await (await fetch(site.aws.endpoint, { method: "POST", headers, body: JSON.stringify(body) })).text();
    };
    const { logGroups } = JSON.parse(await call("DescribeLogGroups", {}));
    const logs = await Promise.all(
      logGroups.map(({ logGroupName }: { logGroupName: string }) => call("FilterLogEvents", { logGroupName })),
    );
    const everything = [...logs, site.aws.log(), JSON.stringify(site.deployment.outputs)].join("\n");
    assert.ok(everything.includes(`${seen.path}/@v/list`), "requests are logged");
    assert.ok(!everything.includes(token.slice(-43)));
    assert.ok(!everything.includes(basic(token).authorization.slice(-40)));
  });
});
