import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parsePeer } from "../../bench/caches.ts";
import { startPeer } from "../../bench/servers.ts";
import { dataFolder } from "../support/data-folder.ts";

test("a peer is an address or a command", () => {
  for (const [text, peer] of [
    ["athens=http://127.0.0.1:3000/", { name: "athens", url: "http://127.0.0.1:3000" }],
    ["go proxy=server --port {port}", { name: "go proxy", command: "server --port {port}" }],
    ["athens=", undefined],
    ["http://127.0.0.1:3000", undefined],
  ] as const)
    assert.deepEqual(parsePeer(text), peer, text);
});

test("a peer's command starts it on an empty folder in front of the upstream, and it is measured and ended", async (t) => {
  const folder = join(dataFolder(t), "peer");
  const program =
    "require('http').createServer((_, r) => r.end(process.argv.slice(1).join(' '))).listen(+process.argv[1])";
  const command = `"${process.execPath}" -e "${program}" {port} {upstream} {folder}`;
  const peer = await startPeer("peer", command, folder, "http://127.0.0.1:1");
  const port = new URL(peer.url).port;
  assert.equal(await (await fetch(peer.url)).text(), `${port} http://127.0.0.1:1 ${folder}`);
  assert.ok(existsSync(folder) && peer.usage().cpu > 0);
  await peer[Symbol.asyncDispose]();
  await assert.rejects(fetch(peer.url), ({ cause }) => cause.code === "ECONNREFUSED");
});
