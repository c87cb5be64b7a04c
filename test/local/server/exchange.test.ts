import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { auditFile, openAuditDatabase } from "../../../lambda/local/data/audit-database.ts";
import { SqliteAuditLog } from "../../../lambda/local/data/sqlite-audit-log.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { filePath, moduleFixture } from "../../support/module-fixture.ts";
import { startProduct } from "../../support/product.ts";
import { ScriptedIssuer } from "../../support/scripted-issuer.ts";
import { ScriptedUpstream } from "../../support/scripted-upstream.ts";

// Tokens for ID tokens, through the front door of the composed product, and what the audit says of it afterwards.

const module = moduleFixture("corp.example/tools/m");
const zip = filePath(module, "zip");

/** A product that takes tokens of an issuer, and what is private of it. */
async function world(t: TestContext, rules: readonly object[], more: object = {}) {
  const issuer = await ScriptedIssuer.start();
  const upstream = await ScriptedUpstream.start();
  t.after(() => Promise.all([issuer[Symbol.asyncDispose](), upstream.close()]));
  for (const kind of ["info", "mod", "zip"] as const) upstream.on(filePath(module, kind), { body: module[kind] });
  const data = dataFolder(t);
  const product = await startProduct({
    data,
    config: {
      upstreams: [{ patterns: "corp.example", chain: upstream.url }],
      private: "corp.example",
      sumdb: { name: "off" },
      access: { anonymous: "none" },
      oidc: [{ issuer: issuer.issuer, audience: "modfront", rules }],
      ...more,
    },
  });
  t.after(() => product.stop());
  const exchange = async (idToken: string | undefined, init: RequestInit = {}) => {
    const body = idToken === undefined ? {} : { body: JSON.stringify({ id_token: idToken }) };
    const headers = { "content-type": "application/json", ...init.headers };
    const answer = await fetch(`${product.url}/-/token`, { method: "POST", ...body, ...init, headers });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };
  const fetched = async (token: string) => {
    const answer = await fetch(product.url + zip, { headers: { authorization: `Bearer ${token}` } });
    await answer.arrayBuffer();
    return answer.status;
  };
  const audited = async () => {
    const database = openAuditDatabase(join(data, auditFile));
    const { events } = await new SqliteAuditLog(database).query({ since: 0, until: 9e15, limit: 999, action: "token" });
    database.close();
    return events;
  };
  return { issuer, product, exchange, fetched, audited, data };
}

const job = { match: { repository: "corp/tools" }, modules: "corp.example/tools", minutes: 5 };

test("a CI job's ID token becomes a token that opens its rule's modules, and the audit names issuer, rule and repository", async (t) => {
  const { issuer, exchange, fetched, audited } = await world(t, [job]);
  const before = Date.now();
  const { status, text, headers } = await exchange(await issuer.token({ claims: { repository: "corp/tools" } }));
  assert.equal(status, 200, text);
  assert.equal(headers.get("cache-control"), "no-store");
  const { token, expires, ...rest } = JSON.parse(text);
  assert.deepEqual(rest, {});
  assert.ok(Math.abs(Date.parse(expires) - before - 300_000) < 60_000, expires);
  assert.equal(await fetched(token), 200);
  const [id] = JSON.parse(Buffer.from(token.slice(3).split(".")[0], "base64url").toString());
  const events = await audited();
  assert.deepEqual(
    events.map(({ time, request, ...event }) => [time >= before, request !== "", event]),
    [
      [
        true,
        true,
        {
          ...{ subject: "corp/tools", token: id, tenant: "", address: "127.0.0.1", action: "token.exchange" },
          ...{ module: "", version: "", target: issuer.issuer, decision: "done", rule: "oidc.0.rules.0", count: 1 },
        },
      ],
    ],
  );
  assert.ok(!JSON.stringify(events).includes(token.slice(-20)));
});
