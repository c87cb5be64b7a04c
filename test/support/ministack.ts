import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { freePort } from "./free-port.ts";

// The emulator of AWS that the contract suites and `npm run e2e` run against, in a venv in an ignored folder.

const root = join(import.meta.dirname, "../..");
const venv = join(root, ".venv");
const requirements = ["ministack==1.5.33", "cryptography"];

export interface Ministack {
  readonly endpoint: string;
  /** What a client, the CDK and a Lambda need in their environment to speak with it. */
  readonly env: Readonly<Record<string, string>>;
  /** Everything it wrote so far, newest last. */
  readonly log: () => string;
  stop(): Promise<void>;
}

/** The program in the venv, which is made when it is not there. */
export function installMinistack(): string {
  const program = join(venv, "bin/ministack");
  if (existsSync(program)) return program;
  run("python3", ["-m", "venv", venv]);
  run(join(venv, "bin/pip"), ["install", "--quiet", ...requirements]);
  return program;
}

/** Starts an empty emulator on a free port; its Lambdas run on this process's own Node. */
export async function startMinistack(
  settings: (endpoint: string) => Readonly<Record<string, string>> = () => ({}),
): Promise<Ministack> {
  const program = installMinistack();
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const env = {
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_REGION: "us-east-1",
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_ENDPOINT_URL: endpoint,
  };
  // Only a name can have an account's number put before it.
  const lambdaEnv = {
    AWS_ENDPOINT_URL: `http://localhost:${port}`,
    NODE_OPTIONS: `--import=${new URL("localhost-names.ts", import.meta.url)}`,
  };
  const folder = mkdtempSync(join(tmpdir(), "modfront-ministack-"));
  const path = [join(root, "node_modules/.bin"), join(process.execPath, ".."), process.env.PATH].join(delimiter);
  const child = spawn(program, {
    cwd: folder,
    env: {
      ...process.env,
      ...env,
      ...lambdaEnv,
      PATH: path,
      GATEWAY_PORT: String(port),
      LAMBDA_EXECUTOR: "local",
      ...settings(endpoint),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines = collect(child);
  await untilItAnswers(endpoint, child, lines);
  return {
    endpoint,
    env,
    log: () => lines.join(""),
    stop: async () => {
      await stop(child);
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

function run(program: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} failed: ${stderr}`);
}

function collect(child: ChildProcess): string[] {
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => lines.push(String(chunk)));
  return lines;
}

async function untilItAnswers(endpoint: string, child: ChildProcess, lines: readonly string[]): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (child.exitCode !== null) break;
    const answered = await fetch(`${endpoint}/_ministack/health`).then(
      (response) => response.ok,
      () => false,
    );
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill("SIGKILL");
  throw new Error(`the emulator did not start:\n${lines.join("").slice(-2000)}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const kill = setTimeout(() => child.kill("SIGKILL"), 5000);
  await ended;
  clearTimeout(kill);
}
