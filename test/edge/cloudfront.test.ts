import assert from "node:assert/strict";
import * as crypto from "node:crypto";
import { before, test } from "node:test";
import { createContext, runInContext } from "node:vm";
import { hmac } from "../../lambda/access/hmac.ts";
import { packAccess, packTokens } from "../../lambda/access/packed-settings.ts";
import { createToken } from "../../lambda/access/tokens.ts";
import type { ViewerRequest, ViewerResponse } from "../../lambda/edge/cloudfront.ts";
import { verifyIdentity } from "../../lambda/edge/identity.ts";
import { bundleEdge, maxEdgeBundle } from "../../lib/edge-bundle.ts";
import { basic, MemoryTokenStore } from "../support/tokens.ts";

const now = Math.floor(Date.now() / 1000);
const code = bundleEdge();
const store = new MemoryTokenStore();
let token = "";
let values: Record<string, string>;

before(async () => {
  const request = { subject: "s", role: "viewer", modules: "github.com/Corp", days: 1 };
  token = (await createToken(store, request, now)).token;
  values = {
    access: packAccess({ anonymous: "none", private: "github.com/Corp" }),
    tokens: packTokens(store.state, now),
  };
});

interface Viewer {
  readonly uri: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, { value: string; multiValue?: { value: string }[] }>>;
  readonly querystring?: Readonly<Record<string, { value: string }>>;
}

/** Runs the bundle as CloudFront does: anew for every request, with its two modules and nothing of Node. */
async function run(viewer: Viewer, known: Record<string, string> = values): Promise<ViewerRequest & ViewerResponse> {
  const get = async (name: string) => known[name] ?? assert.fail("no such key");
  const script = code.replace(/^import (\w+) from "(\w+)";$/gm, 'const $1 = modules["$2"];');
  const context = createContext({ modules: { cloudfront: { kvs: () => ({ get }) }, crypto } });
  runInContext(script, context);
  const request = { method: "GET", querystring: {}, headers: {}, ...viewer };
  return structuredClone(await runInContext("handler", context)({ version: "1.0", request }));
}

test("the bundle is one script under CloudFront's limit, in the syntax of its runtime", () => {
  assert.ok(code.length < maxEdgeBundle, `${code.length} bytes`);
  assert.deepEqual(code.match(/^import .*$/gm), ['import cf from "cloudfront";', 'import crypto from "crypto";']);
  assert.doesNotMatch(code, /\bexport\b|\?\.|\?\?|\bclass\b|\bfor\s*\([^;)]*\bof\b|\.\.\.|\(\?<|[^\x00-\x7f]/);
});

test("a request goes on with its canonical path, who asks, and nothing that the client said about that", async () => {
  const headers = {
    authorization: { value: basic(token) },
    "x-modfront-identity": { value: "forged" },
    "x-modfront-wait": { value: "9" },
    "x-modfront-role": { value: "admin" },
    "if-none-match": { value: '"x"' },
  };
  const querystring = { wait: { value: "3" }, "go-get": { value: "1" } };
  const uri = "/github.com/%21corp/x/@v/v2.0.0+incompatible.zip";
  const request = await run({ uri, headers, querystring });
  assert.equal(request.uri, "/github.com/!corp/x/@v/v2.0.0%2Bincompatible.zip");
  assert.deepEqual(request.querystring, {});
  assert.deepEqual(Object.keys(request.headers).sort(), ["if-none-match", "x-modfront-identity", "x-modfront-wait"]);
  assert.equal(request.headers["x-modfront-wait"]?.value, "3");
  const identity = verifyIdentity(request.headers["x-modfront-identity"]?.value, store.state.identityKeys, now, hmac);
  assert.equal(identity?.id, store.state.tokens[0]?.id);
  assert.equal(identity?.role, "viewer");
});

test("the page has an address that the API can match, and probes are signed for nobody", async () => {
  const page = await run({ uri: "/", headers: { authorization: { value: basic(token) } } });
  assert.equal(page.uri, "/-/page");
  const live = await run({ uri: "/-/live" });
  const header = live.headers["x-modfront-identity"]?.value;
  assert.equal(verifyIdentity(header, store.state.identityKeys, now, hmac)?.role, "anonymous");
});

test("the edge answers by itself", async () => {
  const authorization = { value: basic(token) };
  const twice = { value: authorization.value, multiValue: [authorization, authorization] };
  const rows: readonly (readonly [viewer: Viewer, status: number, known?: Record<string, string>])[] = [
    [{ uri: "/github.com/Corp/x/@v/list" }, 400],
    [{ uri: "/a.b/%252e/@v/list" }, 400],
    [{ uri: "/a.b/@v/list", method: "PUT" }, 405],
    [{ uri: "/a.b/@v/list" }, 401],
    [{ uri: "/a.b/@v/list", headers: { authorization: twice } }, 401],
    [{ uri: "/-/metrics", headers: { authorization } }, 403],
    [{ uri: "/a.b/%40v/list", headers: { authorization } }, 308],
    [{ uri: "/a.b/%40v/list" }, 401],
    [{ uri: "/a.b/@v/list", headers: { authorization } }, 503, {}],
    [{ uri: "/-/live" }, 503, {}],
    [{ uri: "/a.b/@v/list" }, 503, { access: '{"anonymous":"all","private":""}' }], // nobody could vouch for it
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
