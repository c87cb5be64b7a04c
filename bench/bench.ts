import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { goDefaultProxy } from "../lambda/proxy/sources/go-default-proxy.ts";
import { parsePeer } from "./caches.ts";
import type { Bench, Part, Peer } from "./part.ts";
import { measureBig } from "./parts/big.ts";
import { measureCold } from "./parts/cold.ts";
import { measureEdge } from "./parts/edge.ts";
import { measureGit } from "./parts/git.ts";
import { measureGolang } from "./parts/golang.ts";
import { measureHerd } from "./parts/herd.ts";
import { measureHits } from "./parts/hits.ts";
import { measureIndex } from "./parts/index.ts";
import { measureLambda } from "./parts/lambda.ts";
import { measureLog } from "./parts/log.ts";
import { measureLoggedFills } from "./parts/logged-fills.ts";
import { type Figure, formatTable, type Sample, summarize } from "./report.ts";
import { startReplay } from "./servers.ts";
import { ensureProgram, hasProgram } from "./tools.ts";

// npm run bench: modfront beside nginx, the direct upstream, file://, bare node and Go's own code, on this machine.

/** Each part, and the target that its ratios are to. */
const parts: Readonly<Record<string, { readonly run: Part; readonly base: string }>> = {
  hits: { run: measureHits, base: "nginx" },
  cold: { run: measureCold, base: "nginx" },
  herd: { run: measureHerd, base: "nginx" },
  big: { run: measureBig, base: "plain download" },
  golang: { run: measureGolang, base: "x/mod" },
  git: { run: measureGit, base: "go" },
  index: { run: measureIndex, base: "" },
  log: { run: measureLog, base: "1 caller" },
  loggedFills: { run: measureLoggedFills, base: "without the log" },
  edge: { run: measureEdge, base: "" },
  lambda: { run: measureLambda, base: "bare node" },
};

const usage = `usage: npm run bench -- [--only ${Object.keys(parts).join(",")}] [--rounds 3] [--peer name=url|command] [--save name]`;

interface Options {
  readonly only: readonly string[];
  readonly rounds: number;
  readonly peers: readonly Peer[];
  /** The name under bench/results. */
  readonly save: string;
}

function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string", default: Object.keys(parts).join(",") },
      rounds: { type: "string", default: "3" },
      peer: { type: "string", multiple: true, default: [] },
      save: { type: "string", default: "last.local" },
    },
  });
  const only = values.only.split(",");
  const wrong = only.find((name) => !(name in parts));
  if (wrong !== undefined || !/^[1-9]\d?$/.test(values.rounds) || !/^[\w.-]+$/.test(values.save)) fail(usage);
  const peers = values.peer.map((text) => parsePeer(text) ?? fail(usage));
  return { only, rounds: Number(values.rounds), peers, save: values.save };
}

function fail(why: string): never {
  throw new Error(why);
}

/** The real upstream behind the recordings: the first proxy that this machine's Go uses. */
function realUpstream(): string {
  const go = spawnSync("go", ["env", "GOPROXY"], { encoding: "utf8" });
  const chain = process.env.GOPROXY ?? (go.status === 0 ? go.stdout.trim() : "");
  const first = (text: string) => /https?:\/\/[^,|]+/.exec(text)?.[0].replace(/\/$/, "");
  return first(chain) ?? first(goDefaultProxy) ?? "";
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  const figures: Figure[] = [];
  const folder = mkdtempSync(join(process.env.MODFRONT_BENCH_FOLDER ?? tmpdir(), "modfront-bench-"));
  try {
    await using replay = await startReplay(recordings(), realUpstream());
    const bench = { ...options, folder, replay, ...findPrograms() };
    for (const part of options.only) figures.push(...(await runPart(part, bench)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  save(options, figures);
}

/** Kept between runs, because the real upstream is to be asked once. */
function recordings(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "modfront-bench");
}

function findPrograms(): Pick<Bench, "hasNginx" | "hasLoad" | "hasGo"> {
  const hasNginx = ensureProgram("nginx", "nginx-light");
  if (!hasNginx) say("nginx is missing and cannot be installed: it is left out, and there are no ratios");
  return { hasNginx, hasLoad: ensureProgram("wrk"), hasGo: hasProgram("go") };
}

async function runPart(part: string, given: Omit<Bench, "add" | "say">): Promise<readonly Figure[]> {
  say(`${part} …`);
  const samples: Sample[] = [];
  const add: Bench["add"] = (row, target, values) => {
    for (const [metric, value] of Object.entries(values)) samples.push({ part, row, target, metric, value });
  };
  const { run, base } = parts[part] as (typeof parts)[string];
  await run({ ...given, add, say });
  const figures = summarize(samples, base);
  process.stdout.write(`${formatTable(figures, base)}\n`);
  return figures;
}

function save({ save: name, rounds }: Options, figures: readonly Figure[]): void {
  const results = join(import.meta.dirname, "results");
  mkdirSync(results, { recursive: true });
  const machine = { cores: availableParallelism(), node: process.version, date: new Date().toISOString().slice(0, 10) };
  writeFileSync(join(results, `${name}.json`), `${JSON.stringify({ machine, rounds, figures }, undefined, 1)}\n`);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

await main();
