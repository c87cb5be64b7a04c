import assert from "node:assert/strict";
import { test } from "node:test";
import { dataFolder } from "../../support/data-folder.ts";
import { freePort } from "../../support/free-port.ts";
import { ModfrontProcess } from "../../support/modfront-process.ts";
import { get } from "../../support/product.ts";
import { ScriptedUpstream } from "../../support/scripted-upstream.ts";

// Upstreams that lead back: each kind of request ends with one line that says so, and soon.

const kinds = [
  "/a.example/m/@v/list",
  "/a.example/m/@latest",
  "/a.example/m/@v/v1.0.0.info",
  "/a.example/m/@v/main.info",
];
const line = /the upstreams of this modfront lead back to it/;

async function startOn(data: string, port: number, upstream: number) {
  return ModfrontProcess.start("--port", String(port), "--data", data, "--upstream", `http://127.0.0.1:${upstream}`);
}

test("a modfront that is its own upstream", async (t) => {
  const port = await freePort();
  await using modfront = await startOn(dataFolder(t), port, port);
  for (const path of kinds) {
    const { status, body } = await get(modfront.url, path);
    assert.deepEqual([status, line.test(String(body))], [403, true], `${path}: ${body}`);
  }
});

test("two modfronts that name each other", async (t) => {
  const [a, b] = [await freePort(), await freePort()];
  await using first = await startOn(dataFolder(t), a, b);
  await using second = await startOn(dataFolder(t), b, a);
  for (const { url } of [first, second])
    for (const path of kinds) {
      const { status, body } = await get(url, path);
      assert.deepEqual([status, line.test(String(body))], [403, true], `${path}: ${body}`);
    }
});

test("an upstream learns the way of a request, and no client can make it long", async (t) => {
  await using upstream = await ScriptedUpstream.start();
  await using modfront = await ModfrontProcess.start("--data", dataFolder(t), "--upstream", upstream.url);
  await get(modfront.url, kinds[0] ?? "", { via: "1.1 before" });
  await get(modfront.url, kinds[2] ?? "", { via: "x".repeat(8_000) });
  const [first, long] = upstream.requests
    .filter(({ path }) => !path.startsWith("/sumdb/"))
    .map(({ headers }) => headers.via ?? "");
  assert.match(first ?? "", /^1\.1 before, 1\.1 modfront-[0-9a-f]{16}$/);
  assert.ok((long?.length ?? 0) > 1_000 && (long?.length ?? 0) < 1_100, long);
});
