import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";

/** The graph that is measured: everything that building this module may need, 249 modules and 196 MB of zips. */
export const graph = { path: "github.com/prometheus/prometheus", version: "v0.310.0" } as const;

/** Downloads the graph with the real client into a module cache that is thrown away; seconds. */
export async function downloadGraph(folder: string, proxy: string, gosumdb = "sum.golang.org"): Promise<number> {
  const work = mkdtempSync(join(inMemory() ?? folder, "modfront-client-"));
  try {
    mkdirSync(join(work, "m"));
    writeFileSync(
      join(work, "m", "go.mod"),
      `module example.com/bench\n\ngo 1.25.0\n\nrequire ${graph.path} ${graph.version}\n`,
    );
    const started = performance.now();
    await go(["mod", "download", "all"], { cwd: join(work, "m"), cache: join(work, "cache"), proxy, gosumdb });
    return (performance.now() - started) / 1000;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Where Linux has a file system in memory. */
const memoryFolder = "/dev/shm";
/** Bytes: what the client unpacks, and as much again. */
const room = 4e9;

/**
 * A folder in memory with room for the client's module cache, where there is one: unpacking 50,000 files onto a disk takes
 * longer than all that is measured, and as long as the disk likes.
 */
function inMemory(): string | undefined {
  try {
    const { bavail, bsize } = statfsSync(memoryFolder);
    return bavail * bsize > room ? memoryFolder : undefined;
  } catch {
    return undefined;
  }
}

interface GoRun {
  readonly cwd: string;
  readonly cache: string;
  readonly proxy: string;
  readonly gosumdb: string;
}

async function go(args: readonly string[], { cwd, cache, proxy, gosumdb }: GoRun): Promise<void> {
  const env = {
    ...process.env,
    GOPROXY: proxy,
    GOMODCACHE: join(cache, "mod"),
    // Where go keeps the newest head of the checksum database that it saw: another run's would be a head of the future.
    GOPATH: cache,
    GOFLAGS: "-modcacherw -mod=mod",
    GOTOOLCHAIN: "local",
    GOSUMDB: gosumdb,
    GOPRIVATE: "",
    GONOSUMDB: "",
    GONOPROXY: "",
    GOWORK: "off",
  };
  const child = spawn("go", args, { cwd, env, stdio: ["ignore", "ignore", "pipe"] });
  const [errors, [status]] = await Promise.all([text(child.stderr), once(child, "exit")]);
  if (status !== 0) throw new Error(`go ${args.join(" ")}: ${errors.slice(-500)}`);
}
