import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type LookupFunction } from "node:net";
import { test } from "node:test";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import {
  type Chain,
  type Upstream,
  type UpstreamBody,
  UpstreamFailure,
  type UpstreamFailureCode,
} from "../../../lambda/proxy/sources/upstream.ts";
import { fetchFromChain } from "../../../lambda/proxy/sources/upstream-chain.ts";
import { systemClock } from "../../../lambda/runtime/system-clock.ts";
import { openUpstreams } from "../../../lambda/upstream/http/open-upstreams.ts";
import type { UpstreamsOptions } from "../../../lambda/upstream/http/upstreams-options.ts";
import { quickRetry } from "../../support/fake-upstream.ts";
import { type Reply, ScriptedUpstream } from "../../support/scripted-upstream.ts";

const timeouts = { connect: 5_000, firstByte: 700, idle: 700 };
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

async function readAll(body: UpstreamBody): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body.chunks) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function read(upstream: Upstream, path: string, limit = 1_000_000): Promise<string> {
  return readAll(await upstream.get(path, { limit }));
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
  ["encoded, unknown", { headers: { "content-encoding": "zstd" }, body: half }, "bad-answer", /encoded/],
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

test("what is not HTTP is a bad answer, and no matter of the breaker's", async (t) => {
  const answers = [
    "HTTP/1.1 200 OK\r\nContent-Length: zz\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nok\r\n",
    `HTTP/1.1 200 OK\r\nX: ${"x".repeat(100_000)}\r\n\r\n`,
    "220 mail.example ESMTP\r\n\r\n",
  ];
  let next = 0;
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(answers[next++ % answers.length] ?? ""));
  }).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  await using opened = open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  for (let i = 0; i < 12; i++) {
    const { code, message } = await failure(read(opened.upstream, "/f"));
    assert.deepEqual([code, message], ["bad-answer", "sent an answer that is not valid HTTP"]);
  }
});

test("a 200 arrives whole, however it is framed", async () => {
  await using server = await ScriptedUpstream.start();
  server.on("/f", { body: half }).on("/chunked", { body: half, framing: "chunked" }).on("/empty", {});
  server.on("/slow", { body: "0123456789", fault: "trickle", every: 30 });
  await using opened = open(server.url);
  for (const [path, length, content] of [
    ["/f", 1_000, half],
    ["/chunked", undefined, half],
    ["/empty", 0, ""],
    // Slow, but never silent for long.
    ["/slow", 10, "0123456789"],
  ] as const) {
    const body = await opened.upstream.get(path, { limit: 1_000 });
    assert.deepEqual([body.length, await readAll(body)], [length, content], path);
  }
  assert.ok(server.connections < 4, "connections are kept alive");
});

test("a request is what an upstream of the go command expects", async () => {
  await using server = await ScriptedUpstream.start();
  server.otherwise(() => ({ body: "x" }));
  await using opened = open(`${server.url.replace("//", `//me:${encodeURIComponent("s3cr3t/Pa:55")}@`)}/base/`);
  assert.equal(opened.upstream.name, server.url);
  await read(opened.upstream, "/github.com/!azure/m/@v/v1.0.0+incompatible.info");
  await read(opened.upstream, "/m/@v/a%2e#b?c d\u00e9(~_.info");
  const [first, second] = server.requests;
  assert.equal(first?.target, "/base/github.com/%21azure/m/@v/v1.0.0+incompatible.info");
  assert.equal(second?.target, "/base/m/@v/a%252e%23b%3Fc%20d%C3%A9%28~_.info");
  assert.equal(first?.headers.authorization, `Basic ${Buffer.from("me:s3cr3t/Pa:55").toString("base64")}`);
  assert.deepEqual(
    [first?.headers["user-agent"], first?.headers["accept-encoding"], first?.headers.host],
    ["modfront/1.2.3", "identity", `127.0.0.1:${server.port}`],
  );
});

const said: readonly (readonly [
  what: string,
  reply: Reply,
  text: string | undefined,
  retryAfter: number | undefined,
])[] = [
  ["a plain text", { headers: text, body: "why" }, "why", undefined],
  [
    "a plain text with a charset",
    { headers: { "content-type": "text/plain; charset=utf-8" }, body: "why" },
    "why",
    undefined,
  ],
  ["a page", { headers: { "content-type": "text/html" }, body: "<h1>why</h1>" }, undefined, undefined],
  ["no type", { body: "why" }, undefined, undefined],
  ["when to come back", { headers: { "retry-after": "7" } }, undefined, 7],
  ["a date to come back", { headers: { "retry-after": "Fri, 31 Dec 1999 23:59:59 GMT" } }, undefined, undefined],
  ["more than anyone reads", { headers: text, body: "y".repeat(300_000) }, "y".repeat(4_096), undefined],
  ["a text that breaks off", { headers: text, body: "why not", fault: "cut" }, "why", undefined],
  ["a text that never ends", { headers: text, body: "why ", fault: "endless" }, "why ".repeat(1_024), undefined],
  ["our own secret", { headers: text, body: `you sent ${secret}` }, undefined, undefined],
  [
    "our own header",
    { headers: text, body: `Basic ${Buffer.from(`me:${secret}`).toString("base64")}` },
    undefined,
    undefined,
  ],
];

for (const [what, reply, expected, retryAfter] of said) {
  test(`a refusal says ${what}`, async () => {
    await using server = await ScriptedUpstream.start();
    server.on("/f", { status: 403, ...reply });
    await using opened = open(server.url.replace("//", `//me:${secret}@`));
    const { details } = await failure(read(opened.upstream, "/f"));
    assert.deepEqual(details, { status: 403, text: expected, retryAfter });
  });
}

test("404s keep the connection", async () => {
  await using server = await ScriptedUpstream.start();
  await using opened = open(server.url);
  for (let i = 0; i < 10; i++) await failure(read(opened.upstream, `/f${i}`));
  assert.ok(server.connections < 5, `${server.connections} connections`);
});

test("a closed port is unreachable", async () => {
  const server = await ScriptedUpstream.start();
  const url = server.url;
  await server.close();
  await using opened = open(url);
  const error = await failure(read(opened.upstream, "/f"));
  assert.deepEqual([error.code, error.message], ["unreachable", "refused the connection"]);
});

test("breaking off, early or before reading, closes the connection", async () => {
  await using server = await ScriptedUpstream.start();
  server.on("/endless", { body: "x".repeat(65_536), fault: "endless" });
  await using opened = open(server.url);
  const body = await opened.upstream.get("/endless", { limit: 1e12 });
  for await (const _ of body.chunks) break;
  const unread = await opened.upstream.get("/endless", { limit: 1e12 });
  await unread.chunks[Symbol.asyncIterator]().return?.();
  await server.idle();
  assert.ok(server.bytesSent < 50_000_000);
});

test("an abort ends with its reason, before the headers and in the body", async () => {
  await using server = await ScriptedUpstream.start();
  server.on("/silent", { fault: "hang-before" }).on("/half", { body: half, fault: "hang-mid" });
  await using opened = open(server.url, { timeouts: { connect: 5_000, firstByte: 30_000, idle: 30_000 } });
  for (const path of ["/silent", "/half"]) {
    const controller = new AbortController();
    const reading = (async () => {
      const body = await opened.upstream.get(path, { limit: 1e6, signal: controller.signal });
      await readAll(body);
    })();
    setTimeout(() => controller.abort(new Error("left")), 50);
    await assert.rejects(reading, { message: "left" }, path);
  }
  const gone = opened.upstream.get("/x", { limit: 1, signal: AbortSignal.abort(new Error("gone")) });
  await assert.rejects(gone, { message: "gone" });
  assert.equal(server.count("/x"), 0);
});

test("redirects are followed, without credentials on another origin and on the way back", async () => {
  await using home = await ScriptedUpstream.start();
  await using other = await ScriptedUpstream.start();
  home.on("/a", { status: 302, headers: { location: "b?x=1" } });
  home.on("/b", { status: 307, headers: { location: `${other.url}/c` } });
  other.on("/c", { status: 303, headers: { location: `${home.url}/d` } });
  home.on("/d", { body: "there" });
  await using opened = open(home.url.replace("//", `//me:${secret}@`), { allowHosts: ["127.0.0.1"] });
  assert.equal(await read(opened.upstream, "/a"), "there");
  const sent = [...home.requests, ...other.requests].map(({ target, headers }) => [target, "authorization" in headers]);
  assert.deepEqual(sent, [
    ["/a", true],
    ["/b?x=1", true],
    ["/d", false],
    ["/c", false],
  ]);
});

test("a redirect to another port of an upstream's host is one to a host of its own", async () => {
  await using home = await ScriptedUpstream.start();
  await using other = await ScriptedUpstream.start();
  other.on("/f", { body: "there" });
  home.on("/f", { status: 302, headers: { location: `${other.url}/f` } });
  await using strict = open(home.url);
  assert.equal((await failure(read(strict.upstream, "/f"))).code, "refused-address");
  await using allowing = open(home.url, { allowHosts: ["127.0.0.1"] });
  assert.equal(await read(allowing.upstream, "/f"), "there");
  assert.equal(other.count("/f"), 1);
});

test("a redirect to another host of the configuration is followed for private modules only", async () => {
  await using home = await ScriptedUpstream.start();
  await using other = await ScriptedUpstream.start();
  other.on("/f", { body: "there" });
  const upstreams = ["corp.example/Lib", "*"].map((pattern) => ({
    patterns: [pattern],
    chain: `${home.url},${other.url}`,
  }));
  const config = { upstreams, private: ["corp.example/Lib"], allowHosts: [] };
  const opened = openUpstreams(config, { now: () => 0, version: "1", timeouts });
  const upstream = opened.catchAll.steps[0]?.upstream;
  assert.ok(upstream);
  const location = `${other.url}/f`;
  for (const path of ["/public.example/lib/@v/list", "/corp.example/lib/@v/list", "/sumdb/sum.example/latest"]) {
    home.on(path, { status: 302, headers: { location } });
    assert.equal((await failure(read(upstream, path))).code, "refused-address", path);
  }
  assert.equal(other.count("/f"), 0);
  home.on("/corp.example/!lib/@v/list", { status: 302, headers: { location } });
  assert.equal(await read(upstream, "/corp.example/!lib/@v/list"), "there");
  await opened.close();
});

const encodings: readonly (readonly [name: string, encode: (bytes: Buffer) => Buffer])[] = [
  ["gzip", gzipSync],
  ["x-gzip", gzipSync],
  ["deflate", deflateSync],
  ["br", brotliCompressSync],
];

for (const [name, encode] of encodings) {
  test(`an answer in ${name}, which nobody asked for, is decoded within the limit`, async () => {
    await using server = await ScriptedUpstream.start();
    const headers = { "content-encoding": name };
    const bytes = encode(Buffer.from(half));
    server.on("/f", { headers, body: bytes }).on("/cut", { headers, body: bytes.subarray(0, -4) });
    server.on("/bomb", { headers, body: encode(Buffer.alloc(50_000_000)) }).on("/junk", { headers, body: "\0junk" });
    await using opened = open(server.url);
    assert.equal(await read(opened.upstream, "/f"), half);
    assert.equal((await failure(read(opened.upstream, "/bomb"))).code, "too-large");
    assert.equal((await failure(read(opened.upstream, "/cut"))).code, "bad-answer");
    assert.equal((await failure(read(opened.upstream, "/junk"))).code, "bad-answer");
  });
}

test("a module that hangs holds eight requests, and neither the others nor the breaker hear of it", async () => {
  await using server = await ScriptedUpstream.start();
  server.otherwise(({ path }) => (path.startsWith("/hangs.example/") ? { fault: "hang-before" } : { body: "there" }));
  await using opened = open(server.url, { timeouts: { connect: 5_000, firstByte: 60_000, idle: 60_000 } });
  const leaving = new AbortController();
  const { signal } = leaving;
  const hanging = Array.from({ length: 200 }, (_, i) =>
    opened.upstream
      .get(`/hangs.example/m/@v/v1.${i}.0.info`, { limit: 1, signal })
      .catch((reason: Error) => reason.message),
  );
  const others = Array.from({ length: 200 }, (_, i) => read(opened.upstream, `/quick.example/m${i}/@v/v1.0.0.info`));
  assert.deepEqual(new Set(await Promise.all(others)), new Set(["there"]));
  assert.equal(server.requests.filter(({ path }) => path.startsWith("/hangs.example/")).length, 8);
  leaving.abort(new Error("left"));
  assert.deepEqual(new Set(await Promise.all(hanging)), new Set(["left"]));
  assert.equal(await read(opened.upstream, "/quick.example/m/@latest"), "there");
});

test("the end of one request for a module is the turn of the next, however it ended", async () => {
  await using server = await ScriptedUpstream.start();
  server.otherwise((_, nth) => ({ body: "there", ...(nth % 2 === 0 ? {} : { fault: "reset-mid" }) }));
  server.on("/m.example/@v/refused.info", { status: 404 });
  await using opened = open(server.url);
  const asked = Array.from({ length: 60 }, (_, i) =>
    read(opened.upstream, `/m.example/@v/${i % 3 === 0 ? "refused" : i % 4}.info`).catch(() => "failed"),
  );
  assert.equal((await Promise.all(asked)).length, 60);
});

test("ten redirects are followed, eleven are not", async () => {
  await using server = await ScriptedUpstream.start();
  for (let i = 1; i <= 11; i++) server.on(`/${i}`, { status: 301, headers: { location: `/${i - 1}` } });
  server.on("/0", { body: "there" });
  await using opened = open(server.url);
  assert.equal(await read(opened.upstream, "/10"), "there");
  assert.equal((await failure(read(opened.upstream, "/11"))).code, "redirects");
});

// Where a redirect may lead. Names resolve as the rows say; `PORT` is that of a server on 127.0.0.1.
const targets: readonly (readonly [
  target: string,
  resolved: string,
  allowHosts: readonly string[],
  expected: string,
])[] = [
  ["http://127.0.0.1:PORT/f", "", [], "there"],
  ["http://localhost:PORT/f", "127.0.0.1", [], "refused-address"],
  ["http://storage.example:PORT/f", "127.0.0.1", [], "refused-address"],
  ["http://storage.example:PORT/f", "127.0.0.1", ["Storage.example"], "there"],
  ["http://storage.example:PORT/f", "127.0.0.1", ["example"], "refused-address"],
  ["http://storage.example/f", "8.8.8.8 10.0.0.1", [], "refused-address"],
  ["http://127.0.0.2:PORT/f", "", [], "refused-address"],
  ["http://[::1]:PORT/f", "", [], "refused-address"],
  // Allowed, however it is written; nobody listens there.
  ["http://[::1]:1/f", "", ["::1"], "unreachable"],
  ["http://[::1]:1/f", "", ["0:0::1"], "unreachable"],
  ["http://[::ffff:127.0.0.1]:PORT/f", "", [], "refused-address"],
  // URL reads all of these as 127.0.0.2.
  ["http://2130706434:PORT/f", "", [], "refused-address"],
  ["http://0x7f.2:PORT/f", "", [], "refused-address"],
  ["http://169.254.169.254/latest/meta-data/", "", [], "refused-address"],
];

for (const [target, resolved, allowHosts, expected] of targets) {
  test(`a redirect to ${target}${resolved && ` at ${resolved}`}: ${expected}`, async () => {
    await using server = await ScriptedUpstream.start();
    server.on("/f", { body: "there" });
    server.on("/start", { status: 302, headers: { location: target.replace("PORT", String(server.port)) } });
    const addresses = resolved.split(" ").map((address) => ({ address, family: 4 }));
    const lookup: LookupFunction = (_host, options, callback) =>
      options.all ? callback(null, addresses) : callback(null, addresses[0]?.address ?? "", 4);
    await using opened = open(server.url, { allowHosts, lookup });
    const result = read(opened.upstream, "/start");
    if (expected === "there") return assert.equal(await result, expected);
    assert.equal((await failure(result)).code, expected);
    assert.equal(server.count("/f"), 0);
  });
}

test("a name that resolves to a private address only when it is connected to does not pass", async () => {
  await using server = await ScriptedUpstream.start();
  server.on("/f", { body: "there" });
  server.on("/start", { status: 302, headers: { location: `http://rebind.example:${server.port}/f` } });
  let asked = 0;
  const lookup: LookupFunction = (_host, _options, callback) => {
    asked++;
    callback(null, [{ address: "127.0.0.1", family: 4 }]);
  };
  await using opened = open(server.url, { lookup });
  await failure(read(opened.upstream, "/start"));
  await failure(read(opened.upstream, "/start"));
  // Resolved once for each connection, and what is checked is what would be connected to.
  assert.deepEqual([asked, server.count("/f")], [2, 0]);
});

test("ten refused connections open the breaker, failures elsewhere do not", async () => {
  const closed = await ScriptedUpstream.start();
  const deadUrl = closed.url;
  await closed.close();
  await using server = await ScriptedUpstream.start();
  server.on("/away", { status: 302, headers: { location: `${deadUrl}/f` } });
  let now = 0;
  await using away = open(server.url, { now: () => now, allowHosts: ["127.0.0.1"] });
  await using dead = open(deadUrl, { now: () => now });
  for (let i = 0; i < 12; i++) assert.equal((await failure(read(away.upstream, "/away"))).code, "unreachable");
  const codes: string[] = [];
  for (let i = 0; i < 12; i++) codes.push((await failure(read(dead.upstream, "/f"))).code);
  assert.deepEqual(codes, [...Array(10).fill("unreachable"), "breaker-open", "breaker-open"]);
  await using back = await ScriptedUpstream.start(Number(new URL(deadUrl).port));
  back.on("/f", { body: "back" });
  assert.equal((await failure(read(dead.upstream, "/f"))).code, "breaker-open");
  now += 2_000;
  assert.equal(await read(dead.upstream, "/f"), "back");
});

test("statuses never open the breaker", async () => {
  await using server = await ScriptedUpstream.start();
  server.otherwise(() => ({ status: 503 }));
  await using opened = open(server.url);
  for (let i = 0; i < 12; i++) assert.equal((await failure(read(opened.upstream, "/f"))).code, "status");
});

test("10 GB of body stop at the limit, with little memory", async (t) => {
  await using server = await ScriptedUpstream.start();
  const block = Buffer.alloc(1024 * 1024, "x");
  server.on("/declared", { headers: { "content-length": String(10e9) }, body: block, fault: "endless" });
  server.on("/endless", { body: block, fault: "endless" });
  await using opened = open(server.url);
  const limit = 256 * 1024 * 1024;
  const before = process.memoryUsage().rss;
  for (const path of ["/declared", "/endless"]) {
    let bytes = 0;
    const reading = (async () => {
      const body = await opened.upstream.get(path, { limit });
      for await (const chunk of body.chunks) bytes += chunk.length;
    })();
    assert.equal((await failure(reading)).code, "too-large");
    assert.ok(bytes <= limit, `${bytes} bytes were let through`);
    await server.idle();
  }
  const grown = process.memoryUsage().rss - before;
  assert.ok(server.bytesSent < 2 * limit, `${server.bytesSent} bytes were sent`);
  t.diagnostic(
    `RSS grew by ${Math.round(grown / 2 ** 20)} MiB while ${Math.round(server.bytesSent / 2 ** 20)} MiB were sent`,
  );
  assert.ok(grown < limit / 2, `${grown} bytes more memory`);
});

const wrongConfigs: readonly (readonly [chain: string, message: string])[] = [
  [
    "https://me:hunter2@a b",
    "configuration key upstreams.0.chain: entry 1 of the upstream chain is not an http or https URL, direct or off",
  ],
];

for (const [chain, message] of wrongConfigs) {
  test("a wrong chain is named by its key, without its credentials", () => {
    const config = { upstreams: [{ patterns: ["*"], chain }], private: [], allowHosts: [] };
    assert.throws(() => openUpstreams(config, { now: () => 0, version: "1" }), { code: "config", message });
  });
}

test("start-up notes say what cannot be fetched, and direct is a step of its chain", () => {
  const config = {
    upstreams: [{ patterns: ["corp.example"], chain: "https://own.example,direct" }],
    private: ["corp.example", "other.example"],
    allowHosts: [],
  };
  const upstreams = openUpstreams(config, { now: () => 0, version: "1", fallback: "https://a.example,direct" });
  assert.deepEqual(upstreams.notes, [
    "private modules other.example: no rule in upstreams names them, so none of them is fetched",
  ]);
  assert.deepEqual(
    ["corp.example/x", "other.example/x", "github.com/x/y"].map((path) =>
      upstreams.chainFor(path).steps.map((step) => step.upstream.name),
    ),
    [["https://own.example", "direct"], [], ["https://a.example", "direct"]],
  );
  assert.equal(upstreams.chainFor("a.org/x").steps[0]?.upstream, upstreams.catchAll.steps[0]?.upstream);
});

test("behind a catch-all an inherited chain is not even looked at", () => {
  const config = { upstreams: [{ patterns: ["*"], chain: "https://a.example" }], private: [], allowHosts: [] };
  const upstreams = openUpstreams(config, { now: () => 0, version: "1", fallback: "file:///nonsense,direct" });
  assert.deepEqual(upstreams.notes, []);
});

test("a dead upstream is tried three times through a chain, and a body cut twice arrives at last", async () => {
  await using server = await ScriptedUpstream.start();
  server.on("/reset", { fault: "reset-before" });
  server.on(
    "/cut",
    { body: half, fault: "cut" },
    { body: half, fault: "reset-end", framing: "chunked" },
    { body: half },
  );
  server.on("/hang", { fault: "hang-before" });
  await using opened = open(server.url);
  const chain: Chain = { steps: [{ upstream: opened.upstream, onAnyError: false }], end: "nothing" };
  const options = { limit: 1e6, retry: quickRetry, clock: systemClock };
  await assert.rejects(fetchFromChain(chain, "/reset", readAll, options), {
    code: "upstream-failed",
    message: `upstream ${server.url} broke the connection`,
  });
  assert.equal(await fetchFromChain(chain, "/cut", readAll, options), half);
  await assert.rejects(fetchFromChain(chain, "/hang", readAll, options), { code: "upstream-timeout" });
  assert.deepEqual([server.count("/reset"), server.count("/cut"), server.count("/hang")], [3, 3, 1]);
});

test("start-up notes say which credentials a rewrite leads away from", () => {
  const notes = (matches: readonly string[], from = "https://git.example/corp/") => {
    const config = { upstreams: [], private: ["git.example"], allowHosts: [] };
    const credentials = matches.map((match) => ({ match }));
    const git = { rewrite: [{ from, to: "https://inside.example:8443/git/" }] };
    return openUpstreams({ ...config, credentials, git }, { now: () => 0, version: "1" }).notes.filter((note) =>
      note.startsWith("credentials"),
    );
  };
  const note = (match: string) => [
    `credentials ${match}: git.rewrite leads from there to inside.example:8443, which no credentials match`,
  ];
  assert.deepEqual(notes(["git.example/corp"]), note("git.example/corp"));
  assert.deepEqual(notes(["git.example/corp/team"]), note("git.example/corp/team"));
  assert.deepEqual(notes(["git.example"]), [], "more than what is rewritten");
  assert.deepEqual(notes(["git.example/other"]), []);
  assert.deepEqual(notes(["git.example/corp", "inside.example:8443/git"]), []);
  assert.deepEqual(notes(["git.example/corp"], "ssh://git@git.example/corp/"), []);
});

test("start-up notes say which credentials are shown for public modules", () => {
  const notes = (match: string, chain = "https://proxy.example,direct") => {
    const upstreams = [
      { patterns: ["corp.example", "git.example/corp"], chain: "direct" },
      { patterns: ["*"], chain },
    ];
    const config = {
      upstreams,
      private: ["corp.example", "git.example/corp/*"],
      allowHosts: [],
      credentials: [{ match }],
    };
    const git = { rewrite: [{ to: "https://inside.example/git/" }] };
    return openUpstreams({ ...config, git }, { now: () => 0, version: "1" }).notes;
  };
  const note = (match: string) => [
    `credentials ${match}: for public modules too, so that what only they open belongs into private`,
  ];
  for (const match of [
    "corp.example",
    "git.example/corp",
    "proxy.example",
    "proxy.example/team",
    "inside.example/git",
    "git.example:8443",
  ])
    assert.deepEqual(notes(match), [], match);
  assert.deepEqual(notes("git.example"), note("git.example"));
  assert.deepEqual(notes("git.example/other"), note("git.example/other"));
  assert.deepEqual(notes("git.example", "https://proxy.example"), [], "none of them comes from a repository");
});
