import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createToken } from "../../../lambda/access/tokens.ts";
import { SqliteCredentialStore } from "../../../lambda/local/access/sqlite-credential-store.ts";
import { SqliteTokenStore } from "../../../lambda/local/access/sqlite-token-store.ts";
import { mostCredentials } from "../../../lambda/upstream/credentials/credential-store.ts";
import { runCli } from "../../support/cli.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { eventually } from "../../support/eventually.ts";
import { filePath, moduleFixture } from "../../support/module-fixture.ts";
import { startProduct } from "../../support/product.ts";
import { ScriptedUpstream } from "../../support/scripted-upstream.ts";

// What is shown to upstreams, set over HTTP at the front door of the composed product, and what the upstream then sees.

const tenants = {
  pay: { modules: "corp.example/pay", admins: ["paula"] },
  hr: { modules: "corp.example/hr", admins: ["henry"] },
};
const subjects = {
  admin: ["ada", "admin", "*"],
  paula: ["paula", "viewer", "@pay"],
  henry: ["henry", "viewer", "@hr"],
  reader: ["rob", "viewer", "@pay"],
  operator: ["otto", "operator", "@pay,@hr"],
} as const;

type Who = keyof typeof subjects;

const basic = (user: string, secret: string) => `Basic ${Buffer.from(`${user}:${secret}`).toString("base64")}`;
const pathOf = (tenant: string, version: string, kind: "info" | "mod" | "zip" = "info") =>
  filePath(moduleFixture(`corp.example/${tenant}/m`, version), kind);

async function world(t: TestContext) {
  const upstream = await ScriptedUpstream.start();
  t.after(() => upstream.close());
  /** What the upstream takes of whom; anything else is answered 401. */
  const taken = new Set<string>();
  upstream.otherwise(({ path, headers }) => {
    const [, tenant = "", version = "", kind] =
      /^\/corp\.example\/(\w+)\/m\/@v\/(v[\d.]+)\.(info|mod|zip)$/.exec(path) ?? [];
    if (!taken.has(headers.authorization ?? "")) return { status: 401, body: `who is ${headers.authorization}?` };
    return { body: moduleFixture(`corp.example/${tenant}/m`, version)[kind as "info" | "mod" | "zip"] };
  });
  const data = dataFolder(t);
  const store = new SqliteTokenStore(data);
  const now = Math.floor(Date.now() / 1000);
  const tokens = new Map<string, string>();
  for (const [who, [subject, role, modules]] of Object.entries(subjects)) {
    const { token } = await createToken(store, { subject, role, modules, days: 1 }, now, { tenants: ["pay", "hr"] });
    tokens.set(who, token);
  }
  store.close();
  const config = {
    access: { anonymous: "none" },
    private: "corp.example",
    tenants,
    upstreams: [{ patterns: "corp.example", chain: upstream.url }],
    sumdb: { name: "off" },
  };
  const start = async () => {
    const product = await startProduct({ data, config });
    t.after(() => product.stop());
    return product;
  };
  const product = await start();
  const ask = async (method: string, path: string, who?: Who, body?: unknown, url = product.url) => {
    const answer = await fetch(url + path, {
      method,
      headers: {
        ...(who && { authorization: `Bearer ${tokens.get(who)}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    return { status: answer.status, text: await answer.text() };
  };
  const address = `/-/api/credentials/127.0.0.1:${upstream.port}`;
  /** What the upstream was shown for the modules of a tenant, all of it. */
  const shown = (tenant: string) => [
    ...new Set(
      upstream.requests.filter(({ path }) => path.includes(`/${tenant}/`)).map((each) => each.headers.authorization),
    ),
  ];
  return { upstream, taken, data, product, start, ask, address, shown, tokens };
}

test("who may set what is shown to a host: an admin for all, a tenant's admin for its modules, nobody else", async (t) => {
  const { ask, address } = await world(t);
  const body = (tenant?: string) => ({ kind: "basic", user: "u", secret: "s", ...(tenant && { tenant }) });
  type Row = readonly [method: string, path: string, body: unknown, statuses: string];
  // Of nobody, admin, both tenants' admins, a reader of one, an operator of both.
  const rows: readonly Row[] = [
    ["PUT", address, body(), "401 200 200 200 403 403"],
    ["PUT", address, body("pay"), "401 200 200 403 403 403"],
    ["PUT", address, body("hr"), "401 200 403 200 403 403"],
    ["PUT", address, body("nobody"), "401 400 403 403 403 403"],
    ["GET", "/-/api/credentials", undefined, "401 200 200 200 403 403"],
    ["DELETE", `${address}?tenant=hr`, undefined, "401 200 403 404 403 403"],
    ["DELETE", address, undefined, "401 200 200 404 403 403"],
    ["DELETE", `${address}?tenant=pay`, undefined, "401 404 404 403 403 403"],
    ["GET", address, undefined, "405 405 405 405 405 405"],
  ];
  for (const [method, path, sent, statuses] of rows) {
    const got: number[] = [];
    for (const who of [undefined, "admin", "paula", "henry", "reader", "operator"] as const)
      got.push((await ask(method, path, who, sent)).status);
    assert.equal(got.join(" "), statuses, `${method} ${path} ${JSON.stringify(sent)}`);
  }
});

test("a tenant's credential is shown for its modules and nobody else's, on one host; the organisation's for the others", async (t) => {
  const { ask, address, taken, shown, product } = await world(t);
  taken.add(basic("pay-bot", "pay-secret")).add(basic("org-bot", "org-secret"));
  const get = async (tenant: "pay" | "hr", version: string) =>
    (await ask("GET", pathOf(tenant, version), tenant === "pay" ? "paula" : "henry")).status;
  assert.deepEqual([await get("pay", "v1.0.0"), await get("hr", "v1.0.0")], [502, 502]);
  const set = async (who: Who, user: string, secret: string) =>
    assert.equal((await ask("PUT", address, who, { kind: "basic", user, secret })).status, 200);
  await set("paula", "pay-bot", "pay-secret");
  assert.deepEqual([await get("pay", "v1.0.1"), await get("hr", "v1.0.1")], [200, 502]);
  assert.deepEqual(shown("hr"), [undefined]);
  await set("admin", "org-bot", "org-secret");
  assert.deepEqual([await get("pay", "v1.0.2"), await get("hr", "v1.0.2")], [200, 200]);
  assert.deepEqual(shown("hr"), [undefined, basic("org-bot", "org-secret")]);
  assert.deepEqual(shown("pay"), [undefined, basic("pay-bot", "pay-secret")]);
  // What henry sets for the same host is his tenant's alone, wrong or not.
  await set("henry", "hr-bot", "wrong");
  assert.deepEqual([await get("pay", "v1.0.3"), await get("hr", "v1.0.3")], [200, 502]);
  assert.ok(!shown("pay").includes(basic("hr-bot", "wrong")));
  assert.equal((await ask("DELETE", address, "henry")).status, 200);
  assert.equal((await ask("DELETE", address, "paula")).status, 200);
  assert.deepEqual([await get("pay", "v1.0.4"), await get("hr", "v1.0.4")], [200, 200]);
  assert.equal(shown("pay").at(-1), basic("org-bot", "org-secret"));
  assert.deepEqual(product.warnings, []);
});

test("one that was refused is not kept: what replaces it is shown at once, and in a second process within seconds", async (t) => {
  const { ask, address, taken, start } = await world(t);
  const second = await start();
  const body = (secret: string) => ({ kind: "basic", user: "u", secret });
  assert.equal((await ask("PUT", address, "paula", body("old"))).status, 200);
  taken.add(basic("u", "new"));
  assert.equal((await ask("GET", pathOf("pay", "v1.0.0"), "paula")).status, 502);
  assert.equal((await ask("GET", pathOf("pay", "v1.1.0"), "paula", undefined, second.url)).status, 502);
  assert.equal((await ask("PUT", address, "paula", body("new"))).status, 200);
  assert.equal((await ask("GET", pathOf("pay", "v1.0.1"), "paula")).status, 200);
  await eventually(
    async () => (await ask("GET", pathOf("pay", "v1.1.1"), "paula", undefined, second.url)).status === 200,
  );
  assert.equal((await ask("DELETE", address, "paula", undefined, second.url)).status, 200);
  taken.clear();
  await eventually(async () => (await ask("GET", pathOf("pay", "v1.0.2"), "paula")).status === 502);
});

test("the secret is in its own file, which is its owner's alone, and nowhere else: answers, lists, pages, audit, files", async (t) => {
  const { ask, address, data, taken, product } = await world(t);
  const secret = "S3cr3t-of-nobody-else";
  assert.equal((await ask("PUT", address, "paula", { kind: "basic", user: "u", secret })).status, 200);
  const texts: string[] = [];
  const told = async (method: string, path: string, who: Who, body?: unknown) => {
    const { text } = await ask(method, path, who, body);
    texts.push(text);
    return text;
  };
  // The upstream says in its refusal what it was shown.
  await told("GET", pathOf("pay", "v1.0.0"), "paula");
  taken.add(basic("u", secret));
  await told("GET", pathOf("pay", "v1.0.1"), "paula");
  assert.match(
    await told("GET", "/-/api/credentials", "admin"),
    /"match":"127\.0\.0\.1:\d+","kind":"basic","user":"u","tenant":"pay"/,
  );
  assert.match(await told("GET", "/-/api/credentials", "paula"), /"kind":"basic"/);
  assert.equal(await told("GET", "/-/api/credentials", "henry"), '{"items":[]}\n');
  await told("GET", "/", "admin");
  await told("GET", "/-/metrics", "admin");
  for (const bad of [
    { kind: "bearer", secret: `${secret} with a space` },
    { kind: "basic", secret: `${secret}\u0007` },
    { kind: "github-app", user: "1", secret },
    { kind: "github-app", secret },
    { kind: secret, secret },
    { kind: "basic", secret, user: "a:b" },
    { kind: "basic", secret, [secret]: 1 },
    { kind: "basic", secret: [secret] },
    `{"kind":"basic","secret":"${secret}"`,
  ]) {
    const { status, text } = await ask("PUT", address, "paula", bad);
    assert.equal(status, 400, text);
    texts.push(text.replace(/unrecognized key.*/i, ""));
  }
  const audit = await told("GET", "/-/api/audit?action=credential", "admin");
  const { items } = JSON.parse(audit);
  assert.deepEqual(
    items.map((each: Record<string, string>) => [each.decision, each.rule, each.tenant, each.subject, each.target]),
    ["intended", "done"].map((decision) => [decision, "tenant-admin", "pay", "paula", address.split("/").at(-1)]),
  );
  texts.push(...product.warnings);
  const encoded = Buffer.from(`u:${secret}`).toString("base64");
  for (const text of texts) assert.ok(!text.includes(secret) && !text.includes(encoded), text);
  const holding = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((each) => {
      const path = join(folder, each.name);
      if (each.isDirectory()) return holding(path);
      return readFileSync(path).includes(secret) ? [each.name] : [];
    });
  const own = holding(data);
  assert.ok(own.length > 0 && own.every((name) => name.startsWith("credentials.sqlite")), own.join());
  for (const name of readdirSync(data).filter((each) => each.startsWith("credentials.sqlite")))
    assert.equal(statSync(join(data, name)).mode & 0o077, 0, name);
});

test("hostile requests are refused with the field that is wrong", async (t) => {
  const { ask, address } = await world(t);
  const good = { kind: "bearer", secret: "t" };
  type Row = readonly [path: string, body: unknown, status: number, line: RegExp];
  const rows: readonly Row[] = [
    [address, { ...good, secret: "" }, 400, /^secret: expected 1 to 8192/],
    [address, { ...good, secret: "x".repeat(8193) }, 400, /^secret: expected 1 to 8192/],
    [address, { ...good, secret: "x".repeat(20_000) }, 413, /more than 16384 bytes/],
    [address, { ...good, secret: "é" }, 400, /^secret: expected a token/],
    [address, { ...good, user: "u" }, 400, /^user: expected none/],
    [address, { kind: "basic", secret: "a\nb" }, 400, /^secret: expected a password/],
    [address, { kind: "basic", secret: "a\r\nX: y" }, 400, /^secret: expected a password/],
    [address, { kind: "basic", secret: "s", user: "" }, 400, /^user: expected/],
    [address, { kind: "basic", secret: "s", user: "u\u0000" }, 400, /^user: expected/],
    [address, { kind: "github-app", secret: "s", user: "1" }, 400, /^secret: expected an RSA private key/],
    [address, { kind: "ntlm", secret: "s" }, 400, /^kind: expected one of basic, bearer, github-app/],
    [address, { ...good, api: "https://evil.example" }, 400, /api/],
    [address, [], 400, /./],
    [address, "null", 400, /./],
    ["/-/api/credentials/https:", good, 400, /^match: expected a host/],
    ["/-/api/credentials/user@git.example", good, 400, /^match: expected a host/],
    ["/-/api/credentials/*.example", good, 400, /^match: expected a host/],
    ["/-/api/credentials/git.example%3Fa", good, 400, /./],
    [`/-/api/credentials/${"a".repeat(200)}.example/${"b".repeat(120)}`, good, 400, /^match: expected a host/],
  ];
  for (const [path, body, status, line] of rows) {
    const answer = await ask("PUT", path, "admin", body);
    assert.equal(answer.status, status, `${path} ${answer.text}`);
    assert.match(answer.text, line, path);
  }
  assert.equal((await ask("GET", "/-/api/credentials", "admin")).text, '{"items":[]}\n');
  // One spelling, whoever writes it how.
  await ask("PUT", "/-/api/credentials/git.corp.example:443/Team", "admin", good);
  await ask("PUT", "/-/api/credentials/git.corp.example/Team/", "admin", good);
  const { items } = JSON.parse((await ask("GET", "/-/api/credentials", "admin")).text);
  assert.deepEqual(
    items.map(({ match }: { match: string }) => match),
    ["git.corp.example/Team"],
  );
});

test("many at once: the last of each name stands, there are never more than there may be, and each has its events", async (t) => {
  const { ask, data } = await world(t);
  const host = (i: number) => `/-/api/credentials/h${i}.example`;
  const body = { kind: "bearer", secret: "t" };
  const statuses = await Promise.all(
    Array.from({ length: mostCredentials + 20 }, async (_, i) => (await ask("PUT", host(i), "paula", body)).status),
  );
  const count = (status: number) => statuses.filter((each) => each === status).length;
  assert.deepEqual([count(200), count(409)], [mostCredentials, 20]);
  // Another tenant's room is its own, and what is there can be replaced.
  assert.equal((await ask("PUT", host(0), "henry", body)).status, 200);
  const there = statuses.indexOf(200);
  const both = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      i % 2 === 0 ? ask("PUT", host(there), "paula", body) : ask("DELETE", host(there), "paula"),
    ),
  );
  assert.ok(both.every(({ status }) => status === 200 || status === 404));
  const store = new SqliteCredentialStore(data);
  t.after(() => store.close());
  const left = (await store.list()).filter(({ tenant }) => tenant === "pay").length;
  assert.ok(left === mostCredentials || left === mostCredentials - 1, String(left));
  const { items } = JSON.parse((await ask("GET", "/-/api/audit?action=credential&limit=1000", "admin")).text);
  const ended = (decision: string) => items.filter((each: { decision: string }) => each.decision === decision).length;
  const done = count(200) + 1 + both.filter(({ status }) => status === 200).length;
  assert.equal(ended("done"), done);
  assert.ok(ended("intended") >= done);
});

test("the last place is taken by one of two processes, whenever the other looked", async (t) => {
  const data = dataFolder(t);
  const [one, other] = [new SqliteCredentialStore(data), new SqliteCredentialStore(data)];
  t.after(() => {
    one.close();
    other.close();
  });
  const credential = (i: number) =>
    ({ tenant: "pay", match: `h${i}.example`, kind: "bearer", secret: "t", changed: i, request: "r" }) as const;
  for (let i = 1; i < mostCredentials; i++) await one.set(credential(i));
  const late = one.set(credential(1000), () => other.set(credential(1001)));
  await assert.rejects(late, { code: "credentials-full" });
  const gone = one.remove(credential(1), () => other.remove(credential(1)));
  await assert.rejects(gone, { code: "no-such-credential" });
  assert.equal((await one.list()).length, mostCredentials - 1);
});

test("the CLI sets, lists and removes them, in a data folder and of a running modfront", async (t) => {
  const { data, product, tokens, upstream, taken, ask } = await world(t);
  const match = `127.0.0.1:${upstream.port}`;
  const config = join(data, "cli.json");
  writeFileSync(config, JSON.stringify({ tenants }));
  const cli = (args: readonly string[], input = "", environment: Record<string, string> = {}) =>
    runCli(["upstream", ...args], { input, environment });
  const here = ["--data", data, "--config", config];
  const there = ["--url", product.url];
  const paula = { MODFRONT_TOKEN: tokens.get("paula") ?? "" };
  const set = await cli(["set", match, "--user", "u", "--tenant", "pay", ...here], "from-cli\n");
  assert.equal(set.code, 0, set.stderr);
  taken.add(basic("u", "from-cli"));
  await eventually(async () => (await ask("GET", pathOf("pay", "v1.0.0"), "paula")).status === 200);
  const listed = await cli(["list", "--json", ...there], "", paula);
  assert.deepEqual(Object.keys(JSON.parse(listed.stdout)), ["match", "kind", "user", "tenant", "changed"]);
  assert.equal((await cli(["list", "--json", ...here])).stdout, listed.stdout);
  assert.equal((await cli(["set", match, "--user", "u", ...there], "other\n", paula)).code, 0);
  assert.equal((await ask("GET", pathOf("pay", "v1.0.1"), "paula")).status, 502);
  assert.equal((await cli(["remove", match, ...there], "", paula)).code, 0);
  assert.equal((await cli(["list", "--json", ...there], "", paula)).stdout, "");
  assert.equal((await cli(["remove", match, "--tenant", "pay", ...here])).code, 1);
  assert.equal((await cli(["set", "https://x", ...here], "s\n")).code, 2);
  assert.equal((await cli(["set", match, ...here], "\n")).code, 2);
  assert.equal((await cli(["set", match, "--tenant", "none", ...here], "s\n")).code, 2);
  assert.equal((await cli(["set", match, "--tenant", "hr", ...there], "s\n", paula)).code, 1);
});

test("a damaged file stops the start with a line that names it", async (t) => {
  const data = dataFolder(t);
  writeFileSync(join(data, "credentials.sqlite"), "x".repeat(5000), { mode: 0o600 });
  const message = /^the credentials that were set cannot be read: restore credentials\.sqlite/;
  await assert.rejects(startProduct({ data, config: {} }), { code: "credentials-unreadable", message });
});
