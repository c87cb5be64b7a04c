import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { hmac } from "../../lambda/access/hmac.ts";
import { revocationEntry } from "../../lambda/access/revocations.ts";
import { revokedKey } from "../../lambda/edge/revocations.ts";
import { makeCertificate } from "../support/certificate.ts";
import { runCli } from "../support/cli.ts";
import { makeDataFolder } from "../support/data-folder.ts";
import { eventually } from "../support/eventually.ts";
import { GoMachine } from "../support/go-command.ts";
import { skipWithoutGoAndTls as skip } from "../support/guarded-modfront.ts";
import { filePath, moduleFixture, versionsPath } from "../support/module-fixture.ts";
import { ScriptedUpstream } from "../support/scripted-upstream.ts";
import { Site } from "../support/site.ts";
import { stackCli, stackToken } from "../support/stack-cli.ts";
import { TlsFront } from "../support/tls-front.ts";
import { basic, idOf } from "../support/tokens.ts";

// Two tenants of one deployment, with our own checksum database, and the edge's store as full of revoked tokens as after
// years. The tests are a story: each begins where the one before ended.

const api = moduleFixture("pay.example/api");
const lib = moduleFixture("corp.example/shared/lib");
const engine = moduleFixture("corp.example/games-engine");
/** Of the same tenant as `engine`, and not there. */
const absent = { path: "corp.example/games-absent", version: "v1.0.0" };
const revokedTokens = 50_000;

describe("tenants, deployed", { skip }, () => {
  const folder = makeDataFolder();
  let scripted: ScriptedUpstream;
  let site: Site;
  let front: TlsFront;
  let database = "";
  let gosumdb = "";
  let developer = "";

  before(async () => {
    scripted = await ScriptedUpstream.start();
    for (const module of [api, lib, engine]) {
      scripted.on(`${versionsPath(module)}/list`, { body: `${module.version}\n` });
      for (const kind of ["info", "mod", "zip"] as const) scripted.on(filePath(module, kind), { body: module[kind] });
    }
    site = await Site.start({
      private: "corp.example/shared",
      tenants: {
        payments: { modules: ["pay.example"] },
        games: { modules: ["corp.example/games-*"], admins: ["alice"] },
      },
      upstreams: [{ patterns: "pay.example,corp.example/shared,corp.example/games-*", chain: scripted.url }],
      sumdb: { name: "off" },
    });
    front = await TlsFront.start(site.url, makeCertificate(folder.path), { redirect: false });
    const outputs = Object.values(site.deployment.outputs).flatMap((each) => Object.entries(each));
    gosumdb = outputs.find(([name]) => name.includes("Gosumdb"))?.[1] ?? "";
    database = gosumdb.split("+")[0] ?? "";
  });

  after(async () => {
    await front?.[Symbol.asyncDispose]();
    await site?.stop();
    await scripted?.close();
    folder.remove();
  });

  const ask = (path: string, token: string) => fetch(site.url + path, { headers: { authorization: basic(token) } });

  /** All of an answer by which one could be told from another. */
  async function said(path: string, token: string): Promise<string> {
    const answer = await ask(path, token);
    const headers = [...answer.headers].filter(([name]) => name !== "date");
    return JSON.stringify([answer.status, headers, await answer.text()]);
  }

  const questions = ({ path, version }: typeof absent): readonly string[] => [
    ...["info", "mod", "zip"].map((kind) => `/${path}/@v/${version}.${kind}`),
    `/${path}/@v/list`,
    `/${path}/@latest`,
    `/${path}/@v/main.info`,
    `/sumdb/${database}/lookup/${path}@${version}`,
  ];

  test("a developer of a tenant works with its modules and the shared ones, verified by our own log", async () => {
    developer = await stackToken(site, { modules: "@payments,corp.example/shared" });
    const url = `https://any:${developer}@${front.host}`;
    using go = new GoMachine(url, { GOSUMDB: gosumdb, SSL_CERT_FILE: `${folder.path}/cert.pem` });
    go.write("go.mod", "module pay.example/main\n\ngo 1.25\n");
    for (const args of [
      ["get", `${api.path}@latest`, `${lib.path}@latest`],
      ["mod", "verify"],
    ]) {
      const run = await go.go(...args);
      assert.equal(run.code, 0, run.stderr);
    }
  });

  test("everything of another tenant is refused in the same words, there or not, before anybody is asked for it", async () => {
    const colleague = await stackToken(site, { modules: "@games", subject: "alice" });
    for (const path of questions(engine))
      if (!path.includes("main")) assert.equal((await ask(path, colleague)).status, 200);
    const asked = scripted.requests.length;
    site.edge.reset();
    const answers = new Set<string>();
    for (const path of [...questions(engine), ...questions(absent)]) answers.add(await said(path, developer));
    const [answer = "", ...others] = answers;
    assert.deepEqual(others, []);
    assert.match(answer, /^\[403,/);
    assert.doesNotMatch(answer, /games|engine|absent/);
    assert.equal(scripted.requests.length, asked);
    assert.deepEqual(site.edge.traffic, { edge: questions(engine).length * 2 });
    for (const path of ["/", "/-/gosumdb", "/-/metrics", "/-/no-such-page"])
      assert.doesNotMatch(await said(path, developer), /games|engine/, path);
  });

  test("records of both tenants in one tile are for whoever may read both", async () => {
    const head = await (await ask(`/sumdb/${database}/latest`, developer)).text();
    const size = head.split("\n")[1];
    assert.equal(size, "3");
    const tile = `/sumdb/${database}/tile/8/data/000.p/${size}`;
    const refusal = await ask(tile, developer);
    assert.equal(refusal.status, 403);
    assert.doesNotMatch(await refusal.text(), /games|engine/);
    const wide = await stackToken(site, { modules: "@payments,@games,corp.example/shared" });
    const records = await ask(tile, wide);
    assert.equal(records.status, 200, await records.clone().text());
    assert.match(await records.text(), /^corp\.example\/games-engine v1\.0\.0 h1:/m);
  });

  test("administered through the edge: an admin all, a tenant's admin its own, and nobody else anything", async () => {
    const ada = await stackToken(site, { subject: "ada", role: "admin", modules: "*" });
    const alice = await stackToken(site, { subject: "alice", modules: "@games" });
    const as = (token: string, ...args: string[]) =>
      runCli([...args, "--url", site.url], { environment: { MODFRONT_TOKEN: token } });
    const api = (method: string, path: string, token?: string, body?: unknown, headers: Record<string, string> = {}) =>
      fetch(`${site.url}/-/api/${path}`, {
        method,
        headers: {
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { "content-type": "application/json" }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    const wanted = (modules: string, role = "viewer") => ({ subject: "new", role, modules, days: 1 });

    type Row = readonly [method: string, path: string, body: unknown, statuses: string];
    // Of nobody, an admin, the admin of games, a viewer of payments.
    const rows: readonly Row[] = [
      ["GET", "tokens", undefined, "401 200 200 403"],
      ["POST", "tokens", wanted("@games"), "401 201 201 403"],
      ["POST", "tokens", wanted("@payments"), "401 201 403 403"],
      ["POST", "tokens", wanted("@games", "operator"), "401 201 403 403"],
      ["DELETE", `tokens/${idOf(developer)}`, undefined, "401 - 404 403"],
      ["GET", "tenants", undefined, "401 200 200 403"],
      ["GET", "audit", undefined, "401 200 403 403"],
      ["PUT", "tokens", wanted("@games"), "401 405 405 405"],
      ["GET", "no-such-address", undefined, "401 404 404 404"],
    ];
    for (const [method, path, body, statuses] of rows) {
      const expected = statuses.split(" ");
      for (const [i, token] of [undefined, ada, alice, developer].entries()) {
        if (expected[i] === "-") continue;
        const answer = await api(method, path, token, body);
        assert.equal(`${answer.status}`, expected[i], `${method} ${path} ${i}: ${await answer.text()}`);
      }
    }
    site.edge.reset();
    assert.equal((await api("GET", "tokens")).status, 401);
    assert.deepEqual(site.edge.traffic, { edge: 1 });

    const [control = ""] = Object.values(site.controlApis);
    for (const headers of [{}, { authorization: `Bearer ${ada}` }])
      assert.deepEqual(await site.edge.askApi(control, "/admin/-/api/tokens", headers), {
        status: 403,
        body: "this address answers only through the edge\n",
      });

    const plain = await api("POST", "tokens", ada, {});
    assert.deepEqual([plain.status, plain.headers.get("cache-control")], [400, "no-store"]);
    assert.match(await plain.text(), /^subject: /);
    const problem = await api("POST", "tokens", ada, {}, { accept: "application/json" });
    assert.equal(problem.headers.get("content-type"), "application/problem+json");
    assert.equal((await api("POST", "tokens", ada, {}, { "content-type": "text/plain" })).status, 415);
    const page = (await (await api("GET", "tokens?limit=1", ada)).json()) as { items: unknown[]; next?: string };
    assert.deepEqual([page.items.length, typeof page.next], [1, "string"]);

    // Of a tenant that is configured here and not there, and the other way round.
    const elsewhere = site.deployment.configFile.replace(/[^/]*$/, "elsewhere.json");
    writeFileSync(elsewhere, JSON.stringify({ tenants: { planned: { modules: "planned.example" } } }));
    const create = (name: string) =>
      stackCli(site, "token", "create", "--subject", "dev", "--modules", name, "--config", elsewhere);
    assert.equal((await create("@games")).code, 0);
    const unknown = await create("@planned");
    assert.deepEqual([unknown.code, unknown.stdout], [2, ""]);
    assert.match(unknown.stderr, /@planned: there is no such tenant/);

    const stranger = await as("mf_e30", "token", "list");
    assert.deepEqual([stranger.code, stranger.stdout], [1, ""]);
    assert.match(stranger.stderr, /these credentials are not a modfront token/);

    const rotated = await as(ada, "token", "rotate-key", "--json");
    assert.match(rotated.stdout, /^\{"key":"[0-9a-f]{6}","droppedOld":false\}\n$/, rotated.stderr);
    await eventually(async () => (await api("GET", "tenants", alice)).status === 200);

    const made = await as(alice, "token", "create", "--subject", "dev", "--modules", "@games", "--json");
    assert.equal(made.code, 0, made.stderr);
    const { id, token } = JSON.parse(made.stdout);
    assert.equal((await ask(filePath(engine, "zip"), token)).status, 200);
    const listed = await as(alice, "token", "list", "--json");
    const patterns = listed.stdout
      .trim()
      .split("\n")
      .flatMap((line) => JSON.parse(line).modules);
    assert.deepEqual([...new Set(patterns)], ["@games"]);
    assert.equal((await as(ada, "token", "revoke", id)).code, 0);
    await eventually(async () => (await ask(filePath(engine, "zip"), token)).status === 401);

    const refused = await as(ada, "audit", "--action", "request.token-create", "--who", "gopher", "--json");
    const refusals = refused.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      refusals.map(({ token, decision, rule, address }) => [token, decision, rule, address]),
      Array(3).fill([idOf(developer), "refused", "role", "127.0.0.1"]),
    );
    const audit = await as(ada, "audit", "--action", "token", "--json");
    assert.equal(audit.code, 0, audit.stderr);
    const events = audit.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      events
        .filter(({ target }) => target === id)
        .map(({ action, decision, subject, rule, tenant, address }) =>
          [action, decision, subject, rule, tenant, address].join(" "),
        ),
      [
        ...["intended", "done"].map((decision) => `token.create ${decision} alice tenant-admin games 127.0.0.1`),
        ...["intended", "done"].map((decision) => `token.revoke ${decision} ada admin games 127.0.0.1`),
      ],
    );
    assert.ok(!audit.stdout.includes(token.slice(-43)) && !listed.stdout.includes(token.slice(-43)));
  });

  test("what a tenant's admin sets is shown for its modules alone, by the functions that fetch", async () => {
    const alice = await stackToken(site, { subject: "alice", modules: "@games" });
    const secret = "S3cr3t-of-the-games";
    const shownFor = (module: { readonly path: string }) =>
      scripted.requests
        .filter(({ path }) => path.startsWith(`/${module.path}/`))
        .map(({ headers }) => headers.authorization);
    const { host } = new URL(scripted.url);
    const set = await fetch(`${site.url}/-/api/credentials/${host}`, {
      method: "PUT",
      headers: { authorization: `Bearer ${alice}`, "content-type": "application/json" },
      body: JSON.stringify({ kind: "basic", user: "bot", secret }),
    });
    const text = await set.text();
    assert.equal(set.status, 200, text);
    assert.ok(!text.includes(secret));
    let versions = 0;
    await eventually(async () => {
      const next = moduleFixture(engine.path, `v1.1.${versions++}`);
      for (const kind of ["info", "mod", "zip"] as const) scripted.on(filePath(next, kind), { body: next[kind] });
      assert.equal((await ask(filePath(next, "info"), alice)).status, 200);
      return shownFor(engine).includes(basic(secret, "bot"));
    });
    const other = moduleFixture(api.path, "v1.1.0");
    for (const kind of ["info", "mod", "zip"] as const) scripted.on(filePath(other, kind), { body: other[kind] });
    assert.equal((await ask(filePath(other, "info"), developer)).status, 200);
    assert.ok(shownFor(api).every((header) => header === undefined));
    const { stdout } = await stackCli(site, "audit", "--action", "credential", "--json");
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      events.map((event) => [event.decision, event.subject, event.tenant, event.target]),
      ["intended", "done"].map((decision) => [decision, "alice", "games", host]),
    );
    assert.ok(!stdout.includes(secret));
  });

  test(`with ${revokedTokens} others revoked a revoked token is refused, the others go on, and the audit knows who did it`, async (t) => {
    const expires = Math.floor(Date.now() / 1000) + 365 * 86_400;
    const values = new Map<string, string>();
    for (let i = 0; i < revokedTokens; i++) {
      const id = randomBytes(8).toString("hex");
      const key = revokedKey(id);
      values.set(key, (values.get(key) ?? "=") + revocationEntry({ id, expires }, hmac));
    }
    await site.writeKeyValues(values);
    const leaver = await stackToken(site, { modules: "@payments" });
    const path = filePath(api, "zip");
    // What the edge has read may be a second old.
    await eventually(async () => (await ask(path, leaver)).status === 200);
    const revoke = await stackCli(site, "token", "revoke", idOf(leaver));
    assert.equal(revoke.code, 0, revoke.stderr);
    const revoked = Date.now();
    await eventually(async () => (await ask(path, leaver)).status === 401);
    t.diagnostic(`refused ${Date.now() - revoked} ms after the command`);
    assert.equal(await (await ask(path, leaver)).text(), "this token was revoked\n");
    assert.equal((await ask(path, developer)).status, 200);
    const { stdout } = await stackCli(site, "audit", "--action", "token.revoke", "--json");
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      events
        .filter(({ target }) => target === idOf(leaver))
        .map(({ decision, target, tenant }) => [decision, target, tenant]),
      ["intended", "done"].map((decision) => [decision, idOf(leaver), "payments"]),
    );
  });
});
