import assert from "node:assert/strict";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { indexFile } from "../../lambda/local/data/index-database.ts";
import { reindex } from "../../lambda/local/data/reindex.ts";
import { dataFolder } from "../support/data-folder.ts";
import { eventually } from "../support/eventually.ts";
import { filePath, moduleFixture, versionsPath } from "../support/module-fixture.ts";
import { readOnlyView, smallDisk } from "../support/mounts.ts";
import { get, startProduct, storedKeys, temporaryNames } from "../support/product.ts";
import { ScriptedUpstream } from "../support/scripted-upstream.ts";

// A disk that is full, read-only or damaged under the running product.

const module = moduleFixture("corp.example/m");
const big = moduleFixture("corp.example/big");
const kinds = ["zip", "mod", "info"] as const;

async function healthyUpstream(t: TestContext): Promise<{ upstream: ScriptedUpstream; config: object }> {
  const upstream = await ScriptedUpstream.start();
  t.after(() => upstream.close());
  for (const each of [module, big]) {
    for (const kind of kinds) upstream.on(filePath(each, kind), { body: each[kind] });
  }
  upstream.on(`${versionsPath(module)}/list`, { status: 404 });
  const config = {
    upstreams: [{ patterns: ["corp.example"], chain: upstream.url }],
    private: "corp.example",
    sumdb: { name: "off" },
  };
  return { upstream, config };
}

test("a full disk is a 503 that says so, leaves no part of a file, and passes", async (t) => {
  const data = smallDisk(t, 2 << 20);
  if (data === undefined) return;
  const { upstream, config } = await healthyUpstream(t);
  // More than there is room for.
  upstream.on(filePath(big, "zip"), { body: Buffer.alloc(3 << 20) });
  const product = await startProduct({ data, config });
  t.after(() => product.stop());
  const refused = await get(product.url, filePath(big, "zip"));
  assert.equal(refused.status, 503, String(refused.body));
  assert.match(refused.body.toString(), /no room|disk of the data folder is full/);
  assert.doesNotMatch(refused.body.toString(), /ENOSPC|\/tmp/);
  assert.ok(!storedKeys(data).some((key) => key.endsWith(".zip")));
  await eventually(() => temporaryNames(data).length === 0);
  upstream.on(filePath(big, "zip"), { body: big.zip });
  for (const each of [big, module]) {
    const answer = await get(product.url, filePath(each, "zip"));
    assert.deepEqual([answer.status, answer.body.equals(each.zip)], [200, true], String(answer.body));
  }
});

test("on a read-only disk what is stored is served, and a start says in words what is wrong", async (t) => {
  const data = dataFolder(t);
  const { config } = await healthyUpstream(t);
  const writer = await startProduct({ data, config });
  for (const kind of kinds) assert.equal((await get(writer.url, filePath(module, kind))).status, 200);
  await writer.stop();
  const at = readOnlyView(t, data);
  if (at === undefined) return;
  await assert.rejects(startProduct({ data: at, config }), (error: Error) => {
    assert.match(error.message, /data folder/);
    return !error.message.includes(at);
  });
});

test("an index damaged under the running product: files are served, the rest is a 503 that says what to do", async (t) => {
  const data = dataFolder(t);
  const { config, upstream } = await healthyUpstream(t);
  const product = await startProduct({ data, config });
  for (const kind of kinds) assert.equal((await get(product.url, filePath(module, kind))).status, 200);
  await product.stop();
  const path = join(data, indexFile);
  const sound = readFileSync(path);
  const running = await startProduct({ data, config });
  writeFileSync(path, Buffer.from(sound).fill(0xa5), { flag: "r+" });
  const list = await get(running.url, `${versionsPath(module)}/list`);
  assert.ok(list.status === 503 || list.status === 200, String(list.body));
  if (list.status === 503) assert.match(list.body.toString(), /modfront reindex/);
  assert.deepEqual((await get(running.url, filePath(module, "zip"))).body, module.zip, "stored files need no index");
  await running.stop();

  await assert.rejects(startProduct({ data, config }), /modfront reindex/);
  await reindex({ data, now: Date.now(), readHead: () => undefined, isPrivate: () => false });
  const rebuilt = await startProduct({ data, config });
  t.after(() => rebuilt.stop());
  upstream.on(`${versionsPath(module)}/list`, { status: 501 });
  assert.equal((await get(rebuilt.url, `${versionsPath(module)}/list`)).body.toString(), "v1.0.0\n");
  assert.equal((await get(rebuilt.url, filePath(big, "zip"))).status, 200);
});

test("an index that is gone is made anew at start, from the files", async (t) => {
  const data = dataFolder(t);
  const { config, upstream } = await healthyUpstream(t);
  const first = await startProduct({ data, config });
  assert.equal((await get(first.url, filePath(module, "mod"))).status, 200);
  await first.stop();
  const copy = dataFolder(t);
  cpSync(join(data, "mod"), join(copy, "mod"), { recursive: true });
  rmSync(data, { recursive: true });
  const second = await startProduct({ data: copy, config });
  t.after(() => second.stop());
  upstream.on(`${versionsPath(module)}/list`, { status: 501 });
  // The key of the log is gone too: a private version is visible when the new log has it.
  const list = async () => (await get(second.url, `${versionsPath(module)}/list`)).body.toString();
  await eventually(async () => (await list()) === "v1.0.0\n");
});

test("a reader during every store window sees the whole file or none", async (t) => {
  const data = dataFolder(t);
  const { config } = await healthyUpstream(t);
  const windows: string[] = [];
  const path = (kind: (typeof kinds)[number]) => join(data, "mod", filePath(module, kind).slice(1));
  const look = (name: string) => {
    if (!name.startsWith("store.create.")) return;
    for (const kind of kinds) {
      let seen: Buffer | undefined;
      try {
        seen = readFileSync(path(kind));
      } catch {
        continue;
      }
      windows.push(`${name} ${kind}`);
      if (kind === "info") assert.doesNotThrow(() => JSON.parse(String(seen)));
      else assert.ok(seen.equals(module[kind]), `${name}: part of the ${kind}`);
    }
  };
  const product = await startProduct({ data, config }, look);
  t.after(() => product.stop());
  const answer = await get(product.url, filePath(module, "zip"));
  assert.deepEqual([answer.status, answer.body.equals(module.zip)], [200, true]);
  for (const window of ["store.create.linked zip", "store.create.after zip", "store.create.linked mod"]) {
    assert.ok(windows.includes(window), window);
  }
});
