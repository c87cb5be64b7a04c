import assert from "node:assert/strict";
import { test } from "node:test";
import { WorkerZipInspector } from "../../lambda/runtime/worker-zip-inspector.ts";

const module = { path: "example.com/m", version: "v1.0.0" };

/** An inspector whose thread runs `dies` for a zip called "bad", and finds nothing wrong with any other. */
function inspector(dies: string): WorkerZipInspector {
  const source = `
    import { parentPort } from "node:worker_threads";
    parentPort.on("message", ({ path }) => {
      if (path === "bad") { ${dies} } else parentPort.postMessage({ facts: { hash: path, goMod: undefined }, files: 1 });
    });`;
  return new WorkerZipInspector(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
}

const deaths: readonly (readonly [how: string, dies: string])[] = [
  ["an exception", 'throw new Error("out of range")'],
  ["an end without a word", "process.exit(3)"],
];

for (const [how, dies] of deaths) {
  test(`a thread that dies of ${how} fails its zip, and the next zip gets another`, { timeout: 60_000 }, async () => {
    const zips = inspector(dies);
    assert.equal((await zips.inspect(module, "one")).hash, "one");
    await assert.rejects(zips.inspect(module, "bad"), { code: "internal", message: "the zip could not be inspected" });
    assert.equal((await zips.inspect(module, "two")).hash, "two");
  });
}

/** A thread that says who it is, and of a zip called "large" that it has very many files. */
const named = `
  import { parentPort, threadId } from "node:worker_threads";
  parentPort.on("message", ({ path }) =>
    parentPort.postMessage({ facts: { hash: String(threadId) }, files: path === "large" ? 50_000 : 1 }));`;

test("a thread is kept for the next zip, but not with the memory of a very large one", async () => {
  const zips = new WorkerZipInspector(new URL(`data:text/javascript,${encodeURIComponent(named)}`));
  zips.prepare();
  const thread = async (path: string) => Number((await zips.inspect(module, path)).hash);
  const first = await thread("small");
  zips.prepare();
  assert.deepEqual([await thread("small"), await thread("large")], [first, first]);
  const next = await thread("small");
  assert.notEqual(next, first);
  assert.deepEqual(await Promise.all(["small", "small", "small"].map(thread)), [next, next, next]);
});
