import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { get } from "node:https";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { makeCertificate, skipWithoutOpenssl as skip } from "../support/certificate.ts";
import { dataFolder } from "../support/data-folder.ts";
import { eventually } from "../support/eventually.ts";
import { filePath, moduleFixture, noise, zipOf } from "../support/module-fixture.ts";
import { ProductProcess } from "../support/product-process.ts";
import { ScriptedUpstream } from "../support/scripted-upstream.ts";

// Clients that ask for a large zip and do not read it: what each of them holds here is bounded.

const small = moduleFixture("corp.example/large");
const path = filePath(small, "zip");
const request = `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

/** The product over TLS in a process of its own, and its zip in memory unless it is too large for that. */
async function start(t: TestContext, megabytes: number, limits: object = {}): Promise<ProductProcess> {
  const noisy = { name: "corp.example/large@v1.0.0/noise.bin", content: noise("large", megabytes << 20) };
  const module = { ...small, zip: zipOf(small, [noisy]) };
  const upstream = await ScriptedUpstream.start();
  t.after(() => upstream.close());
  for (const kind of ["info", "mod", "zip"] as const) upstream.on(filePath(module, kind), { body: module[kind] });
  const folder = dataFolder(t);
  const { cert, key } = makeCertificate(folder);
  const upstreams = [{ patterns: ["corp.example"], chain: upstream.url }];
  const config = { upstreams, private: "corp.example", sumdb: { name: "off" }, limits };
  const file = join(folder, "config.json");
  writeFileSync(file, JSON.stringify(config));
  const flags = ["--data", join(folder, "data"), "--config", file, "--tls-cert", cert, "--tls-key", key];
  const product = await ProductProcess.startCommand([...flags, "--port", "0", "--upstream", "off", "--log", "off"]);
  t.after(() => product.kill());
  for (const _ of ["fetched", "read into memory", "in memory"]) await download(product.url);
  return product;
}

function download(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    get(`${url}${path}`, { rejectUnauthorized: false, agent: false }, (response) => {
      assert.equal(response.statusCode, 200);
      response.on("end", resolve).resume();
    }).on("error", reject);
  });
}

/** Connections on which so many requests are sent, and nothing is read. */
async function greedy(t: TestContext, url: string, connections: number, requests: number): Promise<void> {
  for (let i = 0; i < connections; i++) {
    const socket = connectTls({ port: Number(new URL(url).port), host: "127.0.0.1", rejectUnauthorized: false });
    t.after(() => socket.destroy());
    socket.on("error", () => {});
    await once(socket, "secureConnect");
    socket.write(request.repeat(requests));
  }
}

const rows = [
  { megabytes: 8, connections: 20, requests: 1 },
  { megabytes: 8, connections: 5, requests: 90 },
  // Too large for memory.
  { megabytes: 17, connections: 20, requests: 1 },
  { megabytes: 17, connections: 5, requests: 90 },
  // More than may wait.
  { megabytes: 17, connections: 5, requests: 1_000 },
];

for (const { megabytes, connections, requests } of rows) {
  test(`${connections} connections with ${requests} unread answers of ${megabytes} MB each`, { skip }, async (t) => {
    const product = await start(t, megabytes);
    const before = product.held();
    await greedy(t, product.url, connections, requests);
    // Whoever reads is served, after everything that was sent before has been seen.
    for (const _ of ["once", "twice"]) await download(product.url);
    const after = product.held();
    t.diagnostic(`${JSON.stringify(before)} ${JSON.stringify(after)}`);
    if (before === undefined || after === undefined) return;
    assert.ok(after.descriptors - before.descriptors <= 2 * connections + 8, `${after.descriptors} descriptors`);
    assert.ok(after.memory - before.memory < 64, `${before.memory} MB became ${after.memory}`);
  });
}

test("no more connections than the configuration says", { skip }, async (t) => {
  const limit = 20;
  const product = await start(t, 1, { connections: limit });
  const before = product.held();
  const ended = new Set<Socket>();
  const sockets = Array.from({ length: 3 * limit }, () =>
    connect(Number(new URL(product.url).port), "127.0.0.1")
      .on("error", () => {})
      .on("close", function (this: Socket) {
        ended.add(this);
      }),
  );
  await eventually(() => ended.size >= 2 * limit);
  const during = product.held();
  for (const socket of sockets) socket.destroy();
  if (before === undefined || during === undefined) return;
  assert.ok(during.descriptors - before.descriptors <= limit, `${during.descriptors} descriptors`);
});
