import assert from "node:assert/strict";
import { test } from "node:test";
import { UpstreamFailure } from "../../../lambda/proxy/sources/upstream.ts";
import {
  bearerAuthorization,
  type Credentials,
  noCredentials,
} from "../../../lambda/upstream/credentials/credentials.ts";
import { HttpPages } from "../../../lambda/upstream/direct/http-pages.ts";
import { Visits } from "../../../lambda/upstream/direct/visits.ts";
import { UrlRewrites } from "../../../lambda/upstream/git/url-rewrites.ts";
import { openForwardProxies } from "../../../lambda/upstream/http/forward-proxy.ts";
import { HttpClient } from "../../../lambda/upstream/http/http-client.ts";
import { type Reply, ScriptedUpstream } from "../../support/scripted-upstream.ts";

const html = { "content-type": "text/html" };
const meta = '<meta name="go-import" content="corp.example/m git https://git.example/m">';

/** GETs the page of corp.example/m, which the rewrites have on the scripted server: its status with its text, or the failure. */
async function pageOf(server: ScriptedUpstream, credentials: Credentials = noCredentials): Promise<string> {
  const client = new HttpClient({
    isTrusted: () => false,
    timeouts: { connect: 5_000, firstByte: 5_000, idle: 500 },
    userAgent: "modfront/test",
    proxies: openForwardProxies({}),
  });
  const visits = new Visits({
    client,
    rewrites: new UrlRewrites([{ from: "https://corp.example/", to: `${server.url}/` }]),
    hosts: { has: () => false, isNamed: () => true, isAllowed: () => false, isSpelled: () => false },
    isPrivate: () => false,
  });
  try {
    const { status, text } = await new HttpPages({ visits, credentials }).get("corp.example/m", "corp.example/m");
    return `${status} ${text}`;
  } catch (error) {
    return error instanceof UpstreamFailure ? `${error.code} ${error.message}` : String(error);
  } finally {
    await client.close();
  }
}

const rows: readonly (readonly [what: string, reply: Reply, expected: string | RegExp])[] = [
  ["a page", { body: `<head>${meta}`, headers: html }, `200 <head>${meta}`],
  ["no page", { status: 404, body: "none" }, "404 none"],
  ["a page that is gone", { status: 410 }, "410 "],
  ["a page whose status is odd", { status: 500, body: meta }, `500 ${meta}`],
  ["a login", { status: 403, body: "<html>sign in" }, "status cannot read its page at corp.example: it answered 403"],
  ["a failure", { status: 503, body: "<html>later" }, "status cannot read its page at corp.example: it answered 503"],
  ["a limit", { status: 429 }, "status cannot read its page at corp.example: it answered 429"],
  // The half of a page says nothing: it is no page without the tag.
  ["a page that is cut off", { body: " ".repeat(1000), fault: "cut" }, /^unreachable /],
  ["a page that stops", { body: " ".repeat(1000), fault: "hang-mid" }, /^timeout /],
  [
    "what follows the head is not waited for",
    { body: `${meta}</head>${" ".repeat(2000)}`, fault: "hang-mid" },
    /^200 <meta/,
  ],
  ["a page without an end", { body: " ".repeat(100_000), fault: "endless", framing: "chunked" }, /^too-large /],
  [
    "a head without an end to its page",
    { body: `${meta}<body>${" ".repeat(100_000)}`, fault: "endless" },
    /^200 <meta/,
  ],
];

for (const [what, reply, expected] of rows) {
  test(what, async () => {
    await using server = await ScriptedUpstream.start();
    server.on("/m", reply);
    const page = await pageOf(server);
    if (typeof expected === "string") assert.equal(page, expected);
    else assert.match(page, expected);
    assert.equal(server.requests[0]?.target, "/m?go-get=1");
  });
}

test("a tag across chunks, and one that ends the head in odd letters", async () => {
  await using server = await ScriptedUpstream.start();
  server.on("/m", { body: `${meta}</HEAD >`, fault: "trickle", every: 0 });
  assert.equal(await pageOf(server), `200 ${meta}</HEAD`);
});

test("a redirect within the host is followed, one to a private address is not", async () => {
  await using server = await ScriptedUpstream.start();
  await using other = await ScriptedUpstream.start();
  server.on("/m", { status: 302, headers: { location: "/elsewhere?x=1" } }).on("/elsewhere", { body: meta });
  assert.equal(await pageOf(server), `200 ${meta}`);
  server.on("/m", { status: 302, headers: { location: `${other.url}/m` } });
  assert.match(await pageOf(server), /^refused-address /);
  assert.equal(other.requests.length, 0);
});

test("credentials are shown, and once more when they were replaced", async () => {
  await using server = await ScriptedUpstream.start();
  server.otherwise(({ headers }) => (headers.authorization === "Bearer two" ? { body: meta } : { status: 401 }));
  let token = "one";
  const renew = async () => {
    token = "two";
    return true;
  };
  assert.equal(await pageOf(server, { authorize: async () => bearerAuthorization(token, renew) }), `200 ${meta}`);
  assert.equal(await pageOf(server), "status cannot read its page at corp.example: it answered 401");
});
