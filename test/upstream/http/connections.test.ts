import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer, type LookupFunction, type Server, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { type UpstreamBody, UpstreamFailure } from "../../../lambda/proxy/sources/upstream.ts";
import type { UpstreamTimeouts } from "../../../lambda/upstream/http/exchange.ts";
import { openForwardProxies } from "../../../lambda/upstream/http/forward-proxy.ts";
import { HttpClient } from "../../../lambda/upstream/http/http-client.ts";
import { openUpstreams } from "../../../lambda/upstream/http/open-upstreams.ts";
import { makeCertificate, skipWithoutOpenssl } from "../../support/certificate.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { eventually } from "../../support/eventually.ts";

// What happens to connections, byte by byte: what servers of node:http would not do.

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

interface Asked {
  readonly socket: Socket;
  /** From 0, of all connections and of all requests of this connection. */
  readonly connection: number;
  readonly request: number;
}

/** A server that has `answer` do something for each request, and counts. */
async function rawServer(t: TestContext, answer: (asked: Asked) => unknown) {
  const seen = { connections: 0, requests: 0 };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const connection = seen.connections++;
    let request = 0;
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    socket.on("data", () => {
      seen.requests++;
      answer({ socket, connection, request: request++ });
    });
  });
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return Object.assign(seen, { url: await listen(server) });
}

async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Setting {
  readonly timeouts?: Partial<UpstreamTimeouts>;
  readonly lookup?: LookupFunction;
}

function open(t: TestContext, url: string, { timeouts = {}, ...options }: Setting = {}) {
  const config = { upstreams: [{ patterns: ["*"], chain: url }], private: [], allowHosts: [] };
  const all = { connect: 5_000, firstByte: 5_000, idle: 5_000, ...timeouts };
  const upstreams = openUpstreams(config, { now: () => 0, version: "1", timeouts: all, ...options });
  t.after(() => upstreams.close());
  const upstream = upstreams.catchAll.steps[0]?.upstream;
  assert.ok(upstream);
  const start = (signal?: AbortSignal) => upstream.get("/f", { limit: 1e9, ...(signal && { signal }) });
  /** The body, or the failure's code and message. */
  const get = async () => readAll(await start()).catch(said);
  return { upstreams, start, get: () => get().catch(said) };
}

const toLocalhost: LookupFunction = (_host, options, callback) =>
  options.all ? callback(null, [{ address: "127.0.0.1", family: 4 }]) : callback(null, "127.0.0.1", 4);

async function readAll(body: UpstreamBody): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body.chunks) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function said(error: unknown): string {
  assert.ok(error instanceof UpstreamFailure, String(error));
  return `${error.code}: ${error.message}`;
}

for (const [how, close] of [
  ["in order", (socket: Socket) => socket.end()],
  ["with a reset", (socket: Socket) => socket.resetAndDestroy()],
  ["in the middle of the headers", (socket: Socket) => socket.end("HTTP/1.1 200 OK\r\nContent-")],
] as const) {
  test(`a request on a kept connection that the server closes ${how} is sent again on a fresh one`, async (t) => {
    const server = await rawServer(t, ({ socket, request }) => (request === 0 ? socket.write(ok) : close(socket)));
    // The fresh one goes where the lookup says, too.
    const { get } = open(t, server.url.replace("127.0.0.1", "kept.example"), { lookup: toLocalhost });
    // Were these failures, ten of them would open the breaker.
    for (let i = 0; i < 24; i++) assert.equal(await get(), "ok");
    assert.deepEqual([server.connections, server.requests], [24, 36]);
  });
}

test("it is sent again once, and never after a fresh connection broke", async (t) => {
  const server = await rawServer(t, ({ socket, connection, request }) =>
    connection === 0 && request === 0 ? socket.write(ok) : socket.destroy(),
  );
  const { get } = open(t, server.url);
  assert.equal(await get(), "ok");
  assert.equal(await get(), "unreachable: broke the connection");
  assert.equal(server.requests, 3);
  assert.equal(await get(), "unreachable: broke the connection");
  assert.equal(server.requests, 4);
});

test("a server says how long it keeps a connection", async (t) => {
  for (const [hint, connections] of [
    ["timeout=60", 1],
    ["timeout=60, max=2", 1],
    // Gone before it could be used with confidence.
    ["timeout=1", 3],
  ] as const) {
    const answer = `HTTP/1.1 200 OK\r\nKeep-Alive: ${hint}\r\nContent-Length: 2\r\n\r\nok`;
    const server = await rawServer(t, ({ socket }) => socket.write(answer));
    const { get } = open(t, server.url);
    for (let i = 0; i < 3; i++) assert.equal(await get(), "ok");
    assert.equal(server.connections, connections, hint);
  }
});

test("what arrives unasked on an idle connection is nobody's answer", async (t) => {
  const sockets: Socket[] = [];
  const server = await rawServer(t, ({ socket }) => {
    sockets.push(socket);
    socket.write(ok);
  });
  const { get } = open(t, server.url);
  assert.equal(await get(), "ok");
  const [idle] = sockets;
  assert.ok(idle);
  idle.write(ok.replace(/ok$/, "no"));
  await once(idle, "close");
  assert.equal(await get(), "ok");
  assert.equal(server.connections, 2);
});

const notHttp = "bad-answer: sent an answer that is not valid HTTP";
const encoded = "bad-answer: encoded its answer in a way that was not asked for";
const head = "HTTP/1.1 200 OK\r\n";
const answers: readonly (readonly [what: string, bytes: string, expected: string])[] = [
  ["a length twice", `${head}Content-Length: 2\r\nContent-Length: 2\r\n\r\nok`, notHttp],
  ["two lengths", `${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\nok!`, notHttp],
  ["two lengths in one", `${head}Content-Length: 2, 2\r\n\r\nok`, notHttp],
  [
    "a length and chunks",
    `${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
    notHttp,
  ],
  [
    "chunks and a length",
    `${head}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
    notHttp,
  ],
  // Its end would be that of the connection.
  ["a coding without chunks", `${head}Transfer-Encoding: gzip\r\n\r\nok`, encoded],
  ["a coding in chunks", `${head}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`, encoded],
  ["a coding among 2,000 headers", `${head}${"a:\r\n".repeat(2_000)}Content-Encoding: zstd\r\n\r\n`, encoded],
  ["headers over 16 KB", `${head}${`a: ${"b".repeat(100)}\r\n`.repeat(200)}Content-Length: 2\r\n\r\nok`, notHttp],
  ["a bare line feed in a header", `${head}A: b\nContent-Length: 2\r\n\r\nok`, notHttp],
  [
    "two places to go",
    "HTTP/1.1 302 Found\r\nLocation: /f\r\nLocation: /g\r\nContent-Length: 0\r\n\r\n",
    "redirects: redirected to more than one place",
  ],
  ["interim answers before the real one", `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n${ok}`, "ok"],
  ["nothing but interim answers", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1_000), notHttp],
  ["another protocol", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", notHttp],
  ["another protocol, half", "HTTP/1.1 101 Switching Protocols\r\n\r\n", "status: answered 101"],
  ["two answers", `${ok}${ok}`, "ok"],
  ["an answer and noise", `${ok}noise`, "ok"],
  ["an answer, its last, and noise", `${ok.replace("\r\n", "\r\nConnection: close\r\n")}noise`, "ok"],
];

for (const [what, bytes, expected] of answers) {
  test(`an answer with ${what}: ${expected}`, async (t) => {
    const server = await rawServer(t, ({ socket }) => socket.write(bytes));
    assert.equal(await open(t, server.url).get(), expected);
  });
}

test("an answer may come before the request", async (t) => {
  const server = createServer((socket) => socket.on("error", () => {}).end(ok));
  t.after(() => server.close());
  assert.equal(await open(t, await listen(server)).get(), "ok");
});

test("a connection that does not stand in time is given up: name, address and TLS together", async (t) => {
  const silent = await rawServer(t, () => {});
  const never: LookupFunction = () => {};
  const expected = "connect-timeout: did not accept a connection in time";
  const timeouts = { connect: 150 };
  assert.equal(await open(t, "http://never.example", { timeouts, lookup: never }).get(), expected);
  assert.equal(await open(t, silent.url.replace("http:", "https:"), { timeouts }).get(), expected);
  assert.equal(await open(t, silent.url, { timeouts: { firstByte: 150 } }).get(), "timeout: did not answer in time");
});

test("a name with several addresses fails as its first one does", async (t) => {
  const server = await rawServer(t, () => {});
  const { port } = new URL(server.url);
  const lookup: LookupFunction = (_host, _options, callback) =>
    callback(null, [
      { address: "127.0.0.2", family: 4 },
      { address: "127.0.0.3", family: 4 },
    ]);
  const { get } = open(t, `http://several.example:${port}`, { lookup });
  assert.equal(await get(), "unreachable: refused the connection");
});

test("a reader may be slower than the time without a byte, a server may not", async (t) => {
  const silent = "timeout: stopped sending in the middle of its answer";
  for (const [sent, missing, expected] of [
    [4_000_000, 0, 4_000_000],
    [4_000_000, 1, silent],
    // All that ever comes is there before it is read.
    [1_000, 1, silent],
  ] as const) {
    const answer = `${head}Content-Length: ${sent + missing}\r\n\r\n${"x".repeat(sent)}`;
    const server = await rawServer(t, ({ socket }) => socket.write(answer));
    const body = await open(t, server.url, { timeouts: { idle: 250 } }).start();
    // Longer than the time without a byte, which is what this is about.
    await sleep(700);
    assert.equal(await readAll(body).then((text) => text.length, said), expected);
  }
});

test("a body that is there is not too late, whenever it is read", async (t) => {
  const server = await rawServer(t, ({ socket }) => socket.write(`${head}Content-Length: 0\r\n\r\n`));
  const { start } = open(t, server.url, { timeouts: { idle: 50 } });
  const body = await start();
  // Longer than the time without a byte, which is what this is about.
  await sleep(200);
  assert.equal(await readAll(body), "");
});

test("128 connections at most; who waits for one can leave, and close() ends all", async (t) => {
  const server = await rawServer(t, () => {});
  const { upstreams, start } = open(t, server.url);
  const busy = Array.from({ length: 128 }, () => start().catch(said));
  const leaving = new AbortController();
  const left = assert.rejects(start(leaving.signal), { message: "left" });
  const waiting = Array.from({ length: 3 }, () => start().catch(said));
  await eventually(() => server.requests >= 128);
  leaving.abort(new Error("left"));
  await left;
  await upstreams.close();
  for (const failed of await Promise.all([...busy, ...waiting])) assert.equal(failed, "unreachable: cannot be reached");
  const late = upstreams.direct(`${server.url}/other`).get("/f", { limit: 1 });
  assert.equal(await late.catch(said), "unreachable: cannot be reached");
  // Time for what must not come.
  await sleep(50);
  assert.deepEqual([server.connections, server.requests], [128, 128]);
});

test("nothing is asked for any more after leaving in the middle of a redirect", async (t) => {
  const away = "HTTP/1.1 302 Found\r\nLocation: /g\r\nContent-Length: 5\r\n\r\ngo";
  const leaving = new AbortController();
  const server = await rawServer(t, async ({ socket }) => {
    socket.write(away);
    // Until the client waits for the rest, which it tells nobody.
    await sleep(50);
    leaving.abort(new Error("left"));
  });
  await assert.rejects(open(t, server.url).start(leaving.signal), { message: "left" });
  assert.equal(server.requests, 1);
});

test("who waited gets a connection that was just used, and another if that one broke", async (t) => {
  const server = await rawServer(t, async ({ socket, request }) => {
    // Everybody else waits then.
    await eventually(() => server.requests >= 128);
    if (request === 0) socket.write(ok);
    else socket.destroy();
  });
  const { get } = open(t, server.url);
  const all = await Promise.all(Array.from({ length: 256 }, get));
  assert.deepEqual(new Set(all), new Set(["ok"]));
});

test("a connection to a trusted host is not used when it is not trusted, nor the other way", async (t) => {
  const server = await rawServer(t, ({ socket }) => socket.write(ok));
  const trustedHosts = new Set(["some.example"]);
  const timeouts = { connect: 5_000, firstByte: 5_000, idle: 5_000 };
  const isTrusted = ({ hostname }: URL) => trustedHosts.has(hostname);
  const client = new HttpClient({
    isTrusted,
    timeouts,
    userAgent: "x",
    proxies: openForwardProxies({}),
    lookup: toLocalhost,
  });
  t.after(() => client.close());
  const url = new URL(server.url.replace("127.0.0.1", "some.example"));
  const get = async () => {
    for await (const _ of (await client.send(url, {})).body);
  };
  await get();
  trustedHosts.clear();
  await assert.rejects(get(), { message: "not a public address" });
  trustedHosts.add("some.example");
  await get();
  assert.deepEqual([server.connections, server.requests], [1, 2]);
});

test("TLS: connections are kept where the certificate is good", { skip: skipWithoutOpenssl }, async (t) => {
  const { cert, key } = makeCertificate(dataFolder(t));
  const [certificate, privateKey] = [readFileSync(cert, "utf8"), readFileSync(key)];
  let connections = 0;
  const server = createTlsServer({ cert: certificate, key: privateKey }, (_, response) => response.end("ok"));
  server.on("secureConnection", () => connections++);
  t.after(() => server.close());
  const url = (await listen(server)).replace("http:", "https:");
  assert.equal(await open(t, url).get(), "unreachable: does not have a valid TLS certificate");
  const before = getCACertificates("default");
  t.after(() => setDefaultCACertificates(before));
  setDefaultCACertificates([...before, certificate]);
  connections = 0;
  const { get } = open(t, url);
  for (let i = 0; i < 3; i++) assert.equal(await get(), "ok");
  assert.equal(connections, 1);
  // A certificate for 127.0.0.1 says nothing of this name.
  const named = open(t, url.replace("127.0.0.1", "other.example"), { lookup: toLocalhost });
  assert.equal(await named.get(), "unreachable: does not have a valid TLS certificate");
});

test("TLS: a server that speaks plain HTTP", async (t) => {
  const server = await rawServer(t, ({ socket }) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  assert.equal(await open(t, server.url.replace("http:", "https:")).get(), "unreachable: cannot be reached");
});
