import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hasGit, RepositoryScript } from "../../test/support/git-repository.ts";
import { type GitServer, startGitServer } from "../../test/support/git-server.ts";
import { GoDirect } from "../../test/support/go-direct.ts";
import { type Bench, get, memory } from "../part.ts";
import { type Measured, startModfront, startPeer } from "../servers.ts";

// Modules straight from git's own http-backend: two versions of one with many files, the list of one with many commits, and
// many clients at once, beside the go command with GOPROXY=direct and other proxies, to which the git server is the upstream.

/** MODFRONT_BENCH_FILES=800 is a module of a usual size. */
const files = Number(process.env.MODFRONT_BENCH_FILES ?? 50_000);
const commits = 100_000;
const clients = 64;

export async function measureGit(bench: Bench): Promise<void> {
  if (!hasGit) return bench.say("git is missing: nothing is measured");
  const folder = join(bench.folder, "git");
  mkdirSync(join(folder, "repos"), { recursive: true });
  buildWide(join(folder, "repos/wide"));
  buildLong(join(folder, "repos/long"));
  const server = await startGitServer(join(folder, "repos"));
  try {
    const from = "https://example.com/";
    const git = { rewrite: [{ from, to: `${server.url}/` }] };
    const upstreams = [{ patterns: "example.com/*", chain: "direct" }];
    const config = join(folder, "git.json");
    writeFileSync(config, JSON.stringify({ upstreams, private: "example.com/*", git }));
    mkdirSync(join(folder, "go"));
    const go = new GoDirect(join(folder, "go"), { insteadOf: { [from]: `${server.url}/` } });
    for (let round = 0; round < bench.rounds; round++) {
      await measureProxy(bench, server, "modfront", (folder) => startModfront(folder, ["--config", config]));
      for (const peer of bench.peers) {
        if ("url" in peer) continue;
        await measureProxy(bench, server, peer.name, (folder) =>
          startPeer(peer.name, peer.command, folder, server.url),
        );
      }
      if (bench.hasGo) await measureGo(bench, go);
    }
  } finally {
    await server.close();
  }
}

const rows = {
  first: `first zip, ${files} files`,
  next: "next zip, 100 files changed",
  list: `list, ${commits} commits and 1,000 tags`,
  herd: `${clients} clients, one uncached zip of ${files} files`,
} as const;

const wide = "/example.com/wide.git/@v";

/** Starts a proxy on a folder that is empty. */
type Start = (folder: string) => Promise<Measured>;

async function measureProxy(bench: Bench, git: GitServer, target: string, start: Start): Promise<void> {
  await onFolder(bench, target, async (folder) => {
    await using server = await start(folder);
    const measure = async (row: string, path: string) => {
      const before = git.requests.length;
      const { seconds } = await get(server.url + path);
      const requests = git.requests.length - before;
      bench.add(row, target, { "wall, s": seconds, "requests to git": requests, ...memory(server) });
    };
    await measure(rows.list, "/example.com/long.git/@v/list");
    await measure(rows.first, `${wide}/v1.0.0.zip`);
    await measure(rows.next, `${wide}/v1.1.0.zip`);
  });
  await onFolder(bench, target, async (folder) => {
    await using server = await start(folder);
    const before = git.requests.length;
    const started = performance.now();
    await Promise.all(Array.from({ length: clients }, () => get(`${server.url}${wide}/v1.0.0.zip`)));
    const seconds = (performance.now() - started) / 1000;
    bench.add(rows.herd, target, { "wall, s": seconds, "requests to git": git.requests.length - before });
  });
}

async function onFolder(bench: Bench, target: string, use: (folder: string) => Promise<void>): Promise<void> {
  const folder = join(bench.folder, `git-${target}`);
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureGo(bench: Bench, go: GoDirect): Promise<void> {
  const timed = async (row: string, work: () => Promise<string | undefined>) => {
    const started = performance.now();
    const failed = await work();
    // An error is quick.
    if (failed !== undefined) throw new Error(`go: ${failed}`);
    bench.add(row, "go", { "wall, s": (performance.now() - started) / 1000 });
  };
  await timed(rows.list, async () => {
    const versions = await go.versions("example.com/long.git");
    return typeof versions === "string" ? versions : versions.length === 1_000 ? undefined : "not all versions";
  });
  await timed(rows.first, async () => (await go.download("example.com/wide.git@v1.0.0")).Error);
}

function buildWide(folder: string): void {
  const script = new RepositoryScript();
  const name = (i: number) => `d${i % 97}/e${i % 13}/f${i}.go`;
  const content = (i: number, version: number) => `package p // ${version} ${i} ${"some code ".repeat(i % 120)}\n`;
  const all = Array.from({ length: files }, (_, i) => [name(i), content(i, 0)]);
  script.commit({ "go.mod": "module example.com/wide.git\n", ...Object.fromEntries(all) });
  script.tag("v1.0.0");
  script.commit(Object.fromEntries(Array.from({ length: 100 }, (_, i) => [name(i * 7), content(i * 7, 1)])));
  script.tag("v1.1.0");
  script.build(folder);
}

function buildLong(folder: string): void {
  const script = new RepositoryScript();
  script.commit({ "go.mod": "module example.com/long.git\n" });
  for (let i = 1; i < commits; i++) {
    script.commit({ [`f${i % 50}.txt`]: `line ${i}\n` });
    if (i % 100 === 0) script.tag(`v1.${i / 100}.0`);
  }
  script.tag("v1.0.0");
  script.build(folder);
}
