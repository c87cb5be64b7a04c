import assert from "node:assert/strict";
import { test } from "node:test";
import { anonymous } from "../../lambda/edge/token.ts";
import { Exchange } from "../../lambda/exchange/exchange.ts";
import { ExchangeRate } from "../../lambda/exchange/exchange-rate.ts";
import { exchangeRoutes } from "../../lambda/exchange/exchange-routes.ts";
import { clientAddress } from "../../lambda/http/client-address.ts";
import { frame } from "../../lambda/http/frame.ts";
import type { AdmittedRequest } from "../../lambda/http/handler.ts";
import { ScriptedIssuer } from "../support/scripted-issuer.ts";

// How much anybody may have the exchange do.

test("a client asks 300 times at once, then five times a second; others are not hindered, and what is forgotten begins anew", () => {
  let now = 1_000_000;
  const rate = new ExchangeRate(() => now);
  const took = (client: string, times: number) =>
    Array.from({ length: times }, () => rate.take(client)).filter(Boolean).length;
  assert.equal(took("a", 400), 300);
  assert.equal(took("b", 10), 10);
  now += 2000;
  assert.equal(took("a", 400), 10);
  // Refused requests do not put the next one off, and a clock that goes back gives nothing.
  now += 100;
  assert.equal(took("a", 5), 0);
  now += 100;
  assert.equal(took("a", 5), 1);
  now -= 60_000;
  assert.equal(took("a", 5), 0);
  now += 3_600_000;
  assert.equal(took("a", 400), 300);
});

/** The exchange of one issuer whose keys come when they are let go, and how its row answers. */
async function world(issuer: ScriptedIssuer) {
  let gate = Promise.withResolvers<void>();
  let now = Date.now();
  const issuers = [
    {
      issuer: issuer.issuer,
      audience: "modfront",
      rules: [{ match: { sub: ["*"] }, role: "viewer", modules: [], minutes: 5 }],
    },
  ] as const;
  const parts = { issuers, subjects: [], now: () => now };
  const exchange = new Exchange({
    ...parts,
    tenants: [],
    read: async (url) => {
      await gate.promise;
      return await (await fetch(url)).text();
    },
    used: { use: async () => true },
    audit: { write: async () => {} },
    signingKey: async () => ({ id: "abc", secret: "s".repeat(43) }),
  });
  const rows = exchangeRoutes({ ...parts, exchange, clientOf: clientAddress });
  const post = async (headers: Record<string, string>, body = "", address = "192.0.2.1") => {
    let read = false;
    const request = {
      ...{ method: "POST", routed: { route: "site", path: "/-/token" }, identity: anonymous, headers },
      body: async () => {
        read = true;
        return Buffer.from(body);
      },
      origin: { request: "r", address },
    } as const satisfies AdmittedRequest;
    const answer = frame(await (rows[1]?.handler(request) ?? assert.fail("no row")));
    return { status: answer.status, headers: answer.headers, read };
  };
  return {
    post,
    letGo: gate.resolve,
    hang: () => {
      gate = Promise.withResolvers<void>();
      return { letGo: gate.resolve };
    },
    later: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

test("for the keys of one issuer 32 wait, and others are told to try again, while they hang", async () => {
  await using issuer = await ScriptedIssuer.start();
  const { post, letGo } = await world(issuer);
  const authorization = `Bearer ${await issuer.token()}`;
  const waiting = Array.from({ length: 32 }, () => post({ authorization }));
  const late = await post({ authorization });
  assert.deepEqual([late.status, late.headers["retry-after"]], [429, "1"]);
  letGo();
  assert.deepEqual(new Set((await Promise.all(waiting)).map(({ status }) => status)), new Set([200]));
  assert.equal(issuer.asked["/keys"], 1);
  assert.equal((await post({ authorization })).status, 200);
});

test("tokens of unknown keys that wait for a reading keep nobody out whose key is known", async () => {
  await using issuer = await ScriptedIssuer.start();
  const { post, letGo, later, hang } = await world(issuer);
  letGo();
  const authorization = `Bearer ${await issuer.token()}`;
  assert.equal((await post({ authorization })).status, 200);
  const { letGo: answerAtLast } = hang();
  later(31_000);
  const strange = await issuer.token({ header: { kid: "strange" } });
  const waiting = Array.from({ length: 33 }, () => post({ authorization: `Bearer ${strange}` }));
  assert.equal((await post({ authorization })).status, 200);
  answerAtLast();
  const statuses = (await Promise.all(waiting)).map(({ status }) => status);
  assert.deepEqual([statuses.filter((each) => each === 401).length, statuses.at(-1)], [32, 429]);
});

test("who asks too often is refused before the body is read, by address and by the network of version 6", async () => {
  await using issuer = await ScriptedIssuer.start();
  const { post } = await world(issuer);
  for (let i = 0; i < 300; i++) await post({}, "", `2001:db8::${i.toString(16)}`);
  const refused = await post({}, "x", "2001:db8::ffff");
  assert.deepEqual([refused.status, refused.headers["retry-after"], refused.read], [429, "10", false]);
  assert.equal((await post({}, "x", "2001:db8:1::1")).status, 415);
});

test("a body that says it is too long is not read", async () => {
  await using issuer = await ScriptedIssuer.start();
  const { post } = await world(issuer);
  const { status, read } = await post({ "content-length": "32769" }, "x");
  assert.deepEqual([status, read], [413, false]);
});
