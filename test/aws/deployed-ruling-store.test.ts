import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { layOutBlocks, noBlocks } from "../../lambda/access/block-list.ts";
import { hmac } from "../../lambda/access/hmac.ts";
import { DeployedRulingStore, readBlocked, tellEdge } from "../../lambda/aws/deployed-ruling-store.ts";
import type { WaitingBlock, WaitingBlocks } from "../../lambda/aws/waiting-blocks.ts";
import { decide } from "../../lambda/edge/decide.ts";
import { SqliteRulingStore } from "../../lambda/local/data/sqlite-ruling-store.ts";
import type { Ruling, RulingName } from "../../lambda/proxy/store/ruling-store.ts";
import { dataFolder } from "../support/data-folder.ts";
import { FakeKeyValues } from "../support/fake-key-values.ts";
import { keyValuesOf } from "../support/tokens.ts";

// What the edge is told of blocks, whoever dies while telling it. Four seconds.

const now = Date.UTC(2026, 10, 28);
const storeArn = "arn:aws:cloudfront::000000000000:key-value-store/modfront";

/** What waits, in memory. */
class MemoryWaiting {
  rows: WaitingBlock[] = [];
  #changes = 0;

  async add({ module, version }: Pick<RulingName, "module" | "version">): Promise<void> {
    this.rows = this.rows.filter((row) => row.module !== module || row.version !== version);
    this.rows.push({ module, version, change: `${++this.#changes}` });
  }

  async list(): Promise<readonly WaitingBlock[]> {
    return this.rows;
  }

  async settle(told: readonly WaitingBlock[]): Promise<void> {
    this.rows = this.rows.filter((row) => told.every(({ change }) => change !== row.change));
  }
}

function world(t: TestContext) {
  const rows = new SqliteRulingStore(dataFolder(t));
  t.after(() => rows.close());
  const keyValues = new FakeKeyValues(
    new Map([...noBlocks(), ["access", JSON.stringify({ anonymous: "all", private: "" })]]),
  );
  const waiting = new MemoryWaiting();
  const parts = {
    rows,
    waiting: waiting as unknown as WaitingBlocks,
    keyValues: keyValues.client,
    storeArn,
    now: () => now,
  };
  const statusOf = (module: string, version: string) => {
    const context = { keyValues: keyValuesOf(keyValues.values), hmac, now: () => now / 1000 };
    const decision = decide({ method: "GET", path: `/${module}/@v/${version}.zip`, credentials: undefined }, context);
    return decision.kind === "answer" ? decision.status : 200;
  };
  /** The texts are what the rows say, whole. */
  const isTold = async () => {
    const wanted = layOutBlocks(await readBlocked(rows), now);
    assert.deepEqual(new Map([...keyValues.values].filter(([key]) => key.startsWith("b "))), wanted);
  };
  return { rows, keyValues, waiting, parts, store: new DeployedRulingStore(parts), statusOf, isTold };
}

function block(module: string, version: string, more: Partial<Ruling> = {}): Ruling {
  return { kind: "block", module, version, reason: "why", by: "ann", at: now, request: "r", ...more };
}

test("a block is at the edge when it has been made, for two calls, and gone when it is taken back", async (t) => {
  const { store, keyValues, statusOf, isTold, waiting } = world(t);
  await store.set(block("a.example/x", "v1.0.0"));
  assert.deepEqual(keyValues.calls, { DescribeKeyValueStoreCommand: 1, UpdateKeysCommand: 1 });
  assert.deepEqual([statusOf("a.example/x", "v1.0.0"), statusOf("a.example/x", "v1.0.1")], [403, 200]);
  await store.set(block("a.example/x", "v1.0.1", { kind: "exception" }));
  assert.equal(keyValues.calls.UpdateKeysCommand, 1, "the edge has no exceptions");
  await store.remove({ ...block("a.example/x", "v1.0.0"), at: now + 1 });
  assert.deepEqual([statusOf("a.example/x", "v1.0.0"), waiting.rows], [200, []]);
  await isTold();
});

test("beyond sixty versions a module's move to other texts and back, never unblocked at a write between", async (t) => {
  const { store, keyValues, statusOf, isTold } = world(t);
  const versions = Array.from({ length: 61 }, (_, i) => `v1.0.${i}`);
  await store.change(
    versions.slice(0, 60).map((version) => block("a.example/x", version)),
    [],
  );
  await isTold();
  let writes = 0;
  keyValues.beforeUpdate = () => {
    writes++;
    for (const version of versions.slice(0, 60)) assert.equal(statusOf("a.example/x", version), 403, version);
  };
  await store.set(block("a.example/x", "v1.0.60"));
  assert.equal(writes, 2);
  await isTold();
  await store.remove({ ...block("a.example/x", "v1.0.60"), at: now + 1 });
  await isTold();
  keyValues.beforeUpdate = () => {};
});

test("a writer that dies leaves what the next one, or the schedule, tells the edge", async (t) => {
  const { store, keyValues, statusOf, isTold, parts } = world(t);
  const die = () => {
    throw Object.assign(new Error("killed"), { name: "Killed" });
  };
  keyValues.beforeUpdate = die;
  await assert.rejects(store.set(block("a.example/x", "v1.0.0")));
  await assert.rejects(store.set(block("b.example/x", "")));
  assert.equal(statusOf("a.example/x", "v1.0.0"), 200);
  keyValues.beforeUpdate = () => {};
  await store.set(block("c.example/x", ""));
  for (const name of ["a", "b", "c"]) assert.equal(statusOf(`${name}.example/x`, "v1.0.0"), 403, name);
  await isTold();
  keyValues.beforeUpdate = die;
  await assert.rejects(store.remove({ ...block("b.example/x", ""), at: now + 1 }));
  keyValues.beforeUpdate = () => {};
  await tellEdge(parts);
  assert.equal(statusOf("b.example/x", "v1.0.0"), 200);
  await isTold();
  const calls = { ...keyValues.calls };
  await tellEdge(parts);
  assert.deepEqual(keyValues.calls, calls, "where nothing waits the store is not asked");
});

test("writers at the same moment tell the edge of all", async (t) => {
  const { store, isTold, waiting } = world(t);
  await Promise.all(["a", "b", "c"].map((name) => store.set(block(`${name}.example/x`, ""))));
  await isTold();
  assert.deepEqual(waiting.rows, []);
});

test("what the edge has no room for is refused before anything changes", async (t) => {
  const { store, rows } = world(t);
  const crowd = Array.from({ length: 250_000 }, (_, i) => `m${i}.example`).filter((module) => textOf(module) === 7);
  await rows.change(
    crowd.slice(0, 93).map((module) => block(module, "")),
    [],
  );
  let noted = 0;
  const set = store.set(block(crowd[93] ?? "", ""), async () => void noted++);
  await assert.rejects(set, { code: "blocks-full" });
  assert.deepEqual([noted, await rows.count("block")], [0, 93]);
});

function textOf(module: string): number {
  let hash = 0;
  for (const character of module) hash = (hash * 31 + character.charCodeAt(0)) % 65_521;
  return hash % 2048;
}
