import assert from "node:assert/strict";
import { before, test } from "node:test";
import { hmac } from "../../lambda/access/hmac.ts";
import { createToken } from "../../lambda/access/tokens.ts";
import type { ViewerRequest } from "../../lambda/edge/cloudfront.ts";
import { verifyIdentity } from "../../lambda/edge/identity.ts";
import type { Identity } from "../../lambda/edge/token.ts";
import { bundleEdge, type EdgePlane, maxEdgeBundle } from "../../lib/edge-bundle.ts";
import { requestId, runEdge, type Viewer } from "../support/edge-runtime.ts";
import { basic, edgeValues, MemoryTokenStore } from "../support/tokens.ts";

const now = Math.floor(Date.now() / 1000);
const nothing: ReadonlyMap<string, string> = new Map();
const codes: Readonly<Record<EdgePlane, string>> = {
  protocol: bundleEdge("protocol", "private"),
  site: bundleEdge("site", "none"),
};
const store = new MemoryTokenStore();
let token = "";
let values: Map<string, string>;
const settings = { anonymous: "none", private: "github.com/Corp" } as const;

before(async () => {
  const request = { subject: "s", role: "viewer", modules: "github.com/Corp", days: 1 };
  token = (await createToken(store, request, now)).token;
  values = edgeValues(settings, store.state, now);
});

/** Runs the bundle of the behaviour that CloudFront chooses. */
function run(viewer: Viewer, known: ReadonlyMap<string, string> = values, reads: string[] = []) {
  const get = async (name: string) => {
    reads.push(name);
    return known.get(name) ?? assert.fail("no such key");
  };
  return runEdge(codes[viewer.uri.startsWith("/-/") ? "site" : "protocol"], viewer, { get, note: () => {} });
}

function identityOf({ headers }: ViewerRequest): Identity | undefined {
  return verifyIdentity(headers["x-modfront-identity"]?.value, store.state.identityKeys, now, hmac);
}

/** Bytes: channels and blocks are in it, and there is next to no room up to CloudFront's limit for anything else. */
const sizes: Readonly<Record<EdgePlane, number>> = { protocol: 10_235, site: 8_060 };

for (const plane of ["protocol", "site"] as const) {
  test(`the bundle before the ${plane} is one small script in the syntax of its runtime`, () => checkBundle(plane));
}

function checkBundle(plane: EdgePlane): void {
  const code = codes[plane];
  assert.ok(code.length <= sizes[plane] && sizes[plane] < maxEdgeBundle, `${code.length} bytes`);
  assert.deepEqual(code.match(/^import .*$/gm), ['import cf from "cloudfront";', 'import crypto from "crypto";']);
  assert.doesNotMatch(code, /\bexport\b|\?\.|\?\?|\bclass\b|\bfor\s*\([^;)]*\bof\b|\.\.\.|\(\?<|[^\x00-\x7f]/);
}

test("a request goes on with its canonical path, who asks, and nothing that the client said about that", async () => {
  const headers = {
    authorization: { value: basic(token) },
    "x-modfront-identity": { value: "forged" },
    "x-modfront-wait": { value: "9" },
    "x-modfront-role": { value: "admin" },
    "x-modfront-request": { value: "forged" },
    "if-none-match": { value: '"x"' },
  };
  const querystring = { wait: { value: "3" }, "go-get": { value: "1" } };
  const uri = "/github.com/%21corp/x/@v/v2.0.0+incompatible.zip";
  const request = await run({ uri, headers, querystring });
  assert.equal(request.uri, "/github.com/!corp/x/@v/v2.0.0%2Bincompatible.zip");
  assert.deepEqual(request.querystring, {});
  assert.deepEqual(Object.keys(request.headers).sort(), [
    ...["if-none-match", "x-modfront-identity", "x-modfront-request", "x-modfront-wait"],
  ]);
  assert.equal(request.headers["x-modfront-wait"]?.value, "3");
  assert.equal(request.headers["x-modfront-request"]?.value, requestId);
  const identity = identityOf(request);
  assert.equal(identity?.id, store.state.tokens[0]?.id);
  assert.equal(identity?.role, "viewer");
});

test("the page has an address that the API can match, and probes are signed for nobody", async () => {
  const page = await run({ uri: "/", headers: { authorization: { value: basic(token) } } });
  assert.equal(page.uri, "/-/page");
  assert.equal(identityOf(page)?.role, "viewer");
  assert.equal((await run({ uri: "/-/page" })).uri, "/-/page");
  assert.equal(identityOf(await run({ uri: "/-/ready" }))?.role, "anonymous");
});

test("under /-/ every method goes on, and who asks is said, or why nobody is known: the rows decide", async () => {
  const damaged = { value: basic(`${token.slice(0, -1)}_`) };
  const twice = { value: basic(token), multiValue: [{ value: basic(token) }, { value: basic(token) }] };
  const rows = [
    [undefined, "anonymous", undefined],
    [{ value: basic(token) }, "viewer", undefined],
    [{ value: "Basic x" }, "anonymous", "malformed"],
    [damaged, "anonymous", "unsigned"],
    [twice, "anonymous", "malformed"],
  ] as const;
  for (const uri of ["/-/metrics", "/-/no-such-page", "/"]) {
    for (const method of ["GET", "POST", "PUT", "DELETE"]) {
      for (const [authorization, role, fault] of rows) {
        const request = await run({ uri, method, headers: authorization === undefined ? {} : { authorization } });
        assert.equal(request.method, method);
        assert.deepEqual([identityOf(request)?.role, identityOf(request)?.fault], [role, fault], uri);
      }
    }
  }
});

test("what is administered is for token holders: nobody else costs a function, and holders are told of with their query", async () => {
  const uri = "/-/api/blocks/github.com/!corp/x@v1.0.0";
  const querystring = { limit: { value: "5" }, wait: { value: "3" }, "a b": { value: "%20" } };
  const rows = [
    [undefined, /^this needs a modfront token/],
    [{ value: "Basic x" }, /^these credentials are not a modfront token/],
    [{ value: basic(`${token.slice(0, -1)}_`) }, /^this token is not valid here/],
  ] as const;
  for (const method of ["GET", "POST", "PUT", "DELETE"]) {
    for (const [authorization, line] of rows) {
      const headers = authorization === undefined ? {} : { authorization };
      const refusal = await run({ uri, method, headers, querystring });
      assert.equal(refusal.statusCode, 401);
      assert.match(refusal.body ?? "", line);
    }
    const headers = { authorization: { value: basic(token) }, "content-type": { value: "application/json" } };
    const request = await run({ uri, method, headers, querystring });
    assert.deepEqual([request.method, request.uri, request.querystring], [method, uri, querystring]);
    assert.deepEqual(
      [identityOf(request)?.role, request.headers["content-type"]?.value],
      ["viewer", "application/json"],
    );
  }
  // CloudFront chose the behaviour of the site by what it was sent.
  const odd = await run({ uri: "/-/%61pi/tokens", headers: { authorization: { value: basic(token) } } });
  assert.deepEqual([odd.statusCode, odd.headers.location?.value], [308, "/-/api/tokens"]);
});

test("who asks for a token has handed on what proves it, and nothing that only CloudFront may say", async () => {
  const idToken = `Bearer ${"eyJhbGciOiJFUzI1NiJ9".repeat(200)}.e30.c2ln`;
  const forged = {
    "x-modfront-credentials": { value: "Bearer forged" },
    "cloudfront-viewer-cert-pem": { value: "forged" },
    "cloudfront-viewer-cert-present": { value: "0" },
    "content-type": { value: "application/json" },
  };
  const ask = (uri: string, headers: Viewer["headers"] = {}) =>
    run({ uri, method: "POST", headers: { ...forged, ...headers } });
  const shown = await ask("/-/token", { authorization: { value: idToken } });
  assert.deepEqual([shown.method, shown.uri, identityOf(shown)?.role], ["POST", "/-/token", "anonymous"]);
  const kept = ["cloudfront-viewer-cert-present", "content-type", "x-modfront-identity", "x-modfront-request"];
  assert.deepEqual(Object.keys(shown.headers).sort(), [...kept, "x-modfront-credentials"].sort());
  assert.equal(shown.headers["x-modfront-credentials"]?.value, idToken);
  const twice = { value: idToken, multiValue: [{ value: idToken }, { value: "Bearer x" }] };
  // A token of ours has done its work, and what came twice is nothing.
  for (const authorization of [{ value: basic(token) }, { value: `Bearer ${token}` }, twice])
    assert.deepEqual(Object.keys((await ask("/-/token", { authorization })).headers).sort(), kept);
  assert.deepEqual(Object.keys((await ask("/-/token")).headers).sort(), kept);
  for (const elsewhere of ["/-/tokens", "/-/token/x", "/-/metrics"]) {
    const { headers } = await ask(elsewhere, { authorization: { value: idToken } });
    assert.deepEqual([headers["x-modfront-credentials"], headers.authorization], [undefined, undefined], elsewhere);
  }
  const odd = await ask("/-/%74oken");
  assert.deepEqual([odd.statusCode, odd.headers.location?.value], [308, "/-/token"]);
});

test("of a query only wait counts", async () => {
  const rows: readonly (readonly [query: Record<string, string>, wait: string | undefined])[] = [
    [{}, undefined],
    [{ wait: "1" }, "1"],
    [{ wait: "8" }, "8"],
    [{ a: "b", wait: "3", c: "" }, "3"],
    [{ wait: "0" }, undefined],
    [{ wait: "9" }, undefined],
    [{ wait: "12" }, undefined],
    [{ wait: "-1" }, undefined],
    [{ await: "1" }, undefined],
    [{ wait: "1x" }, undefined],
    [{ x: "%ff%00\\..//" }, undefined],
  ];
  for (const [query, wait] of rows) {
    const querystring = Object.fromEntries(Object.entries(query).map(([name, value]) => [name, { value }]));
    const request = await run({
      uri: "/a.b/@v/list",
      querystring,
      headers: { authorization: { value: basic(token) } },
    });
    assert.deepEqual(request.querystring, {});
    assert.equal(request.headers["x-modfront-wait"]?.value, wait, JSON.stringify(query));
  }
});

test("a percent sign of a query goes on encoded once", async () => {
  for (const uri of ["/a.b/@v/100%25.info", "/a.b/@v/a%252fb.info"])
    assert.equal((await run({ uri, headers: { authorization: { value: basic(token) } } })).uri, uri);
});

test("the edge answers by itself", async () => {
  const authorization = { value: basic(token) };
  const twice = { value: authorization.value, multiValue: [authorization, authorization] };
  const rows: readonly (readonly [viewer: Viewer, status: number, known?: ReadonlyMap<string, string>])[] = [
    [{ uri: "/github.com/Corp/x/@v/list" }, 400],
    [{ uri: "/a.b/%252e/@v/list" }, 400],
    [{ uri: "/a.b/@v/list", method: "PUT" }, 405],
    [{ uri: "/a.b/@v/list" }, 401],
    [{ uri: "/a.b/@v/list", headers: { authorization: twice } }, 401],
    [{ uri: "/corp.example/x/@v/100%25.zip", headers: { authorization } }, 400],
    [{ uri: "/-/%00" }, 400],
    [{ uri: "/-/a/../b" }, 400],
    [{ uri: "/a.b/%40v/list", headers: { authorization } }, 308],
    [{ uri: "/a.b/%40v/list" }, 401],
    [{ uri: "/%2d/live" }, 308], // which is answered there
    [{ uri: "/a.b/@v/list", headers: { authorization } }, 503, nothing],
    [{ uri: "/-/ready" }, 503, nothing],
    [{ uri: "/a.b/@v/list" }, 503, new Map([["access", '{"anonymous":"all","private":""}']])], // nobody could vouch for it
  ];
  for (const [viewer, status, known] of rows) {
    const response = await run(viewer, known);
    assert.equal(response.statusCode, status, JSON.stringify(viewer));
    assert.equal(response.headers["cache-control"]?.value, "no-store");
  }
  const refused = await run({ uri: "/a.b/@v/list" });
  assert.equal(refused.headers["www-authenticate"]?.value, 'Basic realm="modfront"');
  assert.match(refused.body ?? "", /^this needs a modfront token/);
  assert.equal((await run({ uri: "/a.b/@v/list", method: "HEAD" })).body, undefined);
});

test("an odd spelling is sent to the canonical path, as a path, encoded", async () => {
  const headers = { authorization: { value: basic(token) } };
  const response = await run({ uri: "/a.b/%40v/v1.0.0+x%20y.inf%6F", headers });
  assert.equal(response.statusCode, 308);
  assert.equal(response.headers.location?.value, "/a.b/@v/v1.0.0%2Bx%20y.info");
});

test("whether it is alive the edge says itself, to anybody and whatever it can read; other methods go to the row", async () => {
  const expected = { statusCode: 200, type: "text/plain; charset=utf-8", cache: "no-store" };
  for (const [method, body] of [
    ["GET", "ok\n"],
    ["HEAD", undefined],
  ] as const) {
    for (const known of [values, nothing]) {
      const { statusCode, headers, ...answer } = await run({ uri: "/-/live", method }, known);
      const [type, cache] = [headers["content-type"]?.value, headers["cache-control"]?.value];
      assert.deepEqual([{ statusCode, type, cache }, answer.body], [expected, body]);
    }
  }
  assert.equal((await run({ uri: "/-/live", method: "POST" })).statusCode, undefined);
  assert.equal((await run({ uri: "/-/live/x" })).statusCode, undefined);
});

test("no request reads more than four values without a token for a public module, and seven otherwise", async () => {
  const patterns = "git.corp.example/team,pay.example/a,games.example/b,*.hidden.example";
  const tenants = { payments: "pay.example/a", games: "games.example/b" };
  const tenantStore = new MemoryTokenStore();
  const make = async (modules: string) => {
    const made = { subject: "s", role: "viewer", modules, days: 1 };
    const options = { tenants: Object.keys(tenants) };
    return { authorization: { value: basic((await createToken(tenantStore, made, now, options)).token) } };
  };
  const [plain, two] = [await make("git.corp.example/team"), await make("@payments,@games")];
  const of = (anonymous: "none" | "public") =>
    edgeValues({ anonymous, private: patterns, tenants }, tenantStore.state, now);
  const rows: readonly (readonly [viewer: Viewer, anonymous: "none" | "public", reads: number, status?: number])[] = [
    [{ uri: "/golang.org/x/mod/@v/list" }, "public", 4],
    [{ uri: "/golang.org/x/mod/@v/list" }, "none", 2, 401],
    [{ uri: "/git.corp.example/team/x/@v/list" }, "public", 2, 401],
    [{ uri: "/sumdb/sum.golang.org/latest" }, "public", 2],
    [{ uri: "/golang.org/x/mod/@v/list", headers: plain }, "public", 5],
    [{ uri: "/git.corp.example/team/x/@v/v1.0.0.zip", headers: plain }, "none", 5],
    [{ uri: "/games.example/b/@v/v1.0.0.zip", headers: two }, "none", 7],
    [{ uri: "/pay.example/a/@v/v1.0.0.zip", headers: two }, "none", 7],
    [{ uri: "/sumdb/sum.golang.org/lookup/pay.example/a@v1.0.0", headers: two }, "none", 6],
    [{ uri: "/git.corp.example/team/x/@latest", headers: two }, "none", 6, 403],
    [{ uri: "/x.hidden.example/y/@latest", headers: two }, "public", 6, 403],
    [{ uri: "/-/api/tokens", headers: two }, "none", 2],
    [{ uri: "/-/ready" }, "none", 1],
    [{ uri: "/-/live" }, "none", 0, 200],
    [{ uri: "/golang.org/../x" }, "none", 0, 400],
  ];
  for (const [viewer, anonymous, count, status] of rows) {
    const reads: string[] = [];
    const answer = await run(viewer, of(anonymous), reads);
    assert.equal(answer.statusCode, status, viewer.uri);
    assert.equal(reads.length, count, `${viewer.uri} ${reads}`);
    assert.equal(new Set(reads).size, count, "each is read once");
  }
});

test("whichever value cannot be read, nobody is let in who must be looked at, and nobody else is shut out", async () => {
  const tenants = { payments: "pay.example/a" };
  const paying = new MemoryTokenStore();
  const request = { subject: "s", role: "viewer", modules: "@payments", days: 1 };
  const { token: own } = await createToken(paying, request, now, { tenants: ["payments"] });
  const headers = { authorization: { value: basic(own) } };
  const all = edgeValues({ anonymous: "public", private: "pay.example/a", tenants }, paying.state, now);
  const hidden = { uri: "/pay.example/a/@v/list", headers };
  const open = { uri: "/golang.org/x/mod/@v/list" };
  const [read, readOpen]: [string[], string[]] = [[], []];
  assert.equal((await run(hidden, all, read)).statusCode, undefined);
  assert.equal((await run(open, all, readOpen)).statusCode, undefined);
  assert.deepEqual([read.length, readOpen.length], [6, 4]);
  for (const key of read) {
    for (const damage of [undefined, "", "x", "null"]) {
      const values = new Map(all);
      if (damage === undefined) values.delete(key);
      else values.set(key, damage);
      assert.equal((await run(hidden, values)).statusCode, 503, `${key} ${damage}`);
      assert.equal((await run(open, values)).statusCode, readOpen.includes(key) ? 503 : undefined, `${key} ${damage}`);
    }
  }
});
