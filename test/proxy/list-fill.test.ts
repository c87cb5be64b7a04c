import assert from "node:assert/strict";
import { test } from "node:test";
import { ListFill } from "../../lambda/proxy/list-fill.ts";
import { ServedError, type ServedErrorCode } from "../../lambda/proxy/served-error.ts";
import { MemoryVersionIndex } from "../support/memory-adapters.ts";

const path = "corp.example/m";

/** What is listed of a module with a stored version when its list cannot be had. */
async function listed(code: ServedErrorCode, versions: readonly string[]): Promise<string> {
  const index = new MemoryVersionIndex();
  for (const version of versions) await index.addVersion(path, version);
  const source = { fetch: () => Promise.reject(new ServedError(code, code)), isPrivate: () => true };
  const clock = { now: () => 1_000_000, sleep: async () => {} };
  const lists = new ListFill({ index, source, clock, listSeconds: 60, notFoundSeconds: 60 });
  const { list, stale } = await lists.fill(path);
  return `${list.tagged.join(" ")}${stale ? " (stale)" : ""}`;
}

test("what is stored stays listed when the upstream is down, has forgotten it, refuses it or is not named any more", async () => {
  const codes = ["upstream-failed", "upstream-timeout", "not-found", "upstream-refused", "forbidden"] as const;
  for (const code of codes) {
    assert.equal(await listed(code, ["v1.0.0", "v1.1.0"]), "v1.0.0 v1.1.0 (stale)", code);
    await assert.rejects(listed(code, []), { code }, code);
  }
});

test("a store that fails is no reason to list less", async () => {
  await assert.rejects(listed("store-failed", ["v1.0.0"]), { code: "store-failed" });
});
