import assert from "node:assert/strict";
import { test } from "node:test";
import { dataFolder } from "../support/data-folder.ts";
import { eventually } from "../support/eventually.ts";
import { filePath, moduleFixture } from "../support/module-fixture.ts";
import { get, startProduct } from "../support/product.ts";
import { RawClient } from "../support/raw-client.ts";
import { ScriptedUpstream } from "../support/scripted-upstream.ts";

const module = moduleFixture("corp.example/m");
const missing = (i: number) => `/corp.example/m${i}/@v/v1.0.0.info`;
const configFor = (url: string) => ({
  upstreams: [{ patterns: ["corp.example"], chain: url }],
  private: "corp.example",
  sumdb: { name: "off" },
});

test("misses of one client beyond its share wait, then are 429 with a line; others and hits go on", async (t) => {
  const upstream = await ScriptedUpstream.start();
  t.after(() => upstream.close());
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
  upstream.otherwise(async () => {
    await held;
    return { status: 404 };
  });
  for (const kind of ["info", "mod", "zip"] as const) upstream.on(filePath(module, kind), { body: module[kind] });
  const limits = { fills: 5, perClient: 4, queueSeconds: 0 };
  const product = await startProduct({ data: dataFolder(t), config: { ...configFor(upstream.url), limits } });
  t.after(() => product.stop());
  assert.equal((await get(product.url, filePath(module, "zip"))).status, 200);
  const asked = Array.from({ length: 100 }, (_, i) => get(product.url, missing(i)));
  const early: number[] = [];
  for (const each of asked) each.then(({ status }) => early.push(status));
  await eventually(() => early.length === 96);
  assert.deepEqual(new Set(early), new Set([429]));
  assert.equal((await get(product.url, filePath(module, "zip"))).status, 200, "a hit takes no turn");
  assert.equal((await get(product.url, "/-/live")).status, 200);
  letGo();
  const answers = await Promise.all(asked);
  assert.equal(answers.filter(({ status }) => status === 404).length, 4);
  const refused = answers.find(({ status }) => status === 429);
  assert.match(String(refused?.body), /^too much is being fetched at once[^\n]*\n$/);
  assert.equal(refused?.headers["cache-control"], "no-store");
});

// Other systems have one address of loopback only.
const skip = process.platform !== "linux" && "two clients need two addresses";

test("each client has a share of its own", { skip }, async (t) => {
  const upstream = await ScriptedUpstream.start();
  t.after(() => upstream.close());
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
  upstream.otherwise(async ({ path }) => {
    if (!path.includes("/other/")) await held;
    return { status: 404 };
  });
  const limits = { fills: 5, perClient: 4, queueSeconds: 0 };
  const product = await startProduct({ data: dataFolder(t), config: { ...configFor(upstream.url), limits } });
  t.after(() => product.stop());
  const asked = Array.from({ length: 5 }, (_, i) => get(product.url, missing(i)));
  assert.equal((await Promise.race(asked)).status, 429);
  const other = new RawClient(Number(new URL(product.url).port), "127.0.0.2");
  t.after(() => other.socket.destroy());
  other.socket.write("GET /corp.example/other/@v/v1.0.0.info HTTP/1.1\r\nHost: localhost\r\n\r\n");
  assert.match((await other.answer()).head, /^HTTP\/1\.1 404 /);
  letGo();
  await Promise.all(asked);
});

test("pipelined misses are fetched one after the other, and all are answered", async (t) => {
  const upstream = await ScriptedUpstream.start();
  t.after(() => upstream.close());
  let [now, most] = [0, 0];
  upstream.otherwise(async () => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setImmediate(resolve));
    now--;
    return { status: 404 };
  });
  const product = await startProduct({ data: dataFolder(t), config: configFor(upstream.url) });
  t.after(() => product.stop());
  const client = new RawClient(Number(new URL(product.url).port));
  t.after(() => client.socket.destroy());
  const count = 50;
  client.socket.write(
    Array.from({ length: count }, (_, i) => `GET ${missing(i)} HTTP/1.1\r\nHost: localhost\r\n\r\n`).join(""),
  );
  for (let i = 0; i < count; i++) assert.match((await client.answer()).head, /^HTTP\/1\.1 404 /);
  assert.ok(most <= 3, `${most} requests at once: those of one version come together`);
});

test("below the floor of free disk nothing is fetched, and what is stored is served", async (t) => {
  const upstream = await ScriptedUpstream.start();
  t.after(() => upstream.close());
  for (const kind of ["info", "mod", "zip"] as const) upstream.on(filePath(module, kind), { body: module[kind] });
  const data = dataFolder(t);
  const config = configFor(upstream.url);
  const before = await startProduct({ data, config });
  assert.equal((await get(before.url, filePath(module, "zip"))).status, 200);
  await before.stop();
  const storage = { minFree: Number.MAX_SAFE_INTEGER };
  const product = await startProduct({ data, config: { ...config, storage } });
  t.after(() => product.stop());
  assert.deepEqual((await get(product.url, filePath(module, "zip"))).body, module.zip);
  const asked = upstream.requests.length;
  const refused = await get(product.url, missing(1));
  assert.equal(refused.status, 503);
  assert.match(String(refused.body), /nearly full \(storage\.minFree\)/);
  assert.equal(upstream.requests.length, asked);
});
