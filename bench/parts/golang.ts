import { spawnSync } from "node:child_process";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Bench, megabyte } from "../part.ts";

// Checking and hashing zips: lambda/golang beside golang.org/x/mod, each as a program of its own with one thread's work.

const zips = [
  ["gopkg.in/yaml.v3", "v3.0.1"],
  ["github.com/docker/docker", "v28.5.2+incompatible"],
  ["golang.org/x/text", "v0.33.0"],
  ["google.golang.org/api", "v0.265.0"],
] as const;

/** Each zip is read until so much was read, and three times at least: the first reads of a program are slow. */
const enough = 40 * megabyte;

export async function measureGolang(bench: Bench): Promise<void> {
  const args = (await fetchZips(bench)).flat();
  const xmod = bench.hasGo ? buildXmod(bench.folder) : undefined;
  if (xmod === undefined) bench.say("golang: x/mod is left out, Go is missing or its modules cannot be had");
  for (let round = 0; round < bench.rounds; round++) {
    add(bench, "modfront", args, run(process.execPath, [join(import.meta.dirname, "../inspect-zips.ts"), ...args]));
    if (xmod !== undefined) add(bench, "x/mod", args, run(xmod, args));
  }
}

async function fetchZips({ replay, folder }: Bench): Promise<readonly (readonly string[])[]> {
  const found: string[][] = [];
  for (const [path, version] of zips) {
    const file = join(folder, `${found.length}.zip`);
    const answer = await fetch(`${replay.url}/${path}/@v/${version}.zip`);
    const zip = new Uint8Array(await answer.arrayBuffer());
    writeFileSync(file, zip);
    found.push([path, version, file, String(Math.max(3, Math.ceil(enough / zip.length)))]);
  }
  return found;
}

function buildXmod(folder: string): string | undefined {
  const program = join(folder, "xmod");
  const build = spawnSync("go", ["build", "-o", program, "."], { cwd: join(import.meta.dirname, "../xmod") });
  return build.status === 0 ? program : undefined;
}

/** GOMAXPROCS: neither side may use a second core for one zip. */
function run(program: string, args: readonly string[]): readonly number[] {
  const { stdout, stderr, status } = spawnSync(program, args, {
    encoding: "utf8",
    env: { ...process.env, GOMAXPROCS: "1" },
  });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim().split("\n").map(Number);
}

function add(bench: Bench, target: string, args: readonly string[], seconds: readonly number[]): void {
  zips.forEach(([path], i) => {
    const size = statSync(args[2 + 4 * i] ?? "").size / megabyte;
    bench.add(`check and hash ${path}, ${size.toPrecision(2)} MB`, target, { "MB/s": size / (seconds[i] ?? 0) });
  });
}
