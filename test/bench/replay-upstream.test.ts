import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startReplay } from "../../bench/servers.ts";
import { dataFolder } from "../support/data-folder.ts";
import { ScriptedUpstream } from "../support/scripted-upstream.ts";

test("the replaying upstream asks the real one once for each path, in all its lives", async (t) => {
  await using real = await ScriptedUpstream.start();
  real.on("/m/@v/list", { body: "v1.0.0\n" });
  const folder = join(dataFolder(t), "recordings");
  for (const recorded of [2, 0]) {
    await using replay = await startReplay(folder, real.url);
    for (const [path, status, body] of [
      ["/m/@v/list", 200, "v1.0.0\n"],
      ["/m/@v/list", 200, "v1.0.0\n"],
      ["/m/@latest", 404, "not found\n"],
    ] as const) {
      const answer = await fetch(replay.url + path);
      assert.deepEqual([answer.status, await answer.text()], [status, body]);
    }
    const report = await replay.tell({ delay: 0 });
    assert.deepEqual(report, { url: replay.url, requests: { "/m/@v/list": 2, "/m/@latest": 1 }, recorded });
    assert.deepEqual((await replay.tell({ delay: 0 })).requests, {});
  }
  assert.deepEqual([real.count("/m/@v/list"), real.count("/m/@latest")], [1, 1]);
});

test("the replaying upstream answers with another path's answer or a file where it is told to", async (t) => {
  await using real = await ScriptedUpstream.start();
  real.on("/m/@v/v1.0.0.info", { body: "{}" });
  const folder = dataFolder(t);
  const file = join(folder, "given");
  writeFileSync(file, "bytes");
  await using replay = await startReplay(join(folder, "recordings"), real.url);
  await replay.tell({ delay: 0, copies: { "/m/@latest": "/m/@v/v1.0.0.info" }, files: { "/m/@v/v1.0.0.zip": file } });
  const text = async (path: string) => (await fetch(replay.url + path)).text();
  assert.equal(await text("/m/@latest"), "{}");
  assert.equal(await text("/m/@v/v1.0.0.zip"), "bytes");
  assert.equal(real.count("/m/@latest"), 0);
});
