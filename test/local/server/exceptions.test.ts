import assert from "node:assert/strict";
import { test } from "node:test";
import { createToken } from "../../../lambda/access/tokens.ts";
import { SqliteTokenStore } from "../../../lambda/local/access/sqlite-token-store.ts";
import { runCli } from "../../support/cli.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { eventually } from "../../support/eventually.ts";
import { filePath, moduleFixture } from "../../support/module-fixture.ts";
import { startProduct } from "../../support/product.ts";
import { ScriptedUpstream } from "../../support/scripted-upstream.ts";

// What the policy refuses comes in by an exception, of operators alone. Four seconds.

const subjects = {
  admin: ["ada", "admin", "*"],
  paula: ["paula", "viewer", "@pay"],
  operator: ["otto", "operator", "corp.example/free"],
} as const;

test("an exception lets in what the policy refuses until it is taken back, and only operators make one", async (t) => {
  await using upstream = await ScriptedUpstream.start();
  for (const version of ["v1.0.0", "v1.1.0"]) {
    const module = moduleFixture("corp.example/free/m", version);
    for (const kind of ["info", "mod", "zip"] as const) upstream.on(filePath(module, kind), { body: module[kind] });
  }
  const data = dataFolder(t);
  const store = new SqliteTokenStore(data);
  const now = Math.floor(Date.now() / 1000);
  const tokens = new Map<string, string>();
  for (const [who, [subject, role, modules]] of Object.entries(subjects))
    tokens.set(who, (await createToken(store, { subject, role, modules, days: 1 }, now, { tenants: ["pay"] })).token);
  store.close();
  const config = {
    access: { anonymous: "none" },
    private: "corp.example",
    tenants: { pay: { modules: "corp.example/pay", admins: ["paula"] } },
    sumdb: { name: "off" },
    upstreams: [{ patterns: "corp.example", chain: upstream.url }],
    policy: { deny: [{ modules: "corp.example", reason: "not now" }] },
  };
  const product = await startProduct({ data, config });
  t.after(() => product.stop());
  const ask = async (who: keyof typeof subjects, method: string, path: string, body?: object) => {
    const headers = { authorization: `Bearer ${tokens.get(who)}`, "content-type": "application/json" };
    const answer = await fetch(product.url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    return { status: answer.status, text: await answer.text() };
  };
  const exceptions = "/-/api/exceptions";
  const file = (version: string) => ask("operator", "GET", `/corp.example/free/m/@v/${version}.mod`);
  const refused = async (version: string) => /not now/.test((await file(version)).text);
  assert.equal((await file("v1.0.0")).status, 403);
  assert.ok(await refused("v1.0.0"));

  for (const [who, module] of [
    ["paula", "corp.example/pay/m"],
    ["operator", "corp.example/pay/m"],
  ] as const)
    assert.equal((await ask(who, "PUT", `${exceptions}/${module}`, { reason: "please" })).status, 403, who);

  const made = await ask("operator", "PUT", `${exceptions}/corp.example/free/m@v1.0.0`, { reason: "the old site" });
  assert.equal(made.status, 200, made.text);
  await eventually(async () => (await file("v1.0.0")).status === 200);
  assert.ok(await refused("v1.1.0"));
  const { items } = JSON.parse((await ask("operator", "GET", exceptions)).text) as { items: { module: string }[] };
  assert.deepEqual(
    items.map(({ module }) => module),
    ["corp.example/free/m"],
  );
  assert.deepEqual(JSON.parse((await ask("paula", "GET", exceptions)).text), { items: [] });

  const run = (...args: readonly string[]) =>
    runCli(["allow", "corp.example/free/m@v1.1.0", "--url", product.url, ...args], {
      environment: { MODFRONT_TOKEN: tokens.get("admin") ?? "" },
    });
  assert.equal((await run("--reason", "why", "--until", "2040-01-01")).code, 0);
  assert.equal((await run("--end")).code, 0);
  assert.deepEqual([(await run("--end")).code, (await run()).code], [1, 2]);
  await eventually(() => refused("v1.1.0"));
  const audited = JSON.parse((await ask("admin", "GET", "/-/api/audit")).text) as { items: Record<string, string>[] };
  const told = audited.items.filter(({ action, decision }) => /^exception/.test(action ?? "") && decision === "done");
  assert.deepEqual(
    told.map(({ action, subject, version }) => [action, subject, version]),
    [
      ["exception.set", "otto", "v1.0.0"],
      ["exception.set", "ada", "v1.1.0"],
      ["exception.remove", "ada", "v1.1.0"],
    ],
  );
});
