import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, request } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, type LookupFunction } from "node:net";
import { type TestContext, test } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { UpstreamFailure } from "../../../lambda/proxy/sources/upstream.ts";
import { forwardProxyOf, openForwardProxies } from "../../../lambda/upstream/http/forward-proxy.ts";
import { openUpstreams } from "../../../lambda/upstream/http/open-upstreams.ts";
import type { UpstreamsOptions } from "../../../lambda/upstream/http/upstreams-options.ts";
import { makeCertificate, skipWithoutOpenssl } from "../../support/certificate.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { ScriptedUpstream } from "../../support/scripted-upstream.ts";

const proxy = "http://proxy.example:3128";

// golang.org/x/net/http/httpproxy's own cases, and the entries that companies have.
const ways: readonly (readonly [noProxy: string, url: string, byProxy: boolean])[] = [
  ["", "https://example.com/", true],
  ["", "https://localhost/", false],
  ["", "http://127.0.0.1:8080/", false],
  ["", "http://[::1]/", false],
  ["", "https://localhost.example/", true],
  ["*", "https://example.com/", false],
  ["example.com", "https://example.com/", false],
  ["example.com", "https://a.example.com/", false],
  ["example.com", "https://myexample.com/", true],
  [".example.com", "https://example.com/", true],
  [".example.com", "https://a.example.com/", false],
  ["*.example.com", "https://a.example.com/", false],
  ["*.example.com", "https://example.com/", true],
  [" Foo.example , EXAMPLE.com ", "https://example.com/", false],
  ["example.com:8443", "https://example.com/", true],
  ["example.com:8443", "https://example.com:8443/", false],
  ["example.com:443", "https://example.com/", false],
  ["192.0.2.1", "https://192.0.2.1/", false],
  ["192.0.2.1:80", "https://192.0.2.1/", true],
  ["192.0.2.0/24", "https://192.0.2.77:8443/", false],
  ["192.0.2.0/24", "https://192.0.3.77/", true],
  ["2001:db8::/32", "https://[2001:db8::1]/", false],
  ["[2001:db8::1]:443", "https://[2001:db8::1]/", false],
  ["2001:db8::1", "https://[2001:db8::1]/", false],
  ["192.0.2.0/99,:80,.,*.", "https://example.com/", true],
  ["2.1", "https://192.0.2.1/", true],
];

for (const [noProxy, url, byProxy] of ways) {
  test(`NO_PROXY=${JSON.stringify(noProxy)}: ${url} ${byProxy ? "by the proxy" : "straight"}`, () => {
    const { proxyFor } = openForwardProxies({ https: proxy, http: proxy, noProxy });
    assert.equal(proxyFor(new URL(url)), byProxy ? `${proxy}/` : undefined);
  });
}

test("each scheme has its proxy, read from the environment as Go reads it", () => {
  const settings = forwardProxyOf({ HTTPS_PROXY: "", https_proxy: "one.example:1", HTTP_PROXY: "http://two.example" });
  const { proxyFor } = openForwardProxies(settings);
  assert.equal(proxyFor(new URL("https://a.example")), "http://one.example:1/");
  assert.equal(proxyFor(new URL("http://a.example")), "http://two.example/");
  assert.equal(openForwardProxies({}).proxyFor(new URL("https://a.example")), undefined);
});

test("a proxy that is none is refused, without its password", () => {
  for (const https of ["socks5://me:pa55@proxy.example", "http://", "http://me:pa%5@[::1", "ftp://x"])
    assert.throws(() => openForwardProxies({ https }), { code: "config", message: /^the forward proxy is not [^@]*$/ });
});

/** A forward proxy on 127.0.0.1 that finds every name on this machine and remembers what it was asked. */
async function forwardProxy(t: TestContext, refusal?: number) {
  const asked: string[] = [];
  const authorized: (string | undefined)[] = [];
  const note = (request: IncomingMessage) => {
    asked.push(`${request.method} ${request.url}`);
    authorized.push(request.headers["proxy-authorization"]);
  };
  const server = createServer((incoming, response) => {
    note(incoming);
    if (refusal !== undefined) return void response.writeHead(refusal).end();
    const url = new URL(incoming.url ?? "");
    const outgoing = request({ host: "127.0.0.1", port: url.port, path: url.pathname, headers: incoming.headers });
    outgoing.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    });
    outgoing.end();
  });
  server.on("connect", (incoming, socket) => {
    note(incoming);
    socket.on("error", () => {});
    if (refusal !== undefined) return socket.end(`HTTP/1.1 ${refusal} No\r\n\r\n`);
    const there = connect(Number(incoming.url?.split(":").at(-1)), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      there.pipe(socket).pipe(there);
    });
    there.on("error", () => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { asked, authorized, port: (server.address() as AddressInfo).port };
}

const nowhere: LookupFunction = (_host, _options, callback) =>
  callback(Object.assign(new Error("no such name"), { code: "ENOTFOUND" }), "");

function open(t: TestContext, url: string, https: string, options: Partial<UpstreamsOptions> = {}) {
  const config = { upstreams: [{ patterns: ["*"], chain: url }], private: [], allowHosts: [] };
  const forwardProxy = { https, http: https };
  const upstreams = openUpstreams(config, { now: () => 0, version: "1", forwardProxy, lookup: nowhere, ...options });
  t.after(() => upstreams.close());
  return async (path: string) => {
    const upstream = upstreams.catchAll.steps[0]?.upstream;
    assert.ok(upstream);
    try {
      const chunks: Uint8Array[] = [];
      for await (const chunk of (await upstream.get(path, { limit: 1000 })).chunks) chunks.push(chunk);
      return Buffer.concat(chunks).toString();
    } catch (error) {
      assert.ok(error instanceof UpstreamFailure, String(error));
      return `${error.code}: ${error.message}`;
    }
  };
}

test("over http: the proxy is asked for whole URLs, with its credentials, and finds the name", async (t) => {
  await using server = await ScriptedUpstream.start();
  server.on("/f", { body: "there" });
  const { asked, authorized, port } = await forwardProxy(t);
  const get = open(t, `http://modules.example:${server.port}`, `http://me:pa%2F55@127.0.0.1:${port}`);
  assert.equal(await get("/f"), "there");
  assert.equal(await get("/f"), "there");
  assert.deepEqual(asked, Array(2).fill(`GET http://modules.example:${server.port}/f`));
  assert.equal(authorized[0], `Basic ${Buffer.from("me:pa/55").toString("base64")}`);
  assert.equal(server.requests[0]?.headers.host, `modules.example:${server.port}`);
});

test("over https: by CONNECT, one tunnel for several requests", { skip: skipWithoutOpenssl }, async (t) => {
  const { cert, key } = makeCertificate(dataFolder(t), "DNS:modules.example");
  const certificate = readFileSync(cert, "utf8");
  const before = getCACertificates("default");
  t.after(() => setDefaultCACertificates(before));
  setDefaultCACertificates([...before, certificate]);
  const server = createTlsServer({ cert: certificate, key: readFileSync(key) }, (_, response) => response.end("there"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const target = (server.address() as AddressInfo).port;
  const { asked, authorized, port } = await forwardProxy(t);
  const get = open(t, `https://modules.example:${target}`, `http://me:pa55@127.0.0.1:${port}`);
  assert.equal(await get("/f"), "there");
  assert.equal(await get("/f"), "there");
  assert.deepEqual(asked, [`CONNECT modules.example:${target}`]);
  assert.equal(authorized[0], `Basic ${Buffer.from("me:pa55").toString("base64")}`);
});

test("a proxy that refuses is named, without its address and password", async (t) => {
  const { port } = await forwardProxy(t, 407);
  const get = open(t, "https://modules.example", `http://me:pa55@127.0.0.1:${port}`);
  assert.equal(
    await get("/f"),
    "unreachable: cannot be reached: the forward proxy refused with 407 a connection to it",
  );
  const dead = open(t, "https://modules.example", "http://me:pa55@127.0.0.1:1");
  assert.equal(await dead("/f"), "unreachable: refused the connection");
});

test("where a redirect may lead is judged by the target, not by the proxy", async (t) => {
  await using server = await ScriptedUpstream.start();
  const { asked, port } = await forwardProxy(t);
  const lookup: LookupFunction = (host, _options, callback) =>
    callback(null, [{ address: host === "inside.example" ? "10.0.0.1" : "192.88.98.1", family: 4 }]);
  const get = open(t, `http://modules.example:${server.port}`, `http://127.0.0.1:${port}`, { lookup });
  const refused = "refused-address: leads to a private address, and allowHosts does not name its host";
  for (const [target, expected] of [
    [`http://10.0.0.1:${server.port}/f`, refused],
    [`http://inside.example:${server.port}/f`, refused],
    [`http://outside.example:${server.port}/f`, "there"],
  ] as const) {
    server.on("/start", { status: 302, headers: { location: target } }).on("/f", { body: "there" });
    assert.equal(await get("/start"), expected, target);
  }
  assert.equal(asked.filter((line) => /inside|10\.0/.test(line)).length, 0);
});
