import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { anonymous } from "../../../lambda/edge/token.ts";
import { stopListening } from "../../../lambda/local/server/listening.ts";
import { createLocalServer, type LocalServer } from "../../../lambda/local/server/server.ts";
import { makeCertificate, skipWithoutOpenssl } from "../../support/certificate.ts";
import { makeDataFolder } from "../../support/data-folder.ts";
import { eventually } from "../../support/eventually.ts";

// Clients that connect, and then say nothing, or half of what they should.

const patience = {
  handshakeTimeout: 300,
  headersTimeout: 300,
  bodyTimeout: 300,
  requestTimeout: 300,
  keepAliveTimeout: 300,
  stallTimeout: 300,
  connectionsCheckingInterval: 50,
};

const folder = makeDataFolder();
after(folder.remove);

/** More than the systems of both ends take while nobody reads. */
const large = join(folder.path, "large");
writeFileSync(large, "");
truncateSync(large, 64 << 20);

type Answer = Parameters<typeof createLocalServer>[0]["answer"];

const ok: Answer = async () => ({
  kind: "answer",
  status: 200,
  headers: {},
  body: Buffer.from("ok\n"),
});

function start(certificate: { readonly cert: string; readonly key: string } | undefined, answer = ok): LocalServer {
  return createLocalServer({
    decide: ({ path }) => ({
      kind: "forward",
      routed: { route: path === "/large" ? "zip" : "list", path },
      misrouted: false,
      identity: anonymous,
    }),
    generation: () => 0,
    isOpen: () => true,
    isKnownHost: () => true,
    answer,
    filePath: () => large,
    isPrivate: () => false,
    now: Date.now,
    log: undefined,
    count: () => {},
    failed: () => {},
    tls: certificate && { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) },
    connections: 1_000,
    patience,
  });
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

/** Each leaves a connection behind that its client never ends. */
const silent: Readonly<Record<"http" | "https", Readonly<Record<string, (port: number) => Promise<Socket>>>>> = {
  http: {
    "says nothing": (port) => plain(port, ""),
    "says half a request": (port) => plain(port, "GET / HTTP/1.1\r\nHo"),
    "asks once": (port) => plain(port, get("/")),
    "does not read what it asked for": (port) => plain(port, get("/large")),
    "asks for it again and again": (port) => plain(port, get("/large").repeat(50)),
  },
  https: {
    "says nothing": (port) => plain(port, ""),
    "sends half a handshake": (port) => plain(port, Buffer.from("1603010200010001fc0303", "hex")),
    "sends no handshake": (port) => plain(port, get("/")),
    "says nothing after the handshake": (port) => secure(port, ""),
    "says half a request after it": (port) => secure(port, "GET / HTTP/1.1\r\nHo"),
    "asks once": (port) => secure(port, get("/")),
    "does not read what it asked for": (port) => secure(port, get("/large")),
    "asks for it again and again": (port) => secure(port, get("/large").repeat(50)),
  },
};

async function plain(port: number, bytes: string | Uint8Array): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }).on("error", () => {});
  await once(socket, "connect");
  if (bytes.length > 0) socket.write(bytes);
  return socket;
}

async function secure(port: number, bytes: string): Promise<Socket> {
  const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  socket.write(bytes);
  return socket;
}

for (const [scheme, clients] of Object.entries(silent)) {
  describe(`over ${scheme}`, { skip: scheme === "https" && skipWithoutOpenssl }, () => {
    let server: LocalServer["server"];
    before(async () => {
      server = start(scheme === "https" ? makeCertificate(folder.path) : undefined).server;
      await once(server.listen(0, "127.0.0.1"), "listening");
    });
    after(() => server.close());

    for (const [what, open] of Object.entries(clients)) {
      test(`no connection stays open whose client ${what}`, { timeout: 60_000 }, async () => {
        const { port } = server.address() as AddressInfo;
        const sockets = await Promise.all(Array.from({ length: 20 }, () => open(port)));
        const connections = () =>
          new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)));
        await eventually(async () => (await connections()) === 0);
        for (const socket of sockets) socket.destroy();
      });
    }
  });
}

test("an answer that takes long to make is waited for", { timeout: 60_000 }, async () => {
  const local = start(undefined, async (request) => {
    await once(local.server, "timeout");
    return ok(request);
  });
  await once(local.server.listen(0, "127.0.0.1"), "listening");
  const { port } = local.server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  assert.equal(await answer.text(), "ok\n");
  await stopListening(local);
});
