import assert from "node:assert/strict";
import { test } from "node:test";
import { type Upstream, UpstreamFailure, type UpstreamFailureCode } from "../../lambda/proxy/upstream.ts";
import { openUpstreams, type UpstreamsOptions } from "../../lambda/upstream/open-upstreams.ts";
import { type Reply, ScriptedUpstream } from "../support/scripted-upstream.ts";

const timeouts = { connect: 1_000, idle: 150 };
const secret = "s3cr3t-Pa55";

interface Opened extends AsyncDisposable {
  readonly upstream: Upstream;
}

function open(
  url: string,
  options: Partial<UpstreamsOptions> & { readonly allowHosts?: readonly string[] } = {},
): Opened {
  const config = { upstreams: [{ patterns: ["*"], chain: url }], private: [], allowHosts: options.allowHosts ?? [] };
  const upstreams = openUpstreams(config, { now: () => 0, version: "1.2.3", timeouts, ...options });
  const upstream = upstreams.catchAll.steps[0]?.upstream;
  assert.ok(upstream);
  return { upstream, [Symbol.asyncDispose]: () => upstreams.close() };
}

async function read(upstream: Upstream, path: string, limit = 1_000_000): Promise<string> {
  const body = await upstream.get(path, { limit });
  const chunks: Uint8Array[] = [];
  for await (const chunk of body.chunks) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function failure(promise: Promise<unknown>): Promise<UpstreamFailure> {
  const error = await promise.then(
    () => assert.fail("it succeeded"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof UpstreamFailure, String(error));
  return error;
}

const text = { "content-type": "text/plain" };
const half = "0123456789".repeat(100);

const faults: readonly (readonly [what: string, reply: Reply, code: UpstreamFailureCode, message: RegExp])[] = [
  ["404", { status: 404, headers: text, body: "no such module" }, "status", /^answered 404$/],
  ["503 without a body", { status: 503 }, "status", /^answered 503$/],
  ["204 is no 200", { status: 204, framing: "chunked" }, "status", /^answered 204$/],
  ["reset before", { fault: "reset-before" }, "unreachable", /broke the connection/],
  ["reset in the middle", { fault: "reset-mid", body: half }, "unreachable", /broke/],
  ["reset at the end", { fault: "reset-end", body: half }, "unreachable", /broke/],
  ["reset before the last chunk", { fault: "reset-end", body: half, framing: "chunked" }, "unreachable", /broke/],
  ["cut, length declared", { fault: "cut", body: half }, "unreachable", /broke|less/],
  ["cut, chunked", { fault: "cut", body: half, framing: "chunked" }, "unreachable", /broke/],
  // Nothing would tell a cut list from a whole one.
  ["ended by closing", { body: half, framing: "close" }, "bad-answer", /neither a length nor chunks/],
  ["silence before headers", { fault: "hang-before" }, "timeout", /did not answer in time/],
  ["silence in the body", { fault: "hang-mid", body: half }, "timeout", /stopped sending/],
  ["compressed", { headers: { "content-encoding": "gzip" }, body: half }, "bad-answer", /compressed/],
  ["declared too large", { body: "x".repeat(2_000_000) }, "too-large", /more than 1000000 bytes/],
  ["too large, chunked", { body: "x".repeat(2_000_000), framing: "chunked" }, "too-large", /more than 1000000 bytes/],
  ["endless", { body: "x".repeat(65_536), fault: "endless" }, "too-large", /more than 1000000 bytes/],
  ["redirect without target", { status: 302 }, "redirects", /to nowhere/],
  ["redirect to itself", { status: 302, headers: { location: "/f" } }, "redirects", /too often/],
  ["redirect to a file", { status: 302, headers: { location: "file:///etc/passwd" } }, "redirects", /not http/],
  ["redirect with a backslash", { status: 302, headers: { location: "/a\\b" } }, "redirects", /not a URL/],
  ["redirect with credentials", { status: 302, headers: { location: "http://a:b@127.0.0.1/" } }, "redirects", /creden/],
];

for (const [what, reply, code, message] of faults) {
  test(`one attempt fails well: ${what}`, async () => {
    await using server = await ScriptedUpstream.start();
    server.on("/f", reply);
    await using opened = open(server.url.replace("//", `//me:${secret}@`));
    const error = await failure(read(opened.upstream, "/f"));
    assert.deepEqual([error.code, message.test(error.message)], [code, true], `${error.code}: ${error.message}`);
    assert.equal(server.count("/f"), what === "redirect to itself" ? 11 : 1);
    assert.ok(!`${error.message}${error.stack}`.includes(secret));
  });
}
