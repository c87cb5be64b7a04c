import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { generateKeyPair, SignJWT } from "jose";
import { boundedFetch } from "../../../bin/login/bounded-fetch.ts";
import { Provider } from "../../../bin/login/provider.ts";

// A provider that means harm, or is not there: what it says is not believed, waited for or kept in memory without an end.

async function listen(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const wishes = { scopes: [], prompt: undefined };

/** Discovers a provider that says this of itself, and has it ask for what the document is needed for. */
async function discovered(t: TestContext, document: (issuer: string) => object, date?: string) {
  const issuer: string = await listen(t, (_request, response) => {
    if (date !== undefined) response.setHeader("date", date);
    response.setHeader("content-type", "application/json").end(JSON.stringify(document(issuer)));
  });
  return await Provider.discover({ issuer, clientId: "c" }, Date.now);
}

test("a discovery document that is not the issuer's own, or names addresses in the clear, is not followed", async (t) => {
  const fine = (issuer: string) => ({
    issuer,
    authorization_endpoint: `${issuer}/auth`,
    token_endpoint: `${issuer}/token`,
    device_authorization_endpoint: `${issuer}/device`,
  });
  const { url } = await (await discovered(t, fine)).authorize("http://127.0.0.1:1/callback", wishes);
  assert.equal(url.pathname, "/auth");

  const rows: readonly (readonly [change: object, said: RegExp])[] = [
    [{ issuer: "https://evil.example" }, /^127\.0\.0\.1:\d+: .*"issuer"/],
    [{ issuer: undefined }, /"issuer"/],
    [{ authorization_endpoint: undefined }, /no authorization endpoint/],
    [{ authorization_endpoint: "javascript:alert(1)" }, /is not https/],
    [{ authorization_endpoint: "file:///etc/passwd" }, /is not https/],
    [{ authorization_endpoint: "http://192.0.2.1/auth" }, /is not https/],
    [{ authorization_endpoint: 7 }, /./],
  ];
  for (const [change, said] of rows) {
    const asked = discovered(t, (issuer) => ({ ...fine(issuer), ...change })).then((provider) =>
      provider.authorize("http://127.0.0.1:1/callback", wishes),
    );
    await assert.rejects(
      asked,
      ({ code, message }) => code === "provider" && said.test(message),
      JSON.stringify(change),
    );
  }
  const elsewhere = { token_endpoint: "http://192.0.2.1/token" };
  const provider = await discovered(t, (issuer) => ({ ...fine(issuer), ...elsewhere }));
  await assert.rejects(provider.refresh("r3fresh-t0ken"), /only HTTPS, but on this machine$/);
});

test("an issuer that is not on this machine is asked by TLS only", async () => {
  for (const issuer of [
    "http://login.example",
    "http://127.0.0.1.evil.example",
    "ftp://login.example",
    "login.example",
  ])
    await assert.rejects(Provider.discover({ issuer, clientId: "c" }, Date.now), { code: "provider" }, issuer);
});

test("redirects, what is no JSON, and more than a document can be, are failures in one line", async (t) => {
  let asked = 0;
  const target = await listen(t, (_request, response) => {
    asked++;
    response.end();
  });
  const rows: readonly (readonly [answer: RequestListener, said: RegExp])[] = [
    [(_, response) => response.writeHead(302, { location: target }).end(), /unexpected HTTP/],
    [(_, response) => response.writeHead(500).end("x"), /unexpected HTTP/],
    [(_, response) => response.setHeader("content-type", "application/json").end("{"), /JSON/],
    [(_, response) => response.setHeader("content-type", "text/html").end("<html>"), /content-type/],
    [
      (_, response) => response.setHeader("content-type", "application/json").end(Buffer.alloc(10 << 20, 32)),
      /more than 1 MiB/,
    ],
    [(request) => request.socket.destroy(), /fetch failed/],
  ];
  for (const [answer, said] of rows) {
    const issuer = await listen(t, answer);
    await assert.rejects(
      Provider.discover({ issuer, clientId: "c" }, Date.now),
      ({ code, message }) => code === "provider" && said.test(message) && !message.includes("\n"),
      String(said),
    );
  }
  assert.equal(asked, 0, "a redirect is not followed");
});

test("what a provider says of a refusal is said on, without the tokens that are in it", async (t) => {
  const issuer: string = await listen(t, (request, response) => {
    response.setHeader("content-type", "application/json");
    if (request.url !== "/token")
      return void response.end(JSON.stringify({ issuer, token_endpoint: `${issuer}/token` }));
    const said = "r3fresh-t0ken of the client with s3cret-s3cret is over\nlong ago";
    response.writeHead(400).end(JSON.stringify({ error: "invalid_grant", error_description: said }));
  });
  const provider = await Provider.discover({ issuer, clientId: "c", clientSecret: "s3cret-s3cret" }, Date.now);
  const message = `${new URL(issuer).host}: invalid_grant: … of the client with … is over?long ago`;
  await assert.rejects(provider.refresh("r3fresh-t0ken"), { code: "provider-refused", message });
});

test("a provider that never ends its answer is left", async (t) => {
  const silent = await listen(t, () => {});
  const dripping = await listen(t, (_request, response) => response.writeHead(200).write("{"));
  for (const url of [silent, dripping]) {
    const asked = boundedFetch(url, { method: "GET", headers: {} }, AbortSignal.timeout(50));
    await assert.rejects(asked, { name: "TimeoutError" });
  }
});

test("what providers want for a refresh token is asked for by what they say of themselves", async (t) => {
  const rows = [
    [["openid", "email", "profile", "offline_access", "groups"], [], "openid profile email offline_access", null, null],
    [["openid", "offline_access"], ["groups"], "openid offline_access groups", null, null],
    // Google.
    [["openid", "email", "profile"], [], "openid profile email", "offline", "consent"],
    [undefined, [], "openid", "offline", "consent"],
  ] as const;
  for (const [known, scopes, scope, access, prompt] of rows) {
    const provider = await discovered(t, (issuer) => ({
      issuer,
      authorization_endpoint: `${issuer}/auth?tenant=x`,
      scopes_supported: known,
    }));
    const { url } = await provider.authorize("http://127.0.0.1:1/callback", { scopes, prompt: undefined });
    const asked = ["scope", "access_type", "prompt", "tenant"].map((name) => url.searchParams.get(name));
    assert.deepEqual(asked, [scope, access, prompt, "x"]);
    const insisting = await provider.authorize("http://127.0.0.1:1/callback", { scopes, prompt: "select_account" });
    assert.equal(insisting.url.searchParams.get("prompt"), "select_account");
  }
});

test("an ID token that is not the answer to what was asked is not taken, by the provider's clock", async (t) => {
  const hour = 3600;
  const { privateKey } = await generateKeyPair("ES256");
  const rows: readonly (readonly [claims: object, said: RegExp | undefined, ahead?: number])[] = [
    [{}, undefined],
    [{}, undefined, hour],
    [{}, undefined, -hour],
    [{ nonce: "of somebody else" }, /nonce/],
    [{ nonce: undefined }, /nonce/],
    [{ aud: "another" }, /aud/],
    [{ aud: ["c", "another"] }, /untrusted audiences/],
    [{ iss: "https://evil.example" }, /iss/],
    [{ exp: 0 }, /"exp"/],
    [{ exp: undefined }, /exp/],
    [{ iat: "now" }, /iat/],
  ];
  for (const [claims, said, ahead = 0] of rows) {
    let nonce = "";
    const now = Math.floor(Date.now() / 1000) + ahead;
    const issuer: string = await listen(t, async (request, response) => {
      // The document has lain in a cache for a day.
      const age = request.url === "/token" ? 0 : 24 * hour;
      response.setHeader("date", new Date((now - age) * 1000).toUTCString());
      response.setHeader("content-type", "application/json");
      const document = {
        issuer,
        authorization_endpoint: `${issuer}/auth`,
        token_endpoint: `${issuer}/token`,
        id_token_signing_alg_values_supported: ["ES256"],
      };
      if (request.url !== "/token") return void response.end(JSON.stringify(document));
      const all = { iss: issuer, sub: "gopher", aud: "c", nonce, iat: now, nbf: now, exp: now + 60, ...claims };
      const id_token = await new SignJWT(all as never).setProtectedHeader({ alg: "ES256" }).sign(privateKey);
      response.end(JSON.stringify({ access_token: "a", token_type: "bearer", id_token }));
    });
    const provider = await Provider.discover({ issuer, clientId: "c" }, Date.now);
    const authorization = await provider.authorize("http://127.0.0.1:1/callback", wishes);
    nonce = authorization.nonce;
    const back = new URL(`http://127.0.0.1:1/callback?code=c0de-c0de&state=${authorization.state}`);
    const redeemed = provider.redeem(provider.checkAnswer(back, authorization), authorization);
    if (said === undefined) assert.equal((await redeemed).refreshToken, undefined);
    else
      await assert.rejects(
        redeemed,
        ({ code, message }) => code === "provider" && said.test(message),
        JSON.stringify(claims),
      );
  }
});
