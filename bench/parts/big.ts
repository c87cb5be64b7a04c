import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createWriteStream, rmSync, writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import yazl from "yazl";
import { type Bench, memory } from "../part.ts";
import { startModfront } from "../servers.ts";

// A zip near the largest that go accepts: how long it takes until it is verified and stored, and how much memory.

const path = "/example.com/big/@v/v1.0.0";
const files = 400;
const fileSize = 1_000_000;

export async function measureBig(bench: Bench): Promise<void> {
  const { replay, folder } = bench;
  await replay.tell({ delay: 0, files: await makeModule(folder) });
  const config = join(folder, "big.json");
  const upstreams = [{ patterns: ["example.com/*"], chain: replay.url }];
  writeFileSync(config, JSON.stringify({ upstreams, private: ["example.com/*"] }));
  for (let round = 0; round < bench.rounds; round++) {
    await measureFill(bench, config);
    const seconds = await downloadPlainly(replay.url + path, join(folder, "plain"));
    bench.add(row, "plain download", { "until stored, s": seconds });
  }
}

const row = `one uncached ${(files * fileSize) / 1e6} MB zip`;

/** Content that does not compress, so that the zip is as large as what is in it. */
async function makeModule(folder: string): Promise<Readonly<Record<string, string>>> {
  const made = { info: join(folder, "big.info"), mod: join(folder, "big.mod"), zip: join(folder, "big.zip") };
  writeFileSync(made.info, JSON.stringify({ Version: "v1.0.0", Time: "2024-01-01T00:00:00Z" }));
  writeFileSync(made.mod, "module example.com/big\n");
  const zip = new yazl.ZipFile();
  zip.addBuffer(Buffer.from("module example.com/big\n"), "example.com/big@v1.0.0/go.mod");
  const content = randomBytes(fileSize);
  for (let i = 0; i < files; i++) {
    content.writeUInt32LE(i, 0);
    zip.addBuffer(Buffer.from(content), `example.com/big@v1.0.0/f${i}`, { compressionLevel: 1 });
  }
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(made.zip));
  return Object.fromEntries(Object.entries(made).map(([type, file]) => [`${path}.${type}`, file]));
}

async function measureFill(bench: Bench, config: string): Promise<void> {
  const data = join(bench.folder, "big");
  try {
    await using server = await startModfront(data, ["--config", config]);
    const started = performance.now();
    const answer = await fetch(`${server.url}${path}.zip`, { method: "HEAD" });
    if (answer.status !== 200) throw new Error(`the big zip was answered ${answer.status}`);
    const seconds = (performance.now() - started) / 1000;
    bench.add(row, "modfront", { "until stored, s": seconds, "CPU s": server.usage().cpu, ...memory(server) });
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}

/** What anybody would write: to disk, with its SHA-256. */
async function downloadPlainly(url: string, file: string): Promise<number> {
  spawnSync("sync");
  const started = performance.now();
  const answer = await fetch(`${url}.zip`);
  if (answer.body === null) throw new Error("no body");
  const digest = createHash("sha256");
  const disk: FileHandle = await open(file, "w");
  try {
    for await (const chunk of answer.body) {
      digest.update(chunk);
      await disk.write(chunk);
    }
    await disk.sync();
  } finally {
    await disk.close();
  }
  digest.digest();
  return (performance.now() - started) / 1000;
}
