import assert from "node:assert/strict";
import { test } from "node:test";
import { escapeVersion } from "../../../lambda/golang/module.ts";
import { ChannelIndex } from "../../../lambda/proxy/store/channel-index.ts";
import type { MemoryName } from "../../../lambda/proxy/store/version-index.ts";
import { MemoryVersionIndex } from "../../support/memory-adapters.ts";

const path = "example.com/m";

test("a channel's memories are its own, whatever they are of, and no request can name one of them", async () => {
  const index = new MemoryVersionIndex();
  const kept: MemoryName[] = [];
  const all = new Proxy(index, {
    get: (target, key) =>
      key === "remember"
        ? (module: string, name: MemoryName, memory: { readonly text: string; readonly freshUntil: number }) => {
            kept.push(name);
            return target.remember(module, name, memory);
          }
        : Reflect.get(target, key).bind(target),
  });
  const [a, b] = [new ChannelIndex(all, "a"), new ChannelIndex(all, "b")];
  const names: readonly MemoryName[] = [
    ...(["list", "latest", "query main", "query list", "query query main"] as const),
    ...(["missing list", "missing latest", "missing query main", "missing v1.0.0.zip"] as const),
  ];
  for (const [who, memories] of Object.entries({ a, b, all }))
    for (const name of names) await memories.remember(path, name, { text: `${who} ${name}`, freshUntil: 1 });
  for (const [who, memories] of Object.entries({ a, b, all })) {
    for (const name of names) assert.equal((await memories.recall(path, name))?.text, `${who} ${name}`);
    const { list, latest } = await memories.module(path);
    assert.deepEqual([list?.text, latest?.text], [`${who} list`, `${who} latest`]);
  }
  for (const name of kept.slice(0, 2 * names.length))
    assert.throws(() => escapeVersion(name.replace(/^(query|missing) /, "")), name);
  await index.addVersion(path, "v1.0.0", 1, {});
  assert.deepEqual(
    (await a.module(path)).versions.map(({ version }) => version),
    ["v1.0.0"],
  );
});
