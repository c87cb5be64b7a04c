import assert from "node:assert/strict";
import { test } from "node:test";
import { UpstreamFailure } from "../../../lambda/proxy/sources/upstream.ts";
import { GithubApp, githubApi } from "../../../lambda/upstream/credentials/github-app.ts";
import { sendApiRequest } from "../../../lambda/upstream/http/api-request.ts";
import { openForwardProxies } from "../../../lambda/upstream/http/forward-proxy.ts";
import { HttpClient } from "../../../lambda/upstream/http/http-client.ts";
import { type ApiReply, appKey, GithubApi } from "../../support/github-api.ts";

const repository = new URL("https://github.com/Corp/repo.git/info/refs");
const minutes = 60_000;

/** A scripted API, and the App with a clock that both go by until a test says otherwise. */
async function world(privateKey = appKey) {
  const api = await GithubApi.start();
  const clock = { now: Date.now() };
  api.now = () => clock.now;
  const client = new HttpClient({
    isTrusted: () => true,
    timeouts: { connect: 5_000, firstByte: 5_000, idle: 5_000 },
    userAgent: "modfront/test",
    proxies: openForwardProxies({}),
  });
  const app = new GithubApp({
    id: "1234",
    privateKey: { text: async () => privateKey, renew: async () => false },
    api: api.url,
    send: (request) => sendApiRequest(client, request),
    now: () => clock.now,
  });
  const stop = async () => {
    await client.close();
    await api[Symbol.asyncDispose]();
  };
  return { api, app, clock, [Symbol.asyncDispose]: stop };
}

/** The token that a repository's host would be shown. */
async function tokenOf(app: GithubApp, url = repository): Promise<string> {
  const authorization = (await app.authorize(url)) ?? assert.fail("no credentials");
  const [user, token = ""] = Buffer.from(authorization.header.replace("Basic ", ""), "base64").toString().split(":");
  assert.equal(user, "x-access-token");
  assert.ok(authorization.secrets.includes(token));
  return token;
}

async function failureOf(app: GithubApp): Promise<string> {
  const error = await app.authorize(repository).then(
    () => assert.fail("it has credentials"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof UpstreamFailure, String(error));
  const { details } = error;
  return [error.code, details?.status, details?.retryAfter, error.message]
    .filter((each) => each !== undefined)
    .join(" ");
}

test("one token for all that need it at once, and for the owner's other repositories", async () => {
  await using made = await world();
  const { api, app } = made;
  const tokens = await Promise.all(Array.from({ length: 20 }, () => tokenOf(app)));
  assert.deepEqual([...new Set(tokens)], api.tokens);
  assert.equal(await tokenOf(app, new URL("https://github.com/CORP/other")), api.tokens[0]);
  assert.equal(api.tokens[0]?.length, 520);
  assert.deepEqual(api.requests, ["GET /users/corp/installation", "POST /app/installations/77/access_tokens"]);
});

test("a token is renewed before its hour ends, and used to near its end where that fails", async () => {
  await using made = await world();
  const { api, app, clock } = made;
  await tokenOf(app);
  clock.now += 54 * minutes;
  assert.equal(await tokenOf(app), api.tokens[0]);
  clock.now += 2 * minutes;
  api.replies.push({ status: 503 });
  assert.equal(await tokenOf(app), api.tokens[0], "GitHub is away for a moment");
  assert.equal(await tokenOf(app), api.tokens[1]);
  clock.now += 59 * minutes + 30_000;
  api.replies.push({ status: 503 });
  assert.match(
    await failureOf(app),
    /^status 503 cannot be asked, because GitHub App 1234 gets no token: http:\S+ answered 503$/,
  );
});

test("a token that was revoked is let go and another one asked for, but not one that just came", async () => {
  await using made = await world();
  const { api, app, clock } = made;
  const authorization = (await app.authorize(repository)) ?? assert.fail();
  assert.equal(await authorization.renew(), false, "another one would be refused as well");
  clock.now += minutes;
  assert.equal(await authorization.renew(), true);
  assert.equal(await tokenOf(app), api.tokens[1]);
  assert.equal(await authorization.renew(), true, "somebody else has got another one");
  assert.equal(await tokenOf(app), api.tokens[1]);
});

for (const ahead of [-3_600_000, -120_000, 45_000, 86_400_000]) {
  test(`GitHub's clock is ${ahead / 1000} s ahead`, async () => {
    await using made = await world();
    const { api, app, clock } = made;
    api.now = () => clock.now + ahead;
    assert.equal(await tokenOf(app), api.tokens[0]);
    const { length } = api.requests;
    clock.now += 54 * minutes;
    assert.equal(await tokenOf(app), api.tokens[0]);
    assert.equal(api.requests.length, length, "it lasts its hour all the same");
    clock.now += 2 * minutes;
    assert.equal(await tokenOf(app), api.tokens[1]);
    assert.equal(api.requests.length, length + 1, "the difference is known by now");
  });
}

test("an App that was installed anew has another id, one that is not installed is said so", async () => {
  await using made = await world();
  const { api, app, clock } = made;
  await tokenOf(app);
  api.installations.set("corp", 78);
  clock.now += 58 * minutes;
  assert.equal(await tokenOf(app), api.tokens[1]);
  api.installations.clear();
  clock.now += 60 * minutes;
  const line = "no-credentials cannot be asked, because GitHub App 1234 gets no token: it is not installed for corp";
  assert.equal(await failureOf(app), line);
  const { length } = api.requests;
  assert.equal(await failureOf(app), line);
  assert.equal(api.requests.length, length, "a refusal stands for a while");
  api.installations.set("corp", 79);
  clock.now += 10_000;
  assert.equal(await tokenOf(app), api.tokens[2]);
});

const reset = (clock: { now: number }, seconds: number) => String(Math.floor(clock.now / 1000) + seconds);
const limits: readonly (readonly [what: string, reply: (clock: { now: number }) => ApiReply, seconds: number])[] = [
  [
    "the limit of an hour",
    (clock) => ({
      status: 403,
      headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset(clock, 1800) },
    }),
    1800,
  ],
  [
    "the same as 429",
    (clock) => ({ status: 429, headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset(clock, 30) } }),
    30,
  ],
  ["a secondary limit", () => ({ status: 403, headers: { "retry-after": "90" } }), 90],
  ["a limit that does not say how long", () => ({ status: 429 }), 60],
  ["a limit of a year", () => ({ status: 429, headers: { "retry-after": "31536000" } }), 3600],
  [
    "a limit that is over already",
    (clock) => ({ status: 429, headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset(clock, -5) } }),
    1,
  ],
];

for (const [what, reply, seconds] of limits) {
  test(`${what}: GitHub is left alone for ${seconds} s`, async () => {
    await using made = await world();
    const { api, app, clock } = made;
    api.replies.push(reply(clock));
    const line = await failureOf(app);
    const [, wait = ""] = /^status 429 (\d+) cannot .* GitHub's API takes no more requests for now$/.exec(line) ?? [];
    assert.ok(Math.abs(Number(wait) - seconds) <= 1, line);
    assert.match(await failureOf(app), /^status 429 /);
    assert.equal(api.requests.length, 1);
    clock.now += (seconds + 1) * 1000;
    assert.equal(await tokenOf(app), api.tokens[0]);
  });
}

const refusals: readonly (readonly [what: string, reply: ApiReply, expected: RegExp])[] = [
  ["the App is suspended", { status: 403, body: "secret words" }, /^no-credentials .* http:\S+ answered 403$/],
  ["the key was revoked", { status: 401 }, /^no-credentials .* answered 401$/],
  ["a failure of GitHub", { status: 500, body: "<html>" }, /^status 500 .* answered 500$/],
  ["a redirect", { status: 302, headers: { location: "https://evil.example/" } }, /^status 502 .* answered 302$/],
  ["no JSON", { status: 200, body: "<html>" }, /^bad-answer .* GitHub's API sent something that is not a token$/],
  ["null", { status: 200, body: "null" }, /^bad-answer /],
  ["an id that is a path", { status: 200, body: '{"id":"../x"}' }, /^bad-answer /],
  ["an id that is no integer", { status: 200, body: '{"id":1e300}' }, /^bad-answer /],
  [
    "more than a little",
    { status: 200, body: "x".repeat(300_000) },
    /^too-large cannot be asked, because http:\S+ sent more/,
  ],
];

for (const [what, reply, expected] of refusals) {
  test(`the installation cannot be found: ${what}`, async () => {
    await using made = await world();
    made.api.replies.push(reply);
    assert.match(await failureOf(made.app), expected);
    assert.equal(made.api.requests.length, 1);
  });
}

const ends = new Date(Date.now() + 3_600_000).toISOString();
for (const body of [
  "",
  "[]",
  JSON.stringify({ token: 5, expires_at: ends }),
  JSON.stringify({ token: "a b", expires_at: ends }),
  JSON.stringify({ token: "a\r\nx-evil: 1", expires_at: ends }),
  JSON.stringify({ token: "t", expires_at: "soon" }),
  JSON.stringify({ token: "t", expires_at: "2001-01-01T00:00:00Z" }),
]) {
  test(`no token: ${body.replace(ends, "…")}`, async () => {
    await using made = await world();
    made.api.replies.push({ status: 200, body: '{"id":77}' }, { status: 201, body });
    assert.match(await failureOf(made.app), /^bad-answer .* that is not a token$/);
  });
}

test("GitHub cannot be reached", async () => {
  const made = await world();
  await made[Symbol.asyncDispose]();
  assert.match(await failureOf(made.app), /^unreachable cannot be asked, because http:\S+ cannot be reached$/);
});

test("a key that is none is said without it", async () => {
  await using made = await world("-----BEGIN hunter2");
  assert.equal(
    await failureOf(made.app),
    "no-credentials cannot be asked, because GitHub App 1234 gets no token: its private key is no RSA key in PEM",
  );
});

test("who gives up does not stop the others, and a URL without an owner has no credentials", async () => {
  await using made = await world();
  const { api, app } = made;
  const controller = new AbortController();
  const [given, taken] = [app.authorize(repository, controller.signal), tokenOf(app)];
  controller.abort(new Error("gave up"));
  await assert.rejects(given, { message: "gave up" });
  assert.equal(await taken, api.tokens[0]);
  for (const path of ["/", "", "/%2e%2e", "/-x/y", `/${"a".repeat(200)}/y`])
    assert.equal(await app.authorize(new URL(`https://github.com${path}`)), undefined, path);
});

test("where the API is", () => {
  assert.equal(githubApi("github.com"), "https://api.github.com");
  assert.equal(githubApi("corp.ghe.com"), "https://api.corp.ghe.com");
  assert.equal(githubApi("github.corp.example"), "https://github.corp.example/api/v3");
});
