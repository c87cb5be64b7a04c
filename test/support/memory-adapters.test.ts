import assert from "node:assert/strict";
import { test } from "node:test";
import { policies } from "../../lambda/proxy/store/layout.ts";
import { auditLogContract } from "../contract/audit-log.ts";
import { claimStoreContract } from "../contract/claim-store.ts";
import { leaseStoreContract } from "../contract/lease-store.ts";
import { logStoreContract, signedHeadsContract } from "../contract/log-store.ts";
import { moduleStoreContract } from "../contract/module-store.ts";
import { headStoreContract } from "../contract/tree-head-store.ts";
import { versionIndexContract } from "../contract/version-index.ts";
import {
  MemoryClaimStore,
  MemoryLeaseStore,
  MemoryModuleStore,
  MemoryTreeHeadStore,
  MemoryVersionIndex,
} from "./memory-adapters.ts";
import { MemoryAuditLog } from "./memory-audit-log.ts";
import { MemoryLog } from "./memory-log-store.ts";
import { storedVersions } from "./stored-versions.ts";
import { type Fault, withFailpoints } from "./with-failpoints.ts";

// Fakes are held to the contracts they stand for, with and without the wrapper of faults around them.

moduleStoreContract("MemoryModuleStore", async () => ({ store: new MemoryModuleStore() }));
versionIndexContract("MemoryVersionIndex", async () => ({ store: new MemoryVersionIndex() }));
leaseStoreContract("MemoryLeaseStore", async () => ({ store: new MemoryLeaseStore() }));
auditLogContract("MemoryAuditLog", async () => ({ store: new MemoryAuditLog() }));

claimStoreContract("MemoryClaimStore", async () => ({ store: withFailpoints(new MemoryClaimStore(), []) }));
logStoreContract("MemoryLog", async () => ({ store: withFailpoints(new MemoryLog(), []) }));
signedHeadsContract("MemoryLog", async () => ({ store: new MemoryLog() }));
headStoreContract("MemoryTreeHeadStore", async () => ({ store: withFailpoints(new MemoryTreeHeadStore(), []) }));

test("a failed call did nothing, a landed one did it, and both throw", async () => {
  const plan: Fault[] = [
    { method: "create", kind: "failed", call: 1 },
    { method: "create", kind: "landed", call: 2 },
  ];
  const memory = new MemoryModuleStore();
  const store = withFailpoints(memory, plan);
  await assert.rejects(store.create("a", Buffer.from("1"), policies.internal), { code: "store-failed" });
  assert.equal(memory.files.size, 0);
  await assert.rejects(store.create("a", Buffer.from("2"), policies.internal), { code: "store-failed" });
  assert.equal(memory.files.size, 1);
  assert.equal(await store.create("a", Buffer.from("3"), policies.internal), false);
});

test("a fault may be for some calls only, with an error of its own, and planned later", async () => {
  const plan: Fault[] = [];
  const index = withFailpoints(new MemoryVersionIndex(), plan);
  await index.addVersion("a", "v1.0.0", 1, {});
  plan.push({ method: "addVersion", kind: "failed", when: (path) => path === "b", error: new Error("planned") });
  await index.addVersion("a", "v1.1.0", 1, {});
  await assert.rejects(index.addVersion("b", "v1.0.0", 1, {}), { message: "planned" });
  plan.length = 0;
  await index.addVersion("b", "v1.0.0", 1, {});
  assert.deepEqual(await storedVersions(index, "b"), ["v1.0.0"]);
});

test("a listing that fails does so where it is read", async () => {
  const store = withFailpoints(new MemoryModuleStore(), [{ method: "keys", kind: "failed", call: 1 }]);
  const list = async () => {
    for await (const key of store.keys("")) assert.fail(key);
  };
  await assert.rejects(list(), { code: "store-failed" });
  await list();
});

test("the fakes refuse callers that break the contract", async () => {
  const index = new MemoryVersionIndex();
  await assert.rejects(new MemoryModuleStore().create("../a", Buffer.from(""), policies.internal), {
    code: "internal",
  });
  await assert.rejects(index.addVersion("github.com/!azure/x", "v1.0.0", 1, {}), /broken contract/);
  await assert.rejects(index.addVersion("a", "v1", 1, {}), /broken contract/);
  await assert.rejects(index.remember("a", "list", { text: "", freshUntil: Number.NaN }), /broken contract/);
  await assert.rejects(new MemoryLeaseStore().acquire("a", 10, 10), /broken contract/);
  await assert.rejects(new MemoryTreeHeadStore().replace("a", undefined, new Uint8Array()), /broken contract/);
});
