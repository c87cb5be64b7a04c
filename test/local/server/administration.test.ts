import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createToken } from "../../../lambda/access/tokens.ts";
import { SqliteTokenStore } from "../../../lambda/local/access/sqlite-token-store.ts";
import { auditFile, openAuditDatabase } from "../../../lambda/local/data/audit-database.ts";
import { SqliteAuditLog } from "../../../lambda/local/data/sqlite-audit-log.ts";
import { runCli } from "../../support/cli.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { eventually } from "../../support/eventually.ts";
import { filePath, type ModuleFixture, moduleFixture, versionsPath } from "../../support/module-fixture.ts";
import { startProduct } from "../../support/product.ts";
import { ScriptedUpstream } from "../../support/scripted-upstream.ts";

// Administration over HTTP, through the front door of the composed product, and what the audit says of it afterwards.

const module = moduleFixture("corp.example/pay/m");
const zip = filePath(module, "zip");
const tenants = { pay: { modules: "corp.example/pay", admins: ["paula"] }, hr: { modules: "corp.example/hr" } };

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

async function world(t: TestContext, config: object = { access: { anonymous: "none" }, tenants }) {
  const upstream = await ScriptedUpstream.start();
  t.after(() => upstream.close());
  for (const kind of ["info", "mod", "zip"] as const) upstream.on(filePath(module, kind), { body: module[kind] });
  upstream.on(`${versionsPath(module)}/list`, { body: `${module.version}\n` });
  const data = dataFolder(t);
  const store = new SqliteTokenStore(data);
  const now = Math.floor(Date.now() / 1000);
  const make = async (subject: string, role: string, modules: string) =>
    await createToken(store, { subject, role, modules, days: 1 }, now, { tenants: ["pay", "hr"] });
  const made = {
    admin: await make("ada", "admin", "*"),
    paula: await make("paula", "viewer", "@pay"),
    reader: await make("rob", "viewer", "@pay"),
    stranger: await make("hal", "operator", "@hr"),
  };
  store.close();
  const start = () =>
    startProduct({
      data,
      config: {
        upstreams: [{ patterns: "corp.example/pay,corp.example", chain: upstream.url }],
        sumdb: { name: "off" },
        ...config,
      },
    });
  let product = await start();
  t.after(() => product.stop());
  /** Starts again, without the files that are stored, where the upstream has other ones. */
  const startWithout = async (moved: ModuleFixture) => {
    await product.stop();
    rmSync(join(data, "mod", "corp.example"), { recursive: true });
    for (const kind of ["info", "mod", "zip"] as const) upstream.on(filePath(module, kind), { body: moved[kind] });
    product = await start();
  };
  const ask = async (
    method: string,
    path: string,
    who?: keyof typeof made,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const answer = await fetch(product.url + path, {
      method,
      headers: {
        ...(who && { authorization: `Bearer ${made[who].token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    return { status: answer.status, type: answer.headers.get("content-type") ?? "", text: await answer.text() };
  };
  const audited = async (question: object) => {
    const database = openAuditDatabase(join(data, auditFile));
    const { events } = await new SqliteAuditLog(database).query({ since: 0, until: 9e15, limit: 999, ...question });
    database.close();
    return events;
  };
  return { product, ask, audited, made, data, startWithout };
}

test("who may what over HTTP: an admin all, a tenant's admin its tokens, everybody else nothing", async (t) => {
  const { ask, audited, made } = await world(t);
  const token = (modules: string, role = "viewer") => ({ subject: "new", role, modules, days: 1 });
  type Row = readonly [method: string, path: string, body: unknown, statuses: string];
  // Of nobody, admin, tenant's admin, reader of the tenant, operator elsewhere.
  const rows: readonly Row[] = [
    ["GET", "/-/api/tokens", undefined, "401 200 200 403 403"],
    ["POST", "/-/api/tokens", token("@pay"), "401 201 201 403 403"],
    ["POST", "/-/api/tokens", token("corp.example/pay/sub"), "401 201 201 403 403"],
    ["POST", "/-/api/tokens", token("@hr"), "401 201 403 403 403"],
    ["POST", "/-/api/tokens", token("@pay", "operator"), "401 201 403 403 403"],
    ["POST", "/-/api/tokens", token(""), "401 201 403 403 403"],
    ["DELETE", "/-/api/tokens/nobody", undefined, "401 404 404 403 403"],
    // Of another tenant: as if it were not there.
    ["DELETE", `/-/api/tokens/${made.stranger.record.id}x`, undefined, "401 404 404 403 403"],
    ["GET", "/-/api/tenants", undefined, "401 200 200 403 403"],
    ["POST", "/-/api/token-keys", {}, "401 200 403 403 403"],
    ["POST", "/-/api/token-keys", { dropOld: "no" }, "401 400 403 403 403"],
    ["GET", "/-/api/audit", undefined, "401 200 403 403 403"],
    ["PUT", "/-/api/tokens", token("@pay"), "405 405 405 405 405"],
  ];
  for (const [method, path, body, statuses] of rows) {
    const asked = [undefined, "admin", "paula", "reader", "stranger"] as const;
    const got: number[] = [];
    for (const who of asked) got.push((await ask(method, path, who, body)).status);
    assert.equal(got.join(" "), statuses, `${method} ${path} ${JSON.stringify(body)}`);
  }
  const refusals = async (action: string) =>
    (await audited({ action })).map(({ decision, subject, rule, target, address }) =>
      [decision, subject, rule, target, address].join(" "),
    );
  const ids = ["nobody", `${made.stranger.record.id}x`];
  const expected = [" no-token", "rob role", "hal role"].flatMap((who) =>
    ids.map((target) => `refused ${who} ${target} 127.0.0.1`),
  );
  await eventually(async () => (await refusals("request.token-revoke")).length >= expected.length);
  assert.deepEqual((await refusals("request.token-revoke")).toSorted(), expected.toSorted());
  const seen = JSON.parse((await ask("GET", "/-/api/tokens", "paula")).text);
  assert.deepEqual([...new Set(seen.items.flatMap(({ modules }: { modules: string[] }) => modules))].sort(), [
    "@pay",
    "corp.example/pay/sub",
  ]);
  assert.deepEqual(JSON.parse((await ask("GET", "/-/api/tenants", "paula")).text), {
    items: [{ name: "pay", modules: ["corp.example/pay"], admins: ["paula"] }],
  });
  const [own, foreign] = [made.reader.record.id, made.stranger.record.id];
  assert.equal((await ask("DELETE", `/-/api/tokens/${foreign}`, "paula")).status, 404);
  assert.equal((await ask("DELETE", `/-/api/tokens/${own}`, "paula")).status, 200);
  assert.equal((await ask("GET", "/-/api/tenants", "stranger")).status, 403);
});

test("on loopback, where everything is read without a token, nothing is changed without one", async (t) => {
  const { ask } = await world(t, { private: "corp.example" });
  assert.equal((await ask("GET", zip)).status, 200);
  assert.equal((await ask("POST", "/-/api/tokens", undefined, { subject: "s" })).status, 401);
  assert.equal((await ask("GET", "/-/api/tokens")).status, 401);
});

test("a new token is shown once and works; the audit says who fetched what, and who revoked the token", async (t) => {
  const { product, ask, audited, made } = await world(t);
  const { status, text } = await ask("POST", "/-/api/tokens", "paula", { subject: "dev", modules: ["@pay"] });
  const { token, id, ...rest } = JSON.parse(text);
  assert.deepEqual([status, rest.subject, rest.role, rest.modules], [201, "dev", "viewer", ["@pay"]]);
  const fetched = async () => {
    const answer = await fetch(product.url + zip, { headers: { authorization: `Bearer ${token}` } });
    await answer.arrayBuffer();
    return answer.status;
  };
  assert.deepEqual([await fetched(), await fetched()], [200, 200]);
  assert.equal((await ask("GET", zip, "stranger")).status, 403);
  assert.equal((await ask("DELETE", `/-/api/tokens/${id}`, "admin")).status, 200);
  await eventually(async () => (await fetched()) === 401);
  const question = { module: module.path, version: module.version };
  const expected = [
    `fetch.zip dev ${id} allowed viewer`,
    `fetch.zip hal ${made.stranger.record.id} refused module`,
    "fetch.zip   refused revoked",
  ];
  await eventually(async () => {
    const events = await audited(question);
    const who = events.map(({ action, subject, token, decision, rule }) =>
      [action, subject, token, decision, rule].join(" "),
    );
    return expected.every((each) => who.includes(each));
  });
  const changes = (await audited({ action: "token" })).map(
    ({ action, target, subject, tenant, decision, rule, address }) =>
      [action, target === id, subject, tenant, decision, rule, address].join(" "),
  );
  assert.deepEqual(changes, [
    "token.create true paula pay intended tenant-admin 127.0.0.1",
    "token.create true paula pay done tenant-admin 127.0.0.1",
    "token.revoke true ada pay intended admin 127.0.0.1",
    "token.revoke true ada pay done admin 127.0.0.1",
  ]);
  const answered = JSON.parse((await ask("GET", `/-/api/audit?action=token.revoke&who=ada&limit=1`, "admin")).text);
  assert.deepEqual([answered.items.length, answered.items[0].target, typeof answered.next], [1, id, "string"]);
  const listed = (await ask("GET", "/-/api/tokens", "admin")).text + (await ask("GET", "/-/api/audit", "admin")).text;
  assert.ok(!listed.includes(token.slice(-43)), "nothing shows a token again");
});

test("bodies are JSON of one shape, small, and wrong ones are told so, as a problem to who accepts JSON", async (t) => {
  const { ask, audited } = await world(t);
  const wrong: readonly (readonly [body: unknown, status: number, line: RegExp, headers?: Record<string, string>])[] = [
    ["{", 400, /not valid JSON/],
    [[], 400, /expected object/i],
    [{}, 400, /^subject: /],
    [{ subject: "s", extra: 1 }, 400, /extra/],
    [{ subject: "s", days: 0 }, 400, /^days: a whole number/],
    [{ subject: "s", role: "king" }, 400, /^the role is one of/],
    [{ subject: "s", modules: "@nobody" }, 400, /@nobody/],
    [{ subject: "s".repeat(20_000) }, 413, /more than 16384 bytes/],
    ["subject=s", 415, /must be JSON/, { "content-type": "application/x-www-form-urlencoded" }],
    [{ subject: "s" }, 415, /must be JSON/, { "content-type": "text/plain" }],
  ];
  for (const [body, status, line, headers] of wrong) {
    const plain = await ask("POST", "/-/api/tokens", "admin", body, headers);
    assert.equal(plain.status, status, plain.text);
    assert.match(plain.text, line);
    assert.match(plain.type, /^text\/plain/);
    const problem = await ask("POST", "/-/api/tokens", "admin", body, { ...headers, accept: "application/json" });
    assert.equal(problem.type, "application/problem+json");
    assert.match(JSON.parse(problem.text).detail, line);
    assert.equal(JSON.parse(problem.text).status, status);
  }
  const go = await ask("GET", "/-/api/tokens", undefined, undefined, {
    accept: "application/json",
    "user-agent": "Go-http-client/1.1",
  });
  assert.match(go.type, /^text\/plain/);
  assert.match((await ask("GET", "/-/api/tokens?limit=5000", "admin")).text, /limit/);
  assert.equal((await ask("GET", "/-/api/audit?after=x", "admin")).status, 400);
  assert.equal((await ask("GET", "/-/api/audit?since=yesterday", "admin")).status, 400);
  assert.deepEqual(await audited({ action: "token" }), [], "what is refused leaves no change");
});

test("the command line does the same with --url, with the token of MODFRONT_TOKEN", async (t) => {
  const { product, made } = await world(t);
  const cli = (token: string, ...args: string[]) =>
    runCli([...args, "--url", product.url], { environment: { MODFRONT_TOKEN: token } });
  const { token } = made.paula;
  const created = await cli(token, "token", "create", "--subject", "dev", "--modules", "@pay", "--json");
  assert.equal(created.code, 0, created.stderr);
  const { id, ...rest } = JSON.parse(created.stdout);
  assert.match(rest.token, /^mf_/);
  const listed = await cli(token, "token", "list");
  assert.match(listed.stdout, new RegExp(`^${id}\tviewer\t\\S+\tvalid\tdev\t@pay$`, "m"));
  assert.equal((await cli(token, "token", "revoke", id)).code, 0);
  const rows = (await cli(token, "token", "list", "--json")).stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.ok(rows.find((row) => row.id === id)?.revoked);
  const audit = await cli(made.admin.token, "audit", "--who", "paula", "--json");
  assert.deepEqual(
    audit.stdout
      .trim()
      .split("\n")
      .map((line) => `${JSON.parse(line).action} ${JSON.parse(line).decision}`),
    ["token.create intended", "token.create done", "token.revoke intended", "token.revoke done"],
  );
  const rotated = await cli(made.admin.token, "token", "rotate-key", "--json");
  assert.match(rotated.stdout, /^\{"key":"[0-9a-f]{6}","droppedOld":false\}\n$/, rotated.stderr);
  assert.equal((await cli(token, "token", "list")).code, 0, "a token of the key before goes on");
  assert.equal((await cli(token, "token", "rotate-key", "--drop-old")).code, 1);
  const refused = await cli(token, "audit");
  assert.deepEqual([refused.code, refused.stdout], [1, ""]);
  assert.match(refused.stderr, /has the role viewer, which may not do this/);
  const foreign = await cli(token, "token", "create", "--subject", "dev", "--modules", "@hr");
  assert.equal(foreign.code, 1);
  const wrong = [
    ["--subject", "dev", "--days", "0", "--modules", "@pay"],
    ["--subject", "d", "--data", "x"],
  ];
  for (const args of wrong) assert.equal((await cli(token, "token", "create", ...args)).code, 2, args.join(" "));
  const clear = await runCli(["token", "list", "--url", "http://go.corp.example"], {
    environment: { MODFRONT_TOKEN: token },
  });
  assert.deepEqual([clear.code, clear.stderr], [2, "modfront: a token goes over https only, but on this machine\n"]);
});

test("that a tag was moved is written down, with who came upon it and what spoke against it", async (t) => {
  const { ask, audited, startWithout } = await world(t);
  assert.equal((await ask("GET", zip, "reader")).status, 200);
  await startWithout(moduleFixture(module.path, module.version, "package moved\n"));
  assert.equal((await ask("GET", zip, "reader")).status, 403);
  const refusals = async () =>
    (await audited({ module: module.path })).filter(({ rule }) => rule.endsWith("-mismatch"));
  await eventually(async () => (await refusals()).length > 0);
  assert.deepEqual(
    (await refusals()).map(({ action, decision, subject, version }) => [action, decision, subject, version]),
    [["fetch.zip", "refused", "rob", module.version]],
  );
});
