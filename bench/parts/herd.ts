import { rmSync } from "node:fs";
import { join } from "node:path";
import { caches } from "../caches.ts";
import { type Bench, files, get, memory } from "../part.ts";
import type { Measured } from "../servers.ts";

// Sixty-four clients want one zip that nobody has asked for before, at the same moment.

const clients = 64;

export async function measureHerd(bench: Bench): Promise<void> {
  let count = 0;
  for (let round = 0; round < bench.rounds; round++) {
    for (const [name, start] of caches(bench)) {
      const folder = join(bench.folder, `herd-${count++}`);
      await measureOne(bench, name, await start(folder, bench.replay.url));
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

async function measureOne(bench: Bench, name: string, server: Measured): Promise<void> {
  await using _ = server;
  await get(`${server.url}${files.small}.info`);
  await bench.replay.tell({ delay: 0 });
  const started = performance.now();
  await Promise.all(Array.from({ length: clients }, () => get(server.url + files.zip7M)));
  const seconds = (performance.now() - started) / 1000;
  const { requests } = await bench.replay.tell({ delay: 0 });
  const zips = Object.entries(requests).filter(([path]) => path.endsWith(".zip"));
  bench.add(`${clients} clients, one uncached 7.1 MB zip`, name, {
    "wall, s": seconds,
    "zip requests upstream": zips.reduce((sum, [, count]) => sum + count, 0),
    ...memory(server),
  });
}
