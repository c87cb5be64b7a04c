import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type FileKind, fileKey } from "../../lambda/proxy/store/layout.ts";
import { dataFolder } from "../support/data-folder.ts";
import { eventually } from "../support/eventually.ts";
import { script } from "../support/front-door.ts";
import { filePath, type ModuleFixture, moduleFixture, zipOf } from "../support/module-fixture.ts";
import { get, type Product, startProduct, storedKeys, temporaryNames } from "../support/product.ts";
import { ProductProcess } from "../support/product-process.ts";
import { ScriptedUpstream } from "../support/scripted-upstream.ts";

// A private version is what it was when it first came in, whatever its upstream says later, and whatever was removed here.

const first = moduleFixture("corp.example/m");
const moved = moduleFixture("corp.example/m", "v1.0.0", "package m // moved\n");
const goMod = Buffer.from("module corp.example/m\n\ngo 1.20\n");
const retagged = { ...first, mod: goMod, zip: zipOf({ ...first, mod: goMod }, []) };
const kinds = ["info", "mod", "zip"] as const;

async function upstreamWith(t: TestContext, module: ModuleFixture): Promise<ScriptedUpstream> {
  const upstream = await ScriptedUpstream.start();
  t.after(() => upstream.close());
  script(upstream, module);
  return upstream;
}

function configFor(upstream: ScriptedUpstream, own: string | [] = "corp.example") {
  const upstreams = [{ patterns: ["corp.example"], chain: upstream.url }];
  return { upstreams, private: own, sumdb: { name: "off" }, ttl: { notFound: 0 } };
}

async function open(t: TestContext, data: string, upstream: ScriptedUpstream, own?: string | []): Promise<Product> {
  const product = await startProduct({ data, config: configFor(upstream, own) });
  t.after(() => product.stop());
  return product;
}

function remove(data: string, kind: FileKind): void {
  rmSync(join(data, "mod", fileKey(first, kind)));
}

test("a tag that was moved is refused for ever, also after all its files are gone and in another process", async (t) => {
  const data = dataFolder(t);
  const upstream = await upstreamWith(t, first);
  const one = await open(t, data, upstream);
  assert.equal((await get(one.url, filePath(first, "info"))).status, 200);
  await one.stop();
  for (const kind of kinds) remove(data, kind);
  script(upstream, moved);
  const other = await open(t, data, upstream);
  for (const kind of kinds) {
    const { status, body, headers } = await get(other.url, filePath(first, kind));
    assert.deepEqual([status, headers["cache-control"]], [403, "no-store"]);
    assert.match(
      body.toString(),
      /^SECURITY ERROR: the zip of corp\.example\/m@v1\.0\.0 is not the one that came in first: it was h1:\S+= and is now h1:\S+=; .*\n$/,
    );
  }
  assert.ok(other.warnings.some((line) => line.startsWith("claim-mismatch: SECURITY ERROR")));
  assert.deepEqual(storedKeys(data), []);
  await eventually(() => temporaryNames(data).length === 0);
  script(upstream, first);
  for (const kind of kinds) assert.equal((await get(other.url, filePath(first, kind))).status, 200);
});

/** Files that a modfront without claims left, and what becomes of them when something else of the version is asked for. */
const legacy: readonly (readonly [stored: readonly FileKind[], now: ModuleFixture, asked: FileKind, status: number])[] =
  [
    [["info"], first, "zip", 200],
    [["info", "mod"], first, "zip", 200],
    [["info", "mod", "zip"], first, "zip", 200],
    [["zip", "mod"], first, "info", 200],
    [["zip"], retagged, "info", 403],
    [["mod"], retagged, "info", 403],
  ];

for (const [stored, now, asked, status] of legacy) {
  test(`${stored.join(" and ")} stored before there were claims: ${asked} is ${status}, and what is stored stays`, async (t) => {
    const data = dataFolder(t);
    const upstream = await upstreamWith(t, first);
    // A public module has no claims; now it is private.
    const before = await open(t, data, upstream, []);
    for (const kind of kinds) assert.equal((await get(before.url, filePath(first, kind))).status, 200);
    await before.stop();
    for (const kind of kinds) if (!stored.includes(kind)) remove(data, kind);
    script(upstream, now);
    const product = await open(t, data, upstream);
    assert.equal((await get(product.url, filePath(first, asked))).status, status);
    for (const kind of stored) {
      const { body } = await get(product.url, filePath(first, kind));
      if (kind !== "info") assert.deepEqual(body, Buffer.from(first[kind]), kind);
    }
    if (status === 200) assert.equal(storedKeys(data).length, 3);
  });
}

test("two processes with two upstreams that differ, at the same moment: one version, the other is refused", async (t) => {
  const data = dataFolder(t);
  const upstreams = await Promise.all([first, moved].map((module) => upstreamWith(t, module)));
  const children = await Promise.all(
    upstreams.map((upstream) => ProductProcess.start({ data, config: configFor(upstream) })),
  );
  t.after(() => Promise.all(children.map((child) => child.kill())));
  const answers = await Promise.all(children.map(({ url }) => get(url, filePath(first, "zip"))));
  const zips = new Set(answers.map(({ body }) => body.toString("latin1")));
  assert.ok(zips.size === 1 || answers.some(({ status }) => status === 403));
  const served = answers.find(({ status }) => status === 200);
  for (const { url } of children) {
    const { status, body } = await get(url, filePath(first, "zip"));
    assert.deepEqual([status, body], [200, served?.body]);
  }
});
