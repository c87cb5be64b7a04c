import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { decodeJwt } from "jose";
import { OidcProvider } from "./oidc-provider.ts";
import { ScriptedBrowser } from "./scripted-browser.ts";

test("the real provider lets a scripted browser in by code and PKCE, and gives an ID token with its claims", async () => {
  await using provider = await OidcProvider.start({ groups: ["go", "pay"] });
  const calls: string[] = [];
  const callback = createServer((request, response) => {
    calls.push(request.url ?? "");
    response.end("signed in");
  }).listen(0, "127.0.0.1");
  await once(callback, "listening");
  const redirect_uri = `http://127.0.0.1:${(callback.address() as AddressInfo).port}/callback`;
  const verifier = "v".repeat(43);
  const challenge = Buffer.from(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));
  const query = new URLSearchParams({
    client_id: provider.clientId,
    response_type: "code",
    redirect_uri,
    scope: "openid email groups",
    code_challenge: challenge.toString("base64url"),
    code_challenge_method: "S256",
    state: "s",
  });
  assert.equal(await new ScriptedBrowser("gopher").visit(`${provider.issuer}/auth?${query}`), "signed in");
  callback.close();
  const given = new URL(calls[0] ?? "", redirect_uri).searchParams;
  assert.deepEqual([given.get("state"), given.get("iss")], ["s", provider.issuer]);
  const body = new URLSearchParams({
    grant_type: "authorization_code",
    code: given.get("code") ?? "",
    client_id: provider.clientId,
    redirect_uri,
    code_verifier: verifier,
  });
  const answer = (await (await fetch(`${provider.issuer}/token`, { method: "POST", body })).json()) as Record<
    string,
    string
  >;
  const { sub, aud, email, groups } = decodeJwt(answer.id_token ?? "");
  assert.deepEqual([sub, aud, email, groups], ["gopher", "modfront-cli", "gopher@corp.example", ["go", "pay"]]);
  assert.equal(typeof answer.refresh_token, "string");
});
