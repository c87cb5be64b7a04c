import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { generateKeyPair, SignJWT } from "jose";
import { signInByDevice } from "../../../bin/login/sign-in.ts";

// Signing in by another device, as far as a real provider (sign-in.test.ts) does not show it: how long and how often is asked.

interface Script {
  /** What is said of the code. */
  readonly device: object;
  /** What each question is answered, the last again and again: an error, or nothing for a grant. */
  readonly answers: readonly (string | undefined)[];
}

/** Signs in by a provider that answers by script, and returns the pauses in seconds, and what the person was told. */
async function run(t: TestContext, { device, answers }: Script, wait = 300) {
  const { privateKey } = await generateKeyPair("ES256");
  let asked = 0;
  const server = createServer(async ({ url }, response) => {
    response.setHeader("content-type", "application/json");
    const document = {
      issuer,
      token_endpoint: `${issuer}/token`,
      device_authorization_endpoint: `${issuer}/device`,
      id_token_signing_alg_values_supported: ["ES256"],
    };
    if (url === "/device") return void response.end(JSON.stringify({ device_code: "d3vice-code", ...device }));
    if (url !== "/token") return void response.end(JSON.stringify(document));
    const error = answers[Math.min(asked++, answers.length - 1)];
    if (error !== undefined) return void response.writeHead(400).end(JSON.stringify({ error }));
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: issuer, aud: "c", sub: "gopher", iat: now, exp: now + 60 };
    const id_token = await new SignJWT(claims).setProtectedHeader({ alg: "ES256" }).sign(privateKey);
    response.end(JSON.stringify({ access_token: "a", token_type: "bearer", id_token }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [pauses, notes]: [number[], string[]] = [[], []];
  const note = (line: string) => notes.push(line);
  const renewer = { platform: "linux", environment: {}, now: Date.now, note };
  const client = { issuer, clientId: "c" };
  const signIn = { client, wishes: { scopes: [], prompt: undefined }, port: 0, wait };
  const pause = async (milliseconds: number) => pauses.push(milliseconds / 1000);
  const ended = await signInByDevice(signIn, renewer, pause).then(
    () => "signed in",
    ({ code, message }) => `${code}: ${message.replace(/^127\S+ /, "")}`,
  );
  return { ended, pauses, notes };
}

const page = { user_code: "ABCD-EFGH", verification_uri: "https://login.example/device", expires_in: 600 };

test("the provider is asked as often as it wants, and more slowly when it says so", async (t) => {
  const pending = "authorization_pending";
  const rows: readonly (readonly [script: Script, ended: string, pauses: readonly number[], wait?: number])[] = [
    [{ device: { ...page, interval: 2 }, answers: [pending, pending, undefined] }, "signed in", [2, 2, 2]],
    [{ device: page, answers: [pending, "slow_down", pending, undefined] }, "signed in", [5, 5, 10, 10]],
    // Neither never nor always.
    [{ device: { ...page, interval: 0.001 }, answers: [undefined] }, "signed in", [1]],
    [{ device: { ...page, interval: 1e9 }, answers: [undefined] }, "signed in", [60]],
    [{ device: page, answers: ["access_denied"] }, "provider: access_denied", [5]],
    [{ device: page, answers: ["expired_token"] }, "provider: expired_token", [5]],
    // By the person's patience, or by the life of the code.
    [{ device: page, answers: [pending] }, "login-timeout: nobody signed in by that code in time", [5, 5, 5], 12],
    [
      { device: { ...page, expires_in: 9 }, answers: [pending] },
      "login-timeout: nobody signed in by that code in time",
      [5, 5],
    ],
  ];
  for (const [script, expected, pauses, wait] of rows) {
    const signedIn = await run(t, script, wait);
    assert.deepEqual([signedIn.ended, signedIn.pauses], [expected, pauses], JSON.stringify(script));
  }
});

test("what the person is told cannot move the cursor, and leads nowhere but to https", async (t) => {
  const told = await run(t, { device: { ...page, user_code: "A\u001b[2J\nB" }, answers: [undefined] });
  assert.deepEqual(told.notes, ["open https://login.example/device and say that the code is A?[2J?B"]);
  for (const verification_uri of ["http://login.example/device", "javascript:alert(1)", "file:///etc/passwd"]) {
    const { ended, notes } = await run(t, { device: { ...page, verification_uri }, answers: [undefined] });
    assert.deepEqual([ended, notes], ["provider: its page for the codes of devices is not https", []]);
  }
});
