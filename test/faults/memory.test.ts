import assert from "node:assert/strict";
import { createReadStream, statSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { dataFolder } from "../support/data-folder.ts";
import { writeLargeZip } from "../support/large-zip.ts";
import { ProductProcess } from "../support/product-process.ts";

// A zip is streamed to the disk, hashed in pieces and streamed to the client: its size is nowhere in memory.

const info = JSON.stringify({ Version: "v1.0.0", Time: "2024-01-02T03:04:05Z" });

/** An upstream that streams files from disk. */
async function fileUpstream(t: TestContext, zip: string): Promise<string> {
  const server = createServer((incoming, response) => {
    if (incoming.url?.endsWith(".info")) return void response.end(info);
    if (incoming.url?.endsWith(".mod")) return void response.end("module corp.example/large\n");
    response.writeHead(200, { "content-length": statSync(zip).size });
    createReadStream(zip, { highWaterMark: 1 << 20 }).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The number of bytes of a 200, which are thrown away. */
function download(url: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { path, agent: false }, (response) => {
      assert.equal(response.statusCode, 200);
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.on("end", () => resolve(bytes)).on("error", reject);
    });
    outgoing.on("error", reject).end();
  });
}

test("a zip of 400 MB is filled and served with less than 200 MB of memory", async (t) => {
  const folder = dataFolder(t);
  const zip = join(folder, "large.zip");
  writeLargeZip(zip, "corp.example/large@v1.0.0", 10);
  const chain = await fileUpstream(t, zip);
  const config = {
    upstreams: [{ patterns: ["corp.example"], chain }],
    private: "corp.example",
    sumdb: { name: "off" },
  };
  const file = join(folder, "config.json");
  writeFileSync(file, JSON.stringify(config));
  const flags = ["--port", "0", "--data", join(folder, "data"), "--config", file, "--upstream", "off", "--log", "off"];
  await using product = await ProductProcess.startCommand(flags);
  const before = product.peakMemory();
  const path = "/corp.example/large/@v/v1.0.0.zip";
  const cold = await download(product.url, path);
  const filled = product.peakMemory();
  const warm = await Promise.all(Array.from({ length: 4 }, () => download(product.url, path)));
  const size = statSync(zip).size;
  assert.deepEqual(
    [cold, ...warm],
    Array.from({ length: 5 }, () => size),
  );
  const served = product.peakMemory();
  t.diagnostic(`peak RSS in MB: started ${before}, filled ${filled}, served to four at once ${served}`);
  assert.ok(served === undefined || served < 200, `${served} MB`);
});
