import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { skipWithoutOpenssl as skip } from "../../support/certificate.ts";
import { runCli } from "../../support/cli.ts";
import { LoginWorld, printedCredential } from "../../support/login-world.ts";
import { ScriptedBrowser } from "../../support/scripted-browser.ts";
import { ScriptedExchange } from "../../support/scripted-exchange.ts";

// People sign in by a real provider, in a process of its own, with the real CLI and a browser that does as it is told.

const address = /(?<=sign in at )http:\/\/127\S+/;

test("login by the browser keeps the token with what renews it, for its owner alone", { skip }, async (t) => {
  const world = await LoginWorld.open(t);
  const { provider, server } = world;
  const { code, stdout, stderr } = await world.run(["login", server.url]);
  assert.deepEqual([code, stdout], [0, ""], stderr);
  assert.match(
    stderr,
    /^signing in to https:\/\/127\S+ by http:\/\/127\S+\nsign in at http:\/\/127.*code_challenge_method=S256/,
  );
  assert.match(stderr, /is kept and will be renewed/);
  assert.deepEqual([provider.grants, server.subjects], [["authorization_code"], ["gopher"]]);
  assert.equal(statSync(world.file).mode & 0o777, 0o600);
  const { token, renewal } = world.kept;
  const expected = { kind: "provider", issuer: provider.issuer, clientId: provider.clientId };
  assert.partialDeepStrictEqual({ token, renewal }, { token: ScriptedExchange.token(1), renewal: expected });
  assert.equal((await world.credential()).stdout, printedCredential(server, 1));
});

test("login by another device waits until its code was typed", { skip }, async (t) => {
  const world = await LoginWorld.open(t);
  await using login = world.start(["login", world.server.url, "--device"]);
  const page = await login.said(/(?<=open )http:\/\/127\S+/);
  assert.match(await login.said(/the code is .+\n/), /[A-Z]{4}-[A-Z]{4}/);
  await new ScriptedBrowser("gopher").visit(page);
  assert.equal((await login.ended).code, 0, login.stderr);
  assert.deepEqual(world.server.subjects, ["gopher"]);
  assert.equal(world.kept.renewal?.kind, "provider");
});

test("a provider that gives no refresh token leaves a login that ends, and says so", { skip }, async (t) => {
  const world = await LoginWorld.open(t, { refreshes: false });
  const { code, stderr } = await world.run(["login", world.server.url]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /nothing to renew the token by; some want --prompt consent/);
  assert.match(stderr, /is kept until 2/);
  assert.equal(world.kept.renewal, undefined);
  world.age(601);
  const ended = await world.credential("401 Unauthorized");
  assert.deepEqual([ended.code, ended.stdout], [0, ""]);
  assert.match(ended.stderr, /the token has ended: modfront login https/);
});

test("a provider that wants to be asked for a refresh token, or to see a secret, gets what it wants", {
  skip,
}, async (t) => {
  const strict = await LoginWorld.open(t, { refreshes: "consent" });
  await strict.login();
  const without = strict.kept;
  await strict.login("--prompt", "consent");
  assert.deepEqual([without.renewal, strict.kept.renewal?.kind], [undefined, "provider"]);

  const world = await LoginWorld.open(t, { clientSecret: "s3cret-of-the-client" });
  const login = (secret: string) => {
    const environment = { ...world.environment, MODFRONT_CLIENT_SECRET: secret };
    return runCli(["login", world.server.url], { environment });
  };
  for (const secret of ["", "s3cret-of-others"]) {
    const { code, stderr } = await login(secret);
    assert.equal(code, 1);
    assert.match(stderr, /: invalid_client: /);
    assert.ok(!stderr.includes("s3cret"), stderr);
  }
  const { code, stderr } = await login("s3cret-of-the-client");
  assert.equal(code, 0, stderr);
  world.age(500);
  assert.equal((await world.credential()).stdout, printedCredential(world.server, 2));
});

/** Asks the listener as any page or program of the machine can. */
function knock(base: URL, method: string, path: string, host = base.host): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const options = { host: "127.0.0.1", port: base.port, method, path, headers: { host }, agent: false };
  request(options, (answer) => resolve(answer.resume().statusCode ?? 0))
    .on("error", reject)
    .end();
  return promise;
}

test("what the listener is sent by others ends nothing, and the sign-in goes on", { skip }, async (t) => {
  const world = await LoginWorld.open(t);
  await using login = world.start(["login", world.server.url], { BROWSER: "true" });
  const page = new URL(await login.said(address));
  const base = new URL(page.searchParams.get("redirect_uri") ?? "");
  const state = page.searchParams.get("state") ?? "";
  const rows: readonly (readonly [status: number, method: string, path: string, host?: string])[] = [
    [400, "GET", "/callback?code=x"],
    [400, "GET", "/callback?code=x&state=wrong"],
    [400, "GET", `/callback?code=x&state=${state}&state=${state}`],
    [404, "GET", "/"],
    [404, "GET", `/other?code=x&state=${state}`],
    [404, "GET", `/callback/../callback?code=x&state=${state}`],
    [404, "GET", `//evil.example/callback?code=x&state=${state}`],
    [405, "POST", `/callback?code=x&state=${state}`],
    [403, "GET", `/callback?code=x&state=${state}`, `evil.example:${base.port}`],
    [403, "GET", `/callback?code=x&state=${state}`, "127.0.0.1"],
    [403, "GET", `/callback?code=x&state=${state}`, `localhost:${base.port}`],
  ];
  for (const [status, method, path, host] of rows)
    assert.equal(await knock(base, method, path, host), status, `${method} ${path} ${host}`);
  // Neither who says nothing nor who never ends what they say keeps it from ending.
  const silent = connect(Number(base.port), "127.0.0.1");
  const slow = connect(Number(base.port), "127.0.0.1");
  await Promise.all([once(silent, "connect"), once(slow, "connect")]);
  slow.write(`GET /callback?code=x&state=${state} HTTP/1.1\r\nHost: 127.0`);
  assert.match(await new ScriptedBrowser("gopher").visit(page.href), /The rest is in the terminal/);
  assert.equal((await login.ended).code, 0, login.stderr);
  assert.deepEqual(world.server.subjects, ["gopher"]);
  await assert.rejects(knock(base, "GET", `/callback?code=x&state=${state}`), { code: "ECONNREFUSED" });
  for (const socket of [silent, slow]) socket.destroy();
});

test("answers with the right state that are refusals, or another provider's, end it without a code", {
  skip,
}, async (t) => {
  const world = await LoginWorld.open(t);
  const iss = `iss=${encodeURIComponent(world.provider.issuer)}`;
  const rows = [
    [
      `${iss}&error=access_denied&error_description=${encodeURIComponent("no\u001b[2J thanks")}`,
      /127\S+: access_denied: no\?\[2J thanks\n/,
    ],
    ["code=x&iss=https%3A%2F%2Fevil.example", /unexpected "iss"/],
    ["code=x", /"iss".*missing/],
    [`code=x&code=y&${iss}`, /"code" parameter must be provided only once/],
    [`code=s3cr3t-code&${iss}`, /invalid_grant/],
  ] as const;
  for (const [answer, said] of rows) {
    await using login = world.start(["login", world.server.url], { BROWSER: "true" });
    const page = new URL(await login.said(address));
    const base = new URL(page.searchParams.get("redirect_uri") ?? "");
    assert.equal(await knock(base, "GET", `/callback?${answer}&state=${page.searchParams.get("state")}`), 200);
    assert.equal((await login.ended).code, 1);
    assert.match(login.stderr, said);
    assert.ok(!login.stderr.includes("s3cr3t-code"));
  }
  assert.deepEqual([world.server.subjects, existsSync(world.file)], [[], false]);
});

test("a browser that is not there, or never comes back, is not waited for for ever", { skip }, async (t) => {
  const world = await LoginWorld.open(t);
  for (const [program, said] of [
    ["/nonexistent/browser", /no browser can be opened here.*\n.*nobody signed in within 1 seconds/],
    ["/etc/passwd/browser", /no browser can be opened here.*\n.*nobody signed in within 1 seconds/],
    ["true", /nobody signed in within 1 seconds/],
  ] as const) {
    await using login = world.start(["login", world.server.url, "--wait", "1"], { BROWSER: program });
    assert.equal((await login.ended).code, 1);
    assert.match(login.stderr, said);
  }
});

test("what the server refuses is said in one line, and nothing is kept", { skip }, async (t) => {
  const world = await LoginWorld.open(t);
  const rows = [
    [
      403,
      '{"detail":"no rule matches the claims\\u001b[2J groups, email"}',
      "no rule matches the claims?[2J groups, email",
    ],
    [403, "no rule matches\nsecond", "no rule matches"],
    [502, "<html>bad gateway</html>", "answered 502"],
    [302, "", "answered 302"],
    [200, `{"token":"${"x".repeat(300_000)}"}`, "gives no answer about tokens"],
    [200, '{"token":"x","expires":"2030-01-01T00:00:00Z"}', "answers with something that is no token"],
  ] as const;
  for (const [status, body, said] of rows) {
    world.server.script.refusal = [status, body];
    const { code, stderr } = await world.run(["login", world.server.url]);
    assert.equal(code, 1);
    assert.ok(stderr.trim().endsWith(said), stderr);
  }
  assert.equal(existsSync(world.file), false);
});

test("with several providers a flag says which, and wrong flags say what is wrong", { skip }, async (t) => {
  const world = await LoginWorld.open(t, {}, {});
  const { issuer, clientId } = world.provider;
  const { server } = world;
  (server.script.issuers as unknown[]).unshift(
    { issuer: "https://other.example", clientId },
    { issuer: "https://ci.example" },
  );
  const rows: readonly (readonly [said: RegExp, ...flags: string[]])[] = [
    [new RegExp(`--issuer says by which provider: https://other.example, ${issuer}\n`)],
    [/--issuer says by which/, "--issuer", "https://ci.example"],
    [/--device and --token are two ways/, "--device", "--token"],
    [/--cert takes the --key/, "--cert", "cert.pem"],
    [/--key takes the --cert/, "--key", "key.pem"],
    [/--port takes a number of at most 65535/, "--issuer", issuer, "--port", "65536"],
    [/--wait takes a number/, "--issuer", issuer, "--wait", "soon"],
  ];
  for (const [said, ...flags] of rows) {
    const { code, stderr } = await world.run(["login", server.url, ...flags]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, said);
  }
  await world.login("--issuer", issuer);
  assert.deepEqual(server.subjects, ["gopher"]);
});
