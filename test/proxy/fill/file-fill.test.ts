import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { hashGoMod } from "../../../lambda/golang/dirhash.ts";
import { type FileKind, fileKey, policies } from "../../../lambda/proxy/store/layout.ts";
import { countsOf } from "../../support/counted-calls.ts";
import { fillWorld, SharedStores, zipHash } from "../../support/fill-world.ts";
import { storedVersions } from "../../support/stored-versions.ts";
import type { Fault } from "../../support/with-failpoints.ts";

// One fill over memory: how often it asks whom, and what is left when a call fails or lands without an answer.

const module = { path: "example.com/m", version: "v1.0.0" };
const mod = Buffer.from("module example.com/m\n");
const info = '{"Version":"v1.0.0","Time":"2024-01-02T03:04:05Z"}';
const bodies = { info, mod: String(mod), zip: `zip bytes ${mod}` };

function world(t: TestContext, plan: readonly Fault[] = []) {
  return fillWorld(t, { plan, bodies });
}

const small = (kind: FileKind) => ({
  "store.read": 2, // before the lease and under it
  "index.recall": 1,
  "leases.acquire": 1,
  [`upstream ${kind}`]: 1,
  "store.create": 1,
  "index.addVersion": 1,
  // Left to the background, once for each version.
  ...(kind === "mod" && { "log.enqueue": 1 }),
  "leases.release": 1,
});

test("a miss of a small file asks each once, and a hit only the store", async (t) => {
  for (const kind of ["info", "mod"] as const) {
    const { fill, take } = world(t);
    await fill.fill(kind, module);
    assert.deepEqual(countsOf(take()), small(kind), kind);
    await fill.fill(kind, module);
    assert.deepEqual(countsOf(take()), { "store.read": 1 }, kind);
  }
});

test("a zip comes with both small files, each from upstream once, its row after its file", async (t) => {
  const { fill, store, calls } = world(t);
  await Promise.all([fill.fill("zip", module), fill.fill("zip", module), fill.fill("mod", module)]);
  assert.deepEqual([...store.files.keys()].toSorted(), [
    "example.com/m/@v/v1.0.0.info",
    "example.com/m/@v/v1.0.0.mod",
    "example.com/m/@v/v1.0.0.zip",
  ]);
  for (const kind of ["info", "mod", "zip"]) assert.equal(countsOf(calls)[`upstream ${kind}`], 1, kind);
  assert.ok(calls.lastIndexOf("index.addVersion") > calls.lastIndexOf("store.create"));
});

test("who comes second in spite of the lease gets what the first has stored", async (t) => {
  const { fill, store, index } = world(t);
  const other = Buffer.from('{"Version":"v1.0.0","Time":"2024-01-02T03:04:05Z","Origin":{}}');
  const create = store.create.bind(store);
  store.create = async (key, source, policy) => {
    store.files.set(key, other);
    return create(key, source, policy);
  };
  assert.deepEqual(Buffer.from((await fill.fill("info", module)).bytes ?? []), other);
  assert.ok(index.versions.get(module.path)?.has(module.version));
});

test("what the upstream does not have is remembered for a while, and asked for once", async (t) => {
  const { fill, take, lose } = world(t);
  lose(true);
  for (let i = 0; i < 3; i++) await assert.rejects(fill.fill("mod", module), { code: "not-found" });
  assert.equal(countsOf(take())["upstream mod"], 1);
});

for (const [method, kind] of [
  ["create", "failed"],
  ["create", "landed"],
  ["addVersion", "failed"],
  ["addVersion", "landed"],
] as const) {
  test(`${method} ${kind}: the fill fails, the next one succeeds, and the version is visible`, async (t) => {
    const { fill, index, store } = world(t, [{ method, kind, call: 1 }]);
    await assert.rejects(fill.fill("mod", module), { code: "store-failed" });
    assert.equal(store.files.size, method === "create" && kind === "failed" ? 0 : 1);
    const answer = await fill.fill("mod", module);
    assert.deepEqual(Buffer.from(answer.bytes ?? []), mod);
    await fill.fill("info", module);
    assert.deepEqual(await storedVersions(index, module.path), [module.version]);
  });
}

test("the row of one version that failed is written with the next row of another", async (t) => {
  const { fill, index } = world(t, [{ method: "addVersion", kind: "failed", call: 1 }]);
  await assert.rejects(fill.fill("mod", module), { code: "store-failed" });
  const other = { path: "example.com/m", version: "v1.0.1" };
  await fill.fill("mod", other);
  assert.deepEqual(await storedVersions(index, module.path), ["v1.0.0", "v1.0.1"]);
});

/** Which files of the version are there when a job comes for one, what is known of it, and whether it is visible then. */
const revelations: readonly (readonly [
  what: string,
  isPrivate: boolean,
  stored: readonly FileKind[],
  claimed: boolean,
  visible: boolean,
])[] = [
  ["a public file", false, ["mod"], false, true],
  ["a public file that is gone again", false, [], false, false],
  ["a whole private version with its claim", true, ["info", "mod", "zip"], true, true],
  ["a whole private version without a claim", true, ["info", "mod", "zip"], false, false],
  ["a private version that is not whole", true, ["info", "mod"], true, false],
];

for (const [what, isPrivate, stored, claimed, visible] of revelations) {
  test(`a file whose row was lost is revealed, and nothing is obtained: ${what}`, async (t) => {
    const { fill, store, index, claims, take } = fillWorld(t, { bodies, isPrivate });
    for (const kind of stored) await store.create(fileKey(module, kind), Buffer.from(bodies[kind]), policies[kind]);
    if (claimed) await claims.claim(module, { zip: "h1:z", goMod: "h1:m", info: "0".repeat(64) });
    take();
    await fill.reveal("mod", module);
    assert.deepEqual(await storedVersions(index, module.path), visible ? [module.version] : []);
    assert.deepEqual(
      take().filter((call) => call.startsWith("upstream")),
      [],
    );
    if (!visible) return;
    await fill.reveal("mod", module);
    assert.deepEqual(countsOf(take()), { "index.module": 1 });
  });
}

test("who only waits for the fetch of another process stops when its caller does, a fetch of its own goes on", async (t) => {
  const shared = new SharedStores();
  const [holder, waiter] = [fillWorld(t, { bodies, shared }), fillWorld(t, { bodies, shared })];
  await shared.leases.acquire(`${module.path}@${module.version} mod`, 1_000_000, 1_500_000);
  await assert.rejects(waiter.fill.fill("mod", module, 999_999), { code: "fill-timeout" });
  assert.equal(countsOf(waiter.calls)["upstream mod"], undefined);
  // Nobody else is at it: the caller's end does not matter.
  assert.ok((await holder.fill.fill("info", module, 0)).bytes);
});

test("a public version is left to the log's background with what is proved of it, and that this fails costs nothing", async (t) => {
  const plan: Fault[] = [];
  const { fill, log, store } = world(t, plan);
  await fill.fill("zip", module);
  const proved = { module, zip: zipHash(bodies.zip), goMod: hashGoMod(mod), proof: undefined };
  assert.deepEqual([log.waiting, log.records.size], [[proved], 0]);
  plan.push({ method: "enqueue", kind: "failed" });
  const other = world(t, plan);
  await other.fill.fill("mod", module);
  assert.deepEqual([other.log.waiting, other.store.files.size], [[], 1]);
  assert.equal(store.files.size, 3);
});

test("a public version is logged at once by what is proved of it, without a file", async (t) => {
  const { fill, log, store, take } = world(t);
  await fill.record(module, Number.POSITIVE_INFINITY);
  await fill.record(module, Number.POSITIVE_INFINITY);
  const proved = { module, zip: zipHash(bodies.zip), goMod: hashGoMod(mod), proof: undefined };
  assert.deepEqual([[...log.records.values()], store.files.size], [[proved], 0]);
  assert.deepEqual(countsOf(take()), { "log.append": 2 });
});

test("where nothing proves a public version, its first zip is logged before it is stored, and another is refused", async (t) => {
  const shared = new SharedStores();
  const { fill, take } = fillWorld(t, { bodies, shared, isUnproved: true });
  await fill.fill("zip", module);
  const calls = take();
  assert.ok(calls.indexOf("log.append") < calls.lastIndexOf("store.create"));
  assert.deepEqual(
    [...shared.log.records.values()],
    [{ module, zip: zipHash(bodies.zip), goMod: hashGoMod(mod), proof: undefined }],
  );
  shared.store.files.clear();
  const moved = fillWorld(t, { bodies: { ...bodies, zip: `moved ${mod}` }, shared, isUnproved: true });
  await assert.rejects(moved.fill.fill("zip", module), { code: "record-mismatch" });
  assert.ok(!shared.store.files.has(fileKey(module, "zip")));
  // A zip that was stored before there was a log says it where it is looked up.
  const before = new SharedStores();
  for (const kind of ["info", "mod", "zip"] as const)
    before.store.files.set(fileKey(module, kind), Buffer.from(bodies[kind]));
  await fillWorld(t, { bodies, shared: before, isUnproved: true }).fill.record(module, Number.POSITIVE_INFINITY);
  assert.deepEqual([...before.log.records.values()], [...shared.log.records.values()]);
});
