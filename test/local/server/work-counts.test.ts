import assert from "node:assert/strict";
import { createHook } from "node:async_hooks";
import { readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type TestContext, test } from "node:test";
import { DirectoryModuleStore } from "../../../lambda/local/data/directory-module-store.ts";
import { FolderTemporaryFiles } from "../../../lambda/runtime/folder-temporary-files.ts";
import { ChecksumDatabase } from "../../support/checksum-database.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { serveDatabase } from "../../support/database-server.ts";
import { eventually } from "../../support/eventually.ts";
import { addFixture, filePath, moduleFixture, noise, versionsPath, zipOf } from "../../support/module-fixture.ts";
import { get, startProduct, storedKeys, untilSigned } from "../../support/product.ts";
import { RawClient } from "../../support/raw-client.ts";
import { ScriptedUpstream } from "../../support/scripted-upstream.ts";

// What a request may cost, counted: requests upstream, files written, files read, calls that another thread carries
// out. The benchmark has the times.

const module = moduleFixture("example.com/m");

interface Counted {
  /** Patterns of private modules. */
  readonly patterns?: readonly string[];
  /** Called at each write boundary, with its name and the data folder. */
  readonly wrote?: (name: string, data: string) => void;
}

async function startCounted(t: TestContext, { patterns = [], wrote = () => {} }: Counted = {}) {
  const database = new ChecksumDatabase();
  await addFixture(database, module);
  const [upstream, sumdb] = await Promise.all([ScriptedUpstream.start(), ScriptedUpstream.start()]);
  t.after(() => Promise.all([upstream.close(), sumdb.close()]));
  for (const kind of ["info", "mod", "zip"] as const) upstream.on(filePath(module, kind), { body: module[kind] });
  upstream.on(`${versionsPath(module)}/list`, { body: "v1.0.0\n" });
  sumdb.otherwise(serveDatabase(database));
  const data = dataFolder(t);
  const config = {
    private: patterns,
    upstreams: [{ patterns: [...patterns, "*"], chain: upstream.url }],
    sumdb: { name: database.vkey, url: sumdb.url },
  };
  const written: string[] = [];
  const product = await startProduct({ data, config }, (name) => {
    written.push(name);
    wrote(name, data);
  });
  t.after(() => product.stop());
  await untilSigned(product.url);
  written.splice(0);
  return { upstream, sumdb, product, data, created: () => written.filter((name) => name === "store.create.before") };
}

test("the first zip asks for each file and the record once, and writes each file once", async (t) => {
  const { upstream, sumdb, product, data, created } = await startCounted(t);
  assert.equal((await get(product.url, filePath(module, "zip"))).status, 200);
  const asked = [...upstream.requests, ...sumdb.requests].map(({ path }) => path).sort();
  assert.deepEqual(asked, [
    filePath(module, "info"),
    filePath(module, "mod"),
    filePath(module, "zip"),
    "/lookup/example.com/m@v1.0.0",
    "/tile/8/0/000.p/1",
  ]);
  // Nothing is written for somebody who finds it there: as many writes as files, beside those of the log's background.
  await eventually(() => created().length === storedKeys(data).length + logFiles(data) - 1);
});

test("a small file that was just fetched is not read to be sent", async (t) => {
  const gone: string[] = [];
  const { product } = await startCounted(t, {
    wrote: (name, data) => {
      if (name === "index.addVersion.after") renameSync(join(data, "mod"), join(data, `gone${gone.push(name)}`));
    },
  });
  for (const kind of ["mod", "info"] as const) {
    const { status, headers, body } = await get(product.url, filePath(module, kind));
    assert.deepEqual([status, headers["accept-ranges"], body.length > 0], [200, "bytes", true], kind);
  }
  assert.equal(gone.length, 2);
});

test("hits ask nobody and read no file", async (t) => {
  const { upstream, sumdb, product, data, created } = await startCounted(t);
  const paths = [
    ...(["info", "mod", "zip"] as const).map((kind) => filePath(module, kind)),
    `${versionsPath(module)}/list`,
    "/example.com/m/@latest",
  ];
  const first = await Promise.all(paths.map((path) => get(product.url, path)));
  const before = [upstream.requests.length, sumdb.requests.length, created().length];
  // What is not there cannot be read.
  renameSync(join(data, "mod"), join(data, "gone"));
  for (const [i, path] of paths.entries()) {
    const { status, headers, body } = await get(product.url, path);
    assert.deepEqual([status, headers.etag, body], [200, first[i]?.headers.etag, first[i]?.body], path);
  }
  // The same to a client whose requests never reach node:http.
  const plain = new RawClient(Number(new URL(product.url).port));
  for (const [i, path] of paths.entries()) {
    plain.socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    const { head, body } = await plain.answer();
    assert.match(head, new RegExp(`^HTTP/1.1 200 OK\r\n[^]*^etag: ${first[i]?.headers.etag}\r$`, "m"), path);
    assert.deepEqual(body, first[i]?.body);
  }
  plain.socket.destroy();
  renameSync(join(data, "gone"), join(data, "mod"));
  assert.deepEqual([upstream.requests.length, sumdb.requests.length, created().length], before);
});

test("a large zip is read from disk twice, and no more however often it is asked for", async (t) => {
  const { upstream, product, data } = await startCounted(t, { patterns: ["corp.example"] });
  const small = moduleFixture("corp.example/large");
  const noisy = { name: "corp.example/large@v1.0.0/noise.bin", content: noise("large", 1 << 20) };
  const large = { ...small, zip: zipOf(small, [noisy]) };
  for (const kind of ["info", "mod", "zip"] as const) upstream.on(filePath(large, kind), { body: large[kind] });
  const path = filePath(large, "zip");
  for (const _ of ["from disk", "into memory"]) await get(product.url, path);
  renameSync(join(data, "mod"), join(data, "gone"));
  assert.deepEqual((await get(product.url, path)).body, large.zip);
  renameSync(join(data, "gone"), join(data, "mod"));
});

/** How many files the log has; one at first, its first head. */
function logFiles(data: string): number {
  const folder = join(data, "mod/-/log");
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;
}

/** How often `work` has another thread call the file system. */
async function handOvers(work: () => Promise<unknown>): Promise<number> {
  let count = 0;
  const hook = createHook({ init: (_id, type) => void (/^(FSREQ|FILEHANDLECLOSEREQ)/.test(type) && count++) });
  hook.enable();
  try {
    await work();
  } finally {
    hook.disable();
  }
  return count;
}

test("a small file costs hand-overs for its fsyncs only, and is read without", async (t) => {
  const store = await DirectoryModuleStore.open(dataFolder(t), 0);
  const create = (key: string) => handOvers(() => store.create(key, Buffer.from("bytes")));
  assert.equal(await create("a.example/x/@v/v1.0.0.mod"), 5, "the file, its three new folders and the one above them");
  assert.equal(await create("a.example/x/@v/v1.0.0.info"), 2, "the file and its folder");
  assert.equal(await create("a.example/x/@v/v1.0.0.info"), 1, "its folder: who made it may have died before that");
  assert.equal(await handOvers(() => store.read("a.example/x/@v/v1.0.0.mod")), 0);
  assert.equal(await handOvers(() => store.read("a.example/x/@v/v2.0.0.mod")), 0);
});

test("a received zip costs one hand-over for each 512 KiB that others follow, and two to store", async (t) => {
  const data = dataFolder(t);
  const store = await DirectoryModuleStore.open(data, 0);
  const files = new FolderTemporaryFiles(join(data, "tmp"), () => "received");
  const path = files.next();
  const received = (kibibytes: number) =>
    handOvers(() =>
      files.write(path, Readable.from(Array.from({ length: kibibytes / 64 }, () => Buffer.alloc(1 << 16)))),
    );
  await store.create("a/v1.0.0.info", Buffer.from(""));
  assert.equal(await received(2048 + 64), 4);
  assert.equal(await received(448), 0);
  assert.equal(await handOvers(() => store.create("a/v1.0.0.zip", { path })), 2, "the file and its folder");
  assert.equal(await handOvers(() => files.remove(path)), 1);
});

test("a small file is looked for, and read to be sent, without another thread", async (t) => {
  const { product, data } = await startCounted(t);
  const missing = `${versionsPath(module)}/v9.0.0.mod`;
  assert.equal(await handOvers(async () => assert.equal((await get(product.url, missing)).status, 404)), 0);
  await get(product.url, filePath(module, "zip"));
  await product.stop();
  const later = await startProduct({ data, config: { upstreams: [{ patterns: ["*"], chain: "off" }] } });
  t.after(() => later.stop());
  const send = async () => assert.equal((await get(later.url, filePath(module, "zip"))).status, 200);
  // Beside what its log does at the start.
  await eventually(async () => (await handOvers(send)) === 0);
});
