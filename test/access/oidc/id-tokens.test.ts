import assert from "node:assert/strict";
import { createHmac, createPublicKey, generateKeyPairSync } from "node:crypto";
import type { ServerResponse } from "node:http";
import { type TestContext, test } from "node:test";
import { importPKCS8, SignJWT } from "jose";
import { IdTokens, longestToken } from "../../../lambda/access/oidc/id-tokens.ts";
import type { CodedError } from "../../../lambda/golang/coded-error.ts";
import { openDocuments } from "../../../lambda/upstream/http/open-documents.ts";
import { type IssuedToken, ScriptedIssuer } from "../../support/scripted-issuer.ts";

// ID tokens against a hostile provider, over real HTTP.

const discovery = "/.well-known/openid-configuration";

interface World {
  readonly issuer: ScriptedIssuer;
  readonly tokens: IdTokens;
  /** Milliseconds; a test moves it. */
  time: number;
  /** Why the last verification failed, as the operator is told. */
  cause: string;
  /** What the verification says: `"good"`, or the error's code and message. */
  verify(token: string): Promise<string>;
}

async function world(t: TestContext, { milliseconds = 5000, more = [] as string[] } = {}): Promise<World> {
  const issuer = await ScriptedIssuer.start();
  t.after(() => issuer[Symbol.asyncDispose]());
  const oidc = ["modfront", ...more].map((audience) => ({ issuer: issuer.issuer, audience, rules: [] }));
  const documents = openDocuments({ oidc, allowHosts: [] }, { version: "0.0.0", milliseconds });
  t.after(() => documents.close());
  const made: World = {
    issuer,
    time: Date.now(),
    cause: "",
    tokens: new IdTokens({ issuers: oidc, read: documents.read, now: () => made.time }),
    verify: async (token) => {
      try {
        await made.tokens.verify(token);
        return "good";
      } catch (error) {
        const { code, message, cause } = error as CodedError;
        made.cause = (cause as Error | undefined)?.message ?? "";
        return `${code}: ${message}`;
      }
    },
  };
  return made;
}

const unsigned =
  "id-token-refused: this ID token is not signed by its issuer, with a key that is published and in a way that is taken";

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

test("what is signed for us, now, by the issuer that it names is good; a claim that is wrong is named and not quoted", async (t) => {
  const { issuer, verify, time } = await world(t);
  const seconds = Math.floor(time / 1000);
  const rows: readonly (readonly [token: IssuedToken, said: string])[] = [
    [{}, "good"],
    [{ claims: { aud: ["other", "modfront"] } }, "good"],
    [{ claims: { exp: seconds - 50 } }, "good"], // within the skew of clocks
    [{ claims: { nbf: seconds + 50 } }, "good"],
    [{ claims: { exp: seconds - 61 } }, "id-token-refused: this ID token has expired: its exp is over"],
    [{ claims: { nbf: seconds + 70 } }, "id-token-refused: the nbf of this ID token is not as it must be"],
    [{ without: ["exp"] }, "id-token-refused: this ID token has no exp"],
    [{ claims: { exp: 1e308 } }, "id-token-refused: the exp of this ID token is not as it must be"],
    [{ claims: { exp: "tomorrow" as never } }, "id-token-refused: the exp of this ID token is not as it must be"],
    [{ claims: { aud: "secret-service" } }, "id-token-refused: the aud of this ID token is not as it must be"],
    [{ claims: { aud: "modfront2" } }, "id-token-refused: the aud of this ID token is not as it must be"],
    [{ claims: { aud: [] } }, "id-token-refused: the aud of this ID token is not as it must be"],
    [{ without: ["aud"] }, "id-token-refused: this ID token has no aud"],
    [
      { claims: { iss: `${issuer.issuer}/` } },
      "issuer-unknown: no issuer of the configuration is the iss of this ID token",
    ],
    [
      { claims: { iss: "https://evil.example" } },
      "issuer-unknown: no issuer of the configuration is the iss of this ID token",
    ],
    [{ without: ["iss"] }, "issuer-unknown: no issuer of the configuration is the iss of this ID token"],
    [{ claims: { iss: ["x"] as never } }, "issuer-unknown: no issuer of the configuration is the iss of this ID token"],
    [{ header: { kid: "unknown" } }, unsigned],
    [{ header: { crit: ["exp2"], exp2: 1 } }, unsigned],
  ];
  for (const [token, said] of rows) {
    const text = await issuer.token(token).catch(() => undefined);
    // A critical header that the library does not know it does not sign either.
    if (text !== undefined) assert.equal(await verify(text), said, JSON.stringify(token));
  }
});

test("no signature, one made with the public key as a secret, or by another key, is none", async (t) => {
  const { issuer, verify, time } = await world(t);
  const good = await issuer.token();
  const [, body = "", signature = ""] = good.split(".");
  const [jwk = {}] = issuer.keys;
  const pem = createPublicKey({ key: jwk as never, format: "jwk" })
    .export({ type: "spki", format: "pem" })
    .toString();
  const hs256 = (secret: string) => {
    const text = `${encode({ alg: "HS256", kid: "first" })}.${body}`;
    return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
  };
  const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" });
  const foreign = await new SignJWT({ iss: issuer.issuer, aud: "modfront", exp: time / 1000 + 60 })
    // A key that the token brings along, or an address of keys, is nobody's.
    .setProtectedHeader({ alg: "ES256", kid: "first", jwk: jwk as never, jku: "http://127.0.0.1:1/" })
    .sign(await importPKCS8(other.toString(), "ES256"));
  const rows: readonly (readonly [token: string, said: string | RegExp])[] = [
    [`${encode({ alg: "none" })}.${body}.`, unsigned],
    [`${encode({ alg: "none", kid: "first" })}.${body}.${signature}`, unsigned],
    [`${encode({ alg: "NONE" })}.${body}.`, unsigned],
    [hs256(pem), unsigned],
    [hs256(JSON.stringify(jwk)), unsigned],
    [hs256(""), unsigned],
    [foreign, unsigned],
    [`${encode({ alg: "RS256", kid: "first" })}.${body}.${signature}`, unsigned],
    [`${encode({ alg: "ES256" })}.${body}.`, unsigned],
    [good.slice(0, -4), unsigned],
    [
      `${encode({ alg: "ES256", kid: "first" })}.${encode({ iss: issuer.issuer, aud: "modfront", exp: 9e9 })}.${signature}`,
      unsigned,
    ],
    [`${encode({ alg: "ES256", kid: ["first"] })}.${body}.${signature}`, unsigned],
    [`${good}.x.y`, /three parts of base64url/],
    ["", /three parts of base64url/],
    ["a.b.c", /claims cannot be read/],
    [`${encode({})}.${Buffer.from("[1]").toString("base64url")}.x`, /claims cannot be read/],
    [`${encode({})}.${Buffer.from("[".repeat(20_000)).toString("base64url")}.x`, /claims cannot be read/],
    ["x".repeat(100_000), new RegExp(`at most ${longestToken} characters`)],
    [`${good}${"A".repeat(100_000)}`, new RegExp(`at most ${longestToken} characters`)],
  ];
  for (const [token, said] of rows) {
    const got = await verify(token);
    if (typeof said === "string") assert.equal(got, said, token.slice(0, 80));
    else assert.match(got, said);
  }
  assert.equal(await verify(good), "good");
});

test("several ways of signing are taken, each by its own key", async (t) => {
  for (const alg of ["RS256", "PS384", "ES384", "EdDSA"]) {
    const { issuer, verify } = await world(t);
    await issuer.addKey(alg, alg);
    assert.equal(await verify(await issuer.token()), "good", alg);
  }
});

test("keys that rotate: a new one is looked for once, an old one ends with the next reading", async (t) => {
  const made = await world(t);
  const { issuer, verify } = made;
  const old = await issuer.token({ claims: { exp: 9e9 } });
  assert.equal(await verify(old), "good");
  assert.deepEqual(issuer.asked, { [discovery]: 1, "/keys": 1 });
  await issuer.addKey("second");
  issuer.removeKey("first");
  // Half a minute must be over since the last reading.
  assert.equal(await verify(await issuer.token()), unsigned);
  made.time += 30_000;
  assert.equal(await verify(await issuer.token()), "good");
  assert.deepEqual(issuer.asked, { [discovery]: 2, "/keys": 2 });
  assert.equal(await verify(old), unsigned);
  made.time += 600_000;
  const again = await issuer.token({ now: made.time });
  await Promise.all(Array.from({ length: 20 }, async () => assert.equal(await verify(again), "good")));
  assert.deepEqual(issuer.asked, { [discovery]: 3, "/keys": 3 });
});

test("tokens with keys that nobody knows do not have an issuer asked again and again", async (t) => {
  const made = await world(t);
  for (let i = 0; i < 50; i++) {
    made.time += 2000;
    const token = await made.issuer.token({ header: { kid: `made up ${i}` }, now: made.time });
    assert.equal(await made.verify(token), unsigned);
  }
  // 100 seconds.
  assert.ok((made.issuer.asked["/keys"] ?? 0) <= 4, JSON.stringify(made.issuer.asked));
});

const unread = /^upstream-failed: the keys of http:\/\/127\.0\.0\.1:\d+ cannot be read at the moment$/;

test("documents that are too long, hang, lead elsewhere or are none let nobody in", async (t) => {
  const json = (value: unknown) => (response: ServerResponse) => void response.end(JSON.stringify(value));
  type Answer = (response: ServerResponse, issuer: string) => void;
  const discovered =
    (jwks_uri: unknown): Answer =>
    (response, issuer) =>
      json({ issuer, jwks_uri })(response);
  const rows: readonly (readonly [what: string, path: string, answer: Answer, cause: RegExp])[] = [
    ["10 MB of keys", "/keys", (to) => to.end(`{"keys":[${"1,".repeat(5e6)}1]}`), /more than 262144 bytes/],
    ["10 MB, declared", "/keys", (to) => to.writeHead(200, { "content-length": 1e7 }).write("{"), /than 262144 bytes/],
    ["10 MB of discovery", discovery, (to) => to.end(`{"x":"${"x".repeat(1e7)}"}`), /more than 262144 bytes/],
    ["keys that hang", "/keys", () => {}, /did not answer in time/],
    ["keys that stop", "/keys", (to) => to.writeHead(200, { "content-length": 99 }).write("{"), /not answer in time/],
    ["keys a byte at a time", "/keys", trickle, /did not answer in time/],
    ["discovery that hangs", discovery, () => {}, /did not answer in time/],
    ["a redirect", "/keys", (to, issuer) => to.writeHead(302, { location: `${issuer}/other` }).end(), /answered 302/],
    ["another", discovery, (to, issuer) => to.writeHead(301, { location: `${issuer}/other` }).end(), /answered 301/],
    ["an error", "/keys", (to) => to.writeHead(500).end("{}"), /answered 500/],
    ["no JSON", "/keys", (to) => to.end("<html>"), /not valid JSON/],
    ["a list", "/keys", json([]), /no keys/],
    ["null", "/keys", json(null), /no JSON object/],
    ["keys that are none", "/keys", json({ keys: "x" }), /no keys/],
    ["many keys", "/keys", json({ keys: Array.from({ length: 101 }, () => ({ kty: "EC" })) }), /too many/],
    [
      "another issuer's discovery",
      discovery,
      (to, issuer) => json({ issuer: "https://evil.example", jwks_uri: `${issuer}/keys` })(to),
      /another issuer's/,
    ],
    ["keys in the clear", discovery, discovered("http://127.0.0.1:1/keys"), /not at an https address/],
    ["keys in a private network", discovery, discovered("https://169.254.169.254/keys"), /private address/],
    ["keys of this machine", discovery, discovered("https://127.0.0.1:1/keys"), /private address/],
    ["keys in a file", discovery, discovered("file:///etc/passwd"), /not at an https address/],
    ["keys with a password", discovery, discovered("https://u:p@x.example/"), /not at an https address/],
    ["keys nowhere", discovery, discovered(undefined), /Invalid URL/],
  ];
  for (const [what, path, answer, cause] of rows) {
    // Who is slow for another reason than the row's has time.
    const made = await world(t, { milliseconds: cause.source.includes("in time") ? 300 : 30_000 });
    const { issuer, verify } = made;
    issuer.instead.set("/other", json({ issuer: issuer.issuer, jwks_uri: `${issuer.issuer}/keys`, keys: issuer.keys }));
    issuer.instead.set(path, (response) => answer(response, issuer.issuer));
    assert.match(await verify(await issuer.token()), unread, what);
    assert.match(made.cause, cause, what);
    assert.equal(issuer.asked["/other"], undefined, what);
    await issuer[Symbol.asyncDispose]();
  }
});

function trickle(response: ServerResponse): void {
  const timer = setInterval(() => response.write(" "), 50);
  response.on("close", () => clearInterval(timer));
}

test("after a failure nobody asks for five seconds, and then the keys are there again", async (t) => {
  const made = await world(t);
  made.issuer.instead.set("/keys", (response) => response.writeHead(500).end());
  const token = await made.issuer.token();
  for (let i = 0; i < 10; i++) assert.match(await made.verify(token), unread);
  assert.equal(made.issuer.asked["/keys"], 1);
  made.issuer.instead.clear();
  made.time += 5000;
  assert.equal(await made.verify(token), "good");
});

test("keys that are no public ones are not used, and one among others does not hurt", async (t) => {
  const { issuer, verify } = await world(t);
  const secret = { kty: "oct", kid: "secret", k: Buffer.from("x".repeat(32)).toString("base64url"), alg: "HS256" };
  issuer.instead.set(
    "/keys",
    (response) => void response.end(JSON.stringify({ keys: [secret, { kty: "EC" }, ...issuer.keys] })),
  );
  assert.equal(await verify(await issuer.token()), "good");
  const symmetric = await new SignJWT({ iss: issuer.issuer, aud: "modfront", exp: 9e9 })
    .setProtectedHeader({ alg: "HS256", kid: "secret" })
    .sign(new TextEncoder().encode("x".repeat(32)));
  assert.equal(await verify(symmetric), unsigned);
});

test("a published key that is damaged or too short is refused as one that is unknown", async (t) => {
  const short = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey.export({ format: "jwk" });
  const rows = [
    [short, "RS256"],
    [{ kty: "RSA", e: "AQAB" }, "RS256"],
    [{ kty: "EC", crv: "P-256", x: "AA", y: "AA" }, "ES256"],
    [{ kty: "OKP", crv: "Ed25519", x: "AA" }, "EdDSA"],
  ] as const;
  for (const [key, alg] of rows) {
    const { issuer, verify } = await world(t);
    issuer.instead.set("/keys", (to) => void to.end(JSON.stringify({ keys: [{ ...key, kid: "odd", use: "sig" }] })));
    const token = `${encode({ alg, kid: "odd" })}.${encode({ iss: issuer.issuer, aud: "modfront", exp: 9e9 })}.AAAA`;
    assert.equal(await verify(token), unsigned, JSON.stringify(key));
  }
});

test("what an issuer signs for something else is no ID token", async (t) => {
  const { issuer, verify } = await world(t);
  const other = "id-token-refused: this is a token of its issuer, but no ID token";
  for (const typ of ["at+jwt", "application/at+jwt", "logout+jwt", "secevent+jwt"])
    assert.equal(await verify(await issuer.token({ header: { typ } })), other, typ);
  assert.equal(await verify(await issuer.token({ claims: { events: {} } })), other);
  for (const typ of ["jwt", "application/jwt", "JOSE", undefined])
    assert.equal(await verify(await issuer.token({ header: { typ } })), "good", typ);
});

test("one issuer may be there for people and for machines, by audience", async (t) => {
  const { issuer, tokens } = await world(t, { more: ["modfront-ci"] });
  const entryOf = async (aud: string | string[]) =>
    (await tokens.verify(await issuer.token({ claims: { aud } }))).entry;
  assert.deepEqual(
    [await entryOf("modfront"), await entryOf("modfront-ci"), await entryOf(["x", "modfront-ci"])],
    [0, 1, 1],
  );
});

test("a token is known again by its jti, else by what is signed, and not by its signature", async (t) => {
  const { issuer, tokens } = await world(t);
  const id = async (token: string) => (await tokens.verify(token)).id;
  const same = { claims: { jti: "a", iat: 1 } };
  assert.equal(await id(await issuer.token(same)), await id(await issuer.token({ claims: { jti: "a", iat: 2 } })));
  assert.notEqual(await id(await issuer.token(same)), await id(await issuer.token({ claims: { jti: "b", iat: 1 } })));
  // ECDSA signs the same text otherwise each time.
  const now = Date.now();
  const [one, two] = [await issuer.token({ now }), await issuer.token({ now })];
  assert.notEqual(one, two);
  assert.equal(await id(one), await id(two));
  assert.notEqual(await id(one), await id(await issuer.token({ now, claims: { x: 1 } })));
});
