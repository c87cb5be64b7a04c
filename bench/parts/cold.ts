import { join } from "node:path";
import { caches, type Start } from "../caches.ts";
import { downloadGraph } from "../go-client.ts";
import { type Bench, files, get, memory, total } from "../part.ts";
import type { Measured } from "../servers.ts";

// One zip that nobody has asked for before; and the whole graph with the real client, from nothing and again.

const roundTrip = 50;

export async function measureCold(bench: Bench): Promise<void> {
  await measureOneZip(bench);
  if (bench.hasGo) await measureGraph(bench);
  else bench.say("cold: the graph is left out, Go is missing");
}

async function measureGraph(bench: Bench): Promise<void> {
  const { replay, folder } = bench;
  for (let round = 0; round < bench.rounds; round++) {
    for (const [name, start] of caches(bench)) {
      const measured = () => withServer(bench, start, (server, data) => measureServer(bench, name, server, data));
      // Which tiles a proxy asks for depends on the heads it meets: what is missing is recorded before it counts.
      while (!(await measured())) bench.say(`cold: ${name} again, the real upstream was asked`);
      if (name === "modfront") await withServer(bench, start, (server) => measureOwnLog(bench, server));
    }
    bench.add("whole graph", "direct upstream", { "cold, s": await downloadGraph(folder, replay.url) });
    for (const peer of bench.peers)
      if ("url" in peer) bench.add("whole graph", peer.name, { "warm, s": await downloadGraph(folder, peer.url) });
  }
}

/** False when the real upstream had to be asked: then it took down nothing. */
async function measureServer(bench: Bench, name: string, server: Measured, data: string): Promise<boolean> {
  const { replay, folder } = bench;
  await replay.tell({ delay: 0 });
  const cold = await downloadGraph(folder, server.url);
  const { cpu } = server.usage();
  const asked = await replay.tell({ delay: 0 });
  if (asked.recorded > 0) return false;
  const warm = await downloadGraph(folder, server.url);
  bench.add("whole graph", name, {
    "cold, s": cold,
    "cold, CPU s": cpu,
    "upstream requests": total(asked),
    "warm, s": warm,
    "warm, CPU s": server.usage().cpu - cpu,
    ...memory(server),
  });
  if (name === "modfront") {
    const floor = await downloadGraph(folder, `file://${data}/mod`);
    bench.add("whole graph", "file://", { "warm, s": floor });
  }
  return true;
}

/** The same with our own checksum database, which has to log what it is asked for first. */
async function measureOwnLog(bench: Bench, { url }: Measured): Promise<void> {
  const gosumdb = (await (await fetch(`${url}/-/gosumdb`)).text()).trim();
  bench.add("whole graph", "modfront, its own GOSUMDB", {
    "cold, s": await downloadGraph(bench.folder, url, gosumdb),
    "warm, s": await downloadGraph(bench.folder, url, gosumdb),
  });
}

/** A zip alone: how long a developer waits who adds a module that nobody had before. */
async function measureOneZip(bench: Bench): Promise<void> {
  for (let round = 0; round < bench.rounds; round++) {
    for (const [name, start] of caches(bench)) {
      const tiles = await measureZip(bench, [name, start], "100 KB", files.zip100K, []);
      // As after other modules whose records lie beside its own in the log.
      await measureZip(bench, [name, start], "100 KB, its tiles cached", files.zip100K, tiles);
      await measureZip(bench, [name, start], "7.1 MB", files.zip7M, []);
    }
  }
}

/** Measures a zip on a new server that was asked for `before`; the tiles that it asked for. */
async function measureZip(
  bench: Bench,
  [name, start]: readonly [string, Start],
  row: string,
  path: string,
  before: readonly string[],
): Promise<readonly string[]> {
  const { replay } = bench;
  const measured = await withServer(bench, start, async ({ url }) => {
    // Others before it, so that connections and compiled code are more like those of a running server.
    for (const other of [...files.others, ...before]) await get(url + other);
    await replay.tell({ delay: roundTrip });
    const { seconds } = await get(url + path);
    return { seconds, asked: await replay.tell({ delay: 0 }) };
  });
  // The real upstream's time is in it, for the last time: what it said is recorded now.
  if (measured.asked.recorded > 0) return measureZip(bench, [name, start], row, path, before);
  const { seconds, asked } = measured;
  bench.add(`one uncached zip, ${row}, ${roundTrip} ms upstream`, name, {
    ms: seconds * 1000,
    "round trips": (seconds * 1000) / roundTrip,
    "upstream requests": total(asked),
  });
  return Object.keys(asked.requests).filter((path) => path.includes("/tile/"));
}

let count = 0;

/**
 * Runs `work` with a new server on an empty folder, which stays until the end: ext4 looks through the files deleted lately
 * for each one it makes, which would be the next server's loss.
 */
async function withServer<T>(bench: Bench, start: Start, work: (server: Measured, data: string) => Promise<T>) {
  const data = join(bench.folder, `cold-${count++}`);
  await using server = await start(data, bench.replay.url);
  return await work(server, data);
}
