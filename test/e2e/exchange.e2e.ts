import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { filePath, moduleFixture, versionsPath } from "../support/module-fixture.ts";
import { githubActions } from "../support/provider-claims.ts";
import { ScriptedIssuer } from "../support/scripted-issuer.ts";
import { ScriptedUpstream } from "../support/scripted-upstream.ts";
import { Site } from "../support/site.ts";
import { stackCli } from "../support/stack-cli.ts";

// A CI job's ID token becomes a token of a deployment, the token fetches, and the audit names the repository. The tests are a
// story: each begins where the one before ended.

const tools = moduleFixture("corp.example/tools/m");
const other = moduleFixture("corp.example/other/m");

describe("the exchange, deployed", () => {
  let scripted: ScriptedUpstream;
  let issuer: ScriptedIssuer;
  let site: Site;
  let token = "";

  before(async () => {
    scripted = await ScriptedUpstream.start();
    issuer = await ScriptedIssuer.start();
    for (const module of [tools, other]) {
      scripted.on(`${versionsPath(module)}/list`, { body: `${module.version}\n` });
      for (const kind of ["info", "mod", "zip"] as const) scripted.on(filePath(module, kind), { body: module[kind] });
    }
    const rules = [
      {
        match: { repository_owner_id: "1234567", ref: "refs/tags/*" },
        role: "publisher",
        modules: "corp.example/tools",
      },
      { match: { repository_owner_id: "1234567" }, modules: "corp.example/{team}", minutes: 5 },
    ];
    site = await Site.start({
      private: "corp.example",
      upstreams: [{ patterns: "corp.example", chain: scripted.url }],
      sumdb: { name: "off" },
      oidc: [{ issuer: issuer.issuer, audience: "modfront", rules }],
    });
  });

  after(async () => {
    await site?.stop();
    await issuer?.[Symbol.asyncDispose]();
    await scripted?.close();
  });

  /** A job's ID token, with the claims that GitHub writes and these. */
  const jobs = (claims: object) =>
    issuer.token({
      claims: { ...githubActions, iss: issuer.issuer, aud: "modfront", jti: "job-1", team: "tools", ...claims },
    });

  const ask = async (init: RequestInit) => {
    const answer = await fetch(`${site.url}/-/token`, { method: "POST", ...init });
    return { status: answer.status, text: await answer.text(), cache: answer.headers.get("cache-control") };
  };

  const exchange = (idToken: string) =>
    ask({ body: JSON.stringify({ id_token: idToken }), headers: { "content-type": "application/json" } });

  const fetched = async (path: string, shown: string) => {
    const answer = await fetch(site.url + path, { headers: { authorization: `Bearer ${shown}` } });
    await answer.arrayBuffer();
    return answer.status;
  };

  test("anybody is told where to sign in", async () => {
    const answer = await fetch(`${site.url}/-/token`);
    assert.deepEqual(
      [answer.status, answer.headers.get("cache-control"), await answer.json()],
      [200, "no-store", { issuers: [{ issuer: issuer.issuer, audience: "modfront" }], certificates: false }],
    );
  });

  test("before anybody made a token, a job's ID token becomes one, by body and as Bearer", async () => {
    const { status, text, cache } = await exchange(await jobs({}));
    assert.deepEqual([status, cache], [200, "no-store"], text);
    token = JSON.parse(text).token;
    assert.match(token, /^mf_/);
    const bearer = await ask({ headers: { authorization: `Bearer ${await jobs({})}` } });
    assert.equal(bearer.status, 200, bearer.text);
    assert.notEqual(JSON.parse(bearer.text).token, token);
  });

  test("the token fetches what its rule opens, cold and from the cache, and nothing else", async () => {
    // The edge's copy of the keys is a second old.
    await eventually(async () => (await fetched(filePath(tools, "zip"), token)) === 200);
    assert.equal(await fetched(filePath(tools, "zip"), token), 200);
    assert.equal(await fetched(filePath(other, "zip"), token), 403);
    assert.equal(await fetched("/-/api/tokens", token), 403);
  });

  test("an ID token counts once for a role that writes, and refusals name claims and quote nothing", async () => {
    const release = await jobs({ ref: "refs/tags/v1" });
    const answers = await Promise.all(Array.from({ length: 4 }, () => exchange(release)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 403, 403, 403]);
    const rows: readonly (readonly [claims: object, status: number, line: RegExp])[] = [
      [
        { repository_owner_id: "7777" },
        403,
        /^no rule of this issuer fits; looked at: repository_owner_id, ref, team\n$/,
      ],
      [{ event_name: "pull_request" }, 403, /^no rule of this issuer fits/],
      [{ team: "*" }, 403, /^the claim team is no part of a module path\n$/],
      [{ aud: "elsewhere" }, 401, /^the aud of this ID token is not as it must be\n$/],
      [{ exp: 1 }, 401, /^this ID token has expired/],
      [{ iss: "https://evil.example" }, 403, /^no issuer of the configuration/],
    ];
    for (const [claims, status, line] of rows) {
      const got = await exchange(await jobs(claims));
      assert.equal(got.status, status, got.text);
      assert.match(got.text, line);
    }
  });

  test("a certificate that a client writes into headers itself is none", async () => {
    const headers = {
      "cloudfront-viewer-cert-present": "1",
      "cloudfront-viewer-cert-pem": "x",
      "x-modfront-credentials": "x",
    };
    assert.equal((await ask({ headers })).status, 401);
  });

  test("the audit names issuer, rule and repository of what was given, and nothing of what was not", async () => {
    const { code, stdout, stderr } = await stackCli(site, "audit", "--action", "token.exchange", "--json");
    assert.equal(code, 0, stderr);
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      events.map(({ subject, target, rule, decision }) => [subject, target, rule, decision]),
      [1, 1, 0].map((rule) => ["corp/tools", issuer.issuer, `oidc.0.rules.${rule}`, "done"]),
    );
    const [id] = JSON.parse(Buffer.from(token.slice(3).split(".")[0] ?? "", "base64url").toString());
    assert.equal(events[0].token, id);
  });

  test("with the keys rotated new tokens are of the new key, and the old one ends with the one before", async () => {
    assert.equal((await stackCli(site, "token", "rotate-key", "--drop-old")).code, 0);
    await eventually(async () => (await fetched(filePath(tools, "zip"), token)) === 401);
    let fresh = "";
    // The functions are told of the new key that the edge signs with.
    await eventually(async () => {
      const { status, text } = await exchange(await jobs({}));
      if (status === 200) fresh = JSON.parse(text).token;
      return status === 200;
    });
    await eventually(async () => (await fetched(filePath(tools, "zip"), fresh)) === 200);
  });

  test("no ID token and no token is in a log of the functions", async () => {
    const idToken = await jobs({ actor: "nobody-else" });
    await exchange(idToken);
    const log = site.aws.log();
    assert.ok(!log.includes(token.slice(-43)) && !log.includes(idToken.slice(-60)) && !log.includes("nobody-else"));
  });
});
