import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { type TestContext, test } from "node:test";
import type { FileKind } from "../../lambda/proxy/store/layout.ts";
import { dataFolder } from "../support/data-folder.ts";
import { eventually } from "../support/eventually.ts";
import { filePath, moduleFixture } from "../support/module-fixture.ts";
import { get, startProduct, storedKeys, temporaryNames } from "../support/product.ts";
import { ProductProcess } from "../support/product-process.ts";
import { ScriptedUpstream } from "../support/scripted-upstream.ts";

// A file is fetched once, however many ask at the same moment, in one process or several, and whoever goes away.

const module = moduleFixture("corp.example/m");

/** An upstream with the module, slow enough that everybody is there before the first is done. */
async function slowUpstream(t: TestContext): Promise<ScriptedUpstream> {
  const upstream = await ScriptedUpstream.start();
  t.after(() => upstream.close());
  for (const kind of ["info", "mod", "zip"] as const) {
    upstream.on(filePath(module, kind), { body: module[kind], delay: 300 });
  }
  return upstream;
}

function configFor(upstream: ScriptedUpstream, own: string | [] = "corp.example") {
  const chain = upstream.url;
  return { upstreams: [{ patterns: ["corp.example"], chain }], private: own, sumdb: { name: "off" } };
}

function counts(upstream: ScriptedUpstream): Record<FileKind, number> {
  const count = (kind: FileKind) => upstream.count(filePath(module, kind));
  return { info: count("info"), mod: count("mod"), zip: count("zip") };
}

const rows: readonly (readonly [kind: FileKind, own: string | [], clients: number, asked: Record<FileKind, number>])[] =
  [
    ["zip", [], 64, { info: 1, mod: 1, zip: 1 }], // a zip comes together with both small files
    ["mod", [], 32, { info: 0, mod: 1, zip: 0 }],
    ["info", [], 32, { info: 1, mod: 0, zip: 0 }],
    ["mod", "corp.example", 32, { info: 1, mod: 1, zip: 1 }], // a private version is one unit
  ];

for (const [kind, own, clients, asked] of rows) {
  test(`private: "${own}", ${clients} clients that ask for one ${kind} at once are one request upstream`, async (t) => {
    const upstream = await slowUpstream(t);
    const product = await startProduct({ data: dataFolder(t), config: configFor(upstream, own) });
    t.after(() => product.stop());
    const path = filePath(module, kind);
    const answers = await Promise.all(Array.from({ length: clients }, () => get(product.url, path)));
    for (const { status, body } of answers) {
      assert.equal(status, 200);
      assert.equal(body.length, answers[0]?.body.length);
    }
    if (kind !== "info") assert.deepEqual(answers[0]?.body, Buffer.from(module[kind]));
    assert.deepEqual(counts(upstream), asked);
  });

  test(`private: "${own}", ${clients} clients of two processes on one data folder that ask for one ${kind} are one request upstream`, async (t) => {
    const upstream = await slowUpstream(t);
    const task = { data: dataFolder(t), config: configFor(upstream, own) };
    await using one = await ProductProcess.start(task);
    await using other = await ProductProcess.start(task);
    const path = filePath(module, kind);
    const ask = (_: unknown, i: number) => get(i % 2 === 0 ? one.url : other.url, path);
    const answers = await Promise.all(Array.from({ length: clients }, ask));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    assert.equal(new Set(answers.map(({ body }) => body.toString("latin1"))).size, 1);
    assert.deepEqual(counts(upstream), asked);
  });
}

test("clients that leave early change nothing: the fetch goes on for those who stay and those who come later", async (t) => {
  const upstream = await slowUpstream(t);
  const data = dataFolder(t);
  const product = await startProduct({ data, config: configFor(upstream) });
  t.after(() => product.stop());
  const path = filePath(module, "zip");
  const leaving = Array.from({ length: 16 }, () => {
    const outgoing = request(product.url, { path, agent: false }).on("error", () => {});
    outgoing.end();
    return outgoing;
  });
  await Promise.all(leaving.map((outgoing) => outgoing.writableFinished || once(outgoing, "finish")));
  await eventually(() => upstream.requests.length > 0);
  for (const outgoing of leaving) outgoing.destroy();
  const answer = await get(product.url, path);
  assert.deepEqual(answer.body, module.zip);
  assert.deepEqual(counts(upstream), { info: 1, mod: 1, zip: 1 });
  await eventually(() => temporaryNames(data).length === 0);
});

test("when all clients have left, what they asked for is stored all the same", async (t) => {
  const upstream = await slowUpstream(t);
  const data = dataFolder(t);
  const product = await startProduct({ data, config: configFor(upstream) });
  t.after(() => product.stop());
  const path = filePath(module, "mod");
  const outgoing = request(product.url, { path, agent: false }).on("error", () => {});
  outgoing.end();
  await eventually(() => upstream.count(path) > 0);
  outgoing.destroy();
  await eventually(() => storedKeys(data).includes(path.slice(1)));
  assert.equal((await get(product.url, path)).status, 200);
  assert.equal(upstream.count(path), 1);
});

test("a failure is shared by those who wait and not remembered: the next to ask tries again", async (t) => {
  const upstream = await slowUpstream(t);
  const path = filePath(module, "mod");
  // Three tries make one failed fetch.
  const broken = { status: 500, delay: 200 };
  upstream.on(path, broken, broken, broken, { body: module.mod });
  const product = await startProduct({ data: dataFolder(t), config: configFor(upstream) });
  t.after(() => product.stop());
  const failed = await Promise.all(Array.from({ length: 20 }, () => get(product.url, path)));
  assert.deepEqual(new Set(failed.map(({ status }) => status)), new Set([502]));
  assert.equal(upstream.count(path), 3);
  assert.equal((await get(product.url, path)).status, 200);
  assert.equal(upstream.count(path), 4);
});

test("a process killed while it holds a lease delays others by the lease's 10 seconds, and no second lease", async (t) => {
  const upstream = await slowUpstream(t);
  const path = filePath(module, "zip");
  upstream.on(path, { fault: "hang-before" }, { body: module.zip });
  const task = { data: dataFolder(t), config: configFor(upstream) };
  const holder = await ProductProcess.start(task);
  await using other = await ProductProcess.start(task);
  const lost = get(holder.url, path).catch(() => undefined);
  await eventually(() => upstream.count(path) > 0);
  await holder.kill();
  const killed = performance.now();
  await lost;
  const answer = await get(other.url, path);
  const seconds = (performance.now() - killed) / 1000;
  t.diagnostic(`the other process waited ${seconds.toFixed(1)} s`);
  assert.deepEqual(answer.body, module.zip);
  assert.equal(upstream.count(path), 2);
  // The promise itself is about time, with room for a machine under load.
  assert.ok(seconds < 18, `${seconds} s`);
});
