import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { caches } from "../caches.ts";
import { load } from "../load.ts";
import { type Bench, files, get, memory, total } from "../part.ts";
import { type Measured, startBareNode } from "../servers.ts";

// Warm hits: requests a second and CPU per request, when everything was asked for before.

interface Case {
  readonly row: string;
  readonly path: string;
  readonly connections: number;
}

const cases: readonly Case[] = [
  { row: ".info", path: `${files.small}.info`, connections: 32 },
  { row: ".mod", path: `${files.small}.mod`, connections: 32 },
  { row: "list", path: "/github.com/prometheus/prometheus/@v/list", connections: 32 },
  { row: "latest", path: "/github.com/prometheus/prometheus/@latest", connections: 32 },
  { row: "zip 100 KB", path: files.zip100K, connections: 32 },
  { row: "zip 9.2 MB", path: files.zip9M, connections: 1 },
];

const seconds = 2;

/** modfront, nginx, node:http with one answer, and peers, in turns. */
export async function measureHits(bench: Bench): Promise<void> {
  if (!bench.hasLoad) return bench.say("hits: left out, wrk is missing and cannot be installed");
  // Not every real upstream has @latest; a cache in front of one needs an answer to keep.
  await bench.replay.tell({ delay: 0, copies: { [cases[3]?.path ?? ""]: `${files.small}.info` } });
  await using stack = new AsyncDisposableStack();
  const targets = await startTargets(bench, stack);
  for (const each of cases) {
    const bare = stack.use(await startBare(bench, each));
    for (const url of [...targets.values()].map(({ url }) => url))
      for (let i = 0; i < 3; i++) await get(url + each.path);
    for (let round = 0; round < bench.rounds; round++) {
      for (const [name, target] of [...targets, ["node:http", bare] as const]) await measure(bench, each, name, target);
    }
    await bare[Symbol.asyncDispose]();
  }
  for (const [name, target] of targets) if (target.usage().cpu > 0) bench.add("after all of it", name, memory(target));
}

async function startTargets(bench: Bench, stack: AsyncDisposableStack): Promise<ReadonlyMap<string, Measured>> {
  const { replay, folder, peers } = bench;
  const targets = new Map<string, Measured>();
  for (const [name, start] of caches(bench))
    targets.set(name, stack.use(await start(join(folder, `hits-${targets.size}`), replay.url)));
  for (const peer of peers) if ("url" in peer) targets.set(peer.name, elsewhere(peer.url));
  return targets;
}

/** A peer's process is somewhere else: what it uses cannot be read. */
function elsewhere(url: string): Measured {
  return { url, usage: () => ({ cpu: 0, rss: [], peak: [] }), [Symbol.asyncDispose]: async () => {} };
}

async function startBare({ replay, folder }: Bench, { path }: Case): Promise<Measured> {
  const file = join(folder, "bare");
  writeFileSync(file, new Uint8Array(await (await fetch(replay.url + path)).arrayBuffer()));
  return startBareNode(file, path.endsWith(".zip") ? "application/zip" : "text/plain");
}

async function measure(bench: Bench, { row, path, connections }: Case, name: string, target: Measured): Promise<void> {
  await load(target.url + path, connections, 1);
  await bench.replay.tell({ delay: 0 });
  const before = target.usage().cpu;
  const { requests, perSecond } = await load(target.url + path, connections, seconds);
  const cpu = target.usage().cpu - before;
  const asked = await bench.replay.tell({ delay: 0 });
  const label = `${row}, ${connections} connection${connections === 1 ? "" : "s"}`;
  bench.add(label, name, {
    "requests/s": perSecond,
    ...(cpu > 0 && { "CPU µs/request": (cpu / requests) * 1e6 }),
    "upstream requests/request": total(asked) / requests,
  });
}
