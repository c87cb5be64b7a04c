import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { auditFile, openAuditDatabase } from "../../../lambda/local/data/audit-database.ts";
import { SqliteAuditLog } from "../../../lambda/local/data/sqlite-audit-log.ts";
import { runCli } from "../../support/cli.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { eventually } from "../../support/eventually.ts";
import { filePath, moduleFixture } from "../../support/module-fixture.ts";
import { OidcProvider } from "../../support/oidc-provider.ts";
import { startProduct } from "../../support/product.ts";
import { ScriptedBrowser } from "../../support/scripted-browser.ts";
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

/** Signs somebody in at a real provider, by code and PKCE, and returns the ID token. */
async function signIn({ issuer, clientId }: OidcProvider, login: string): Promise<string> {
  const verifier = "v".repeat(43);
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  // Nobody listens there: the browser's last address is all that is wanted.
  let code = "";
  const callback = createServer((request, response) => {
    code = new URL(request.url ?? "", "http://127.0.0.1").searchParams.get("code") ?? "";
    response.end();
  }).listen(0, "127.0.0.1");
  await once(callback, "listening");
  const redirect_uri = `http://127.0.0.1:${(callback.address() as AddressInfo).port}/callback`;
  const query = new URLSearchParams({
    ...{ client_id: clientId, response_type: "code", redirect_uri, scope: "openid email groups", state: "s" },
    ...{ code_challenge: challenge, code_challenge_method: "S256" },
  });
  await new ScriptedBrowser(login).visit(`${issuer}/auth?${query}`);
  callback.close();
  const grant = { grant_type: "authorization_code", code, client_id: clientId, redirect_uri, code_verifier: verifier };
  const answer = await fetch(`${issuer}/token`, { method: "POST", body: new URLSearchParams(grant) });
  return ((await answer.json()) as { id_token: string }).id_token;
}

test("a person signs in at a real provider, and what they get is by their groups", async (t) => {
  await using provider = await OidcProvider.start({ groups: ["go", "pay"] });
  const rules = [
    { match: { groups: "admins" }, role: "admin" },
    { match: { groups: "pay", email: "*@corp.example" }, modules: "corp.example/tools", minutes: 1 },
  ];
  const { product, exchange, fetched, audited } = await world(t, [], {
    oidc: [{ issuer: provider.issuer, audience: provider.clientId, clientId: provider.clientId, rules }],
  });
  const discovered = await fetch(`${product.url}/-/token`);
  assert.deepEqual(
    [discovered.status, await discovered.json()],
    [
      200,
      {
        issuers: [{ issuer: provider.issuer, audience: provider.clientId, clientId: provider.clientId }],
        certificates: false,
      },
    ],
  );
  const idToken = await signIn(provider, "gopher");
  const { status, text } = await exchange(idToken);
  assert.equal(status, 200, text);
  assert.equal(await fetched(JSON.parse(text).token), 200);
  // As Bearer too, without a body.
  const bearer = await exchange(undefined, { headers: { authorization: `Bearer ${idToken}`, "content-type": "" } });
  assert.equal(bearer.status, 200, bearer.text);
  assert.deepEqual(
    (await audited()).map(({ subject, target, rule }) => [subject, target, rule]),
    Array(2).fill(["gopher@corp.example", provider.issuer, "oidc.0.rules.1"]),
  );
});

test("refusals: by the names of claims and never their values, and nothing is written down", async (t) => {
  const { issuer, exchange, audited, product } = await world(t, [
    job,
    { match: { project_path: "corp/*", ref_protected: "true" }, modules: "corp.example/{project_path}" },
  ]);
  const good = { repository: "corp/tools" };
  type Row = readonly [proof: string | undefined, status: number, line: RegExp, init?: RequestInit];
  const bearer = (text: string) => ({ headers: { authorization: text } });
  const rows: readonly Row[] = [
    [undefined, 401, /^an ID token is expected/],
    [undefined, 400, /modfront token already/, bearer("Bearer mf_abc.def")],
    [undefined, 400, /as Bearer/, bearer("Basic dTpw")],
    [undefined, 401, /three parts/, bearer("Bearer x")],
    ["x", 401, /three parts/],
    [await issuer.token({ claims: { ...good, exp: 1 } }), 401, /has expired: its exp is over$/],
    [
      await issuer.token({ claims: { ...good, aud: "secret-aud" } }),
      401,
      /^the aud of this ID token is not as it must be$/,
    ],
    [
      await issuer.token({ claims: { iss: "https://secret.example" } }),
      403,
      /^no issuer of the configuration is the iss/,
    ],
    [
      await issuer.token({ claims: { repository: "secret/x" } }),
      403,
      /^no rule of this issuer fits; looked at: repository, project_path, ref_protected, event_name$/,
    ],
    [await issuer.token({ claims: { ...good, event_name: "pull_request" } }), 403, /event_name$/],
    [
      await issuer.token({ claims: { project_path: "corp/secret,@pay", ref_protected: "true" } }),
      403,
      /^the claim project_path is no part of a module path$/,
    ],
    [undefined, 400, /JSON/, { body: "{" }],
    [undefined, 400, /JSON/, { body: "[]" }],
    [undefined, 400, /JSON/, { body: '{"id_token":7}' }],
    [undefined, 400, /JSON/, { body: "null" }],
    [undefined, 415, /content-type/, { body: "id_token=x", headers: { "content-type": "text/plain" } }],
    ["x".repeat(100_000), 413, /more than 32768 bytes/],
    ["x".repeat(31_000), 401, /at most 30000 characters/],
  ];
  for (const [proof, status, line, init] of rows) {
    const got = await exchange(proof, init);
    assert.equal(got.status, status, got.text);
    assert.match(got.text.trimEnd(), line);
    assert.doesNotMatch(got.text, /secret|corp\/tools/);
    assert.equal(got.headers.has("www-authenticate"), status === 401);
  }
  const problem = await exchange("x", { headers: { accept: "application/json" } });
  assert.equal(JSON.parse(problem.text).status, 401);
  assert.deepEqual(await audited(), []);
  const other = await fetch(`${product.url}/-/token`, { method: "PUT" });
  assert.deepEqual([other.status, other.headers.get("allow")], [405, "GET, HEAD, POST"]);
});

test("a body that says it is too long is refused before any of it is read", async (t) => {
  const { product } = await world(t, [job]);
  const socket = connect(Number(new URL(product.url).port), "127.0.0.1");
  socket.write("POST /-/token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n");
  const [head] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  assert.match(head.toString(), /^HTTP\/1\.1 413 /);
});

test("an ID token counts once for a role that writes, however many ask at once and after a start; for a reader often", async (t) => {
  const made = await world(t, [{ match: { repository: "corp/tools", ref: "refs/tags/*" }, role: "publisher" }, job]);
  const claims = { repository: "corp/tools", jti: "one" };
  const reading = await made.issuer.token({ claims });
  for (let i = 0; i < 3; i++) assert.equal((await made.exchange(reading)).status, 200);
  const writing = await made.issuer.token({ claims: { ...claims, ref: "refs/tags/v1" } });
  const answers = await Promise.all(Array.from({ length: 8 }, () => made.exchange(writing)));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(7).fill(403)]);
  assert.match(answers.find(({ status }) => status === 403)?.text ?? "", /^this ID token was exchanged before/);
  // Signed anew, and still the same token.
  const again = await made.issuer.token({ claims: { ...claims, ref: "refs/tags/v2", iat: 1 } });
  assert.equal((await made.exchange(again)).status, 403);
  const without = await made.issuer.token({ claims: { repository: "corp/tools", ref: "refs/tags/v1" } });
  assert.deepEqual([(await made.exchange(without)).status, (await made.exchange(without)).status], [200, 403]);
  assert.deepEqual(
    (await made.audited()).map(({ rule }) => rule),
    [...Array(3).fill("oidc.0.rules.1"), ...Array(2).fill("oidc.0.rules.0")],
  );
});

test("where the audit log cannot be written there is no token", async (t) => {
  const { issuer, exchange, data } = await world(t, [job]);
  const idToken = await issuer.token({ claims: { repository: "corp/tools" } });
  assert.equal((await exchange(idToken)).status, 200);
  const database = new DatabaseSync(join(data, auditFile));
  database.exec("CREATE TRIGGER closed BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'closed'); END");
  const { status, text } = await exchange(idToken);
  assert.ok(status >= 500 && !text.includes("mf_"), text);
  database.exec("DROP TRIGGER closed");
  database.close();
  assert.equal((await exchange(idToken)).status, 200);
});

test("the issuer gone is 502, and says nothing of why", async (t) => {
  const { issuer, exchange } = await world(t, [job]);
  const idToken = await issuer.token({ claims: { repository: "corp/tools" } });
  await issuer[Symbol.asyncDispose]();
  const { status, text } = await exchange(idToken);
  assert.deepEqual([status, text], [502, `the keys of ${issuer.issuer} cannot be read at the moment\n`]);
});

test("a token of a rule's minute ends after it, and with the keys that it was signed by", async (t) => {
  const { issuer, exchange, fetched, data } = await world(t, [{ ...job, minutes: 1 }]);
  const { token, expires } = JSON.parse(
    (await exchange(await issuer.token({ claims: { repository: "corp/tools" } }))).text,
  );
  const [, , end] = JSON.parse(Buffer.from(token.slice(3).split(".")[0], "base64url").toString());
  assert.equal(new Date(end * 1000).toISOString(), expires);
  assert.ok(end - Date.now() / 1000 <= 60);
  assert.equal(await fetched(token), 200);
  const listed = await runCli(["token", "list", "--data", data]);
  assert.deepEqual([listed.code, listed.stdout], [0, ""], listed.stderr);
  const rotated = await runCli(["token", "rotate-key", "--drop-old", "--data", data]);
  assert.equal(rotated.code, 0, rotated.stderr);
  await eventually(async () => (await fetched(token)) === 401);
});
