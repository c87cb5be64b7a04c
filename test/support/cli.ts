import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const root = join(import.meta.dirname, "../..");
const script = join(root, "bin/modfront.ts");

/** What node made of the sources is kept, as by npm start: a process takes a third of the time. */
const kept = { NODE_COMPILE_CACHE: join(root, "node_modules/.cache/modfront") };

/** How a run of the CLI ended. */
export interface CliRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  /** Beside PATH; nothing else of whoever runs the tests. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What is piped in. */
  readonly input?: string;
}

/** Runs the real CLI as a process of its own. */
export async function runCli(
  args: readonly string[],
  { environment = {}, input = "" }: CliOptions = {},
): Promise<CliRun> {
  const { PATH = "" } = process.env;
  const child = spawn(process.execPath, [script, ...args], { env: { PATH, ...kept, ...environment } });
  child.stdin.on("error", () => {}).end(input);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code, stdout, stderr };
}

/** The real CLI while it runs. */
export class RunningCli implements AsyncDisposable {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<CliRun>;
  stderr = "";

  constructor(args: readonly string[], environment: Readonly<Record<string, string>>) {
    const { PATH = "" } = process.env;
    this.child = spawn(process.execPath, [script, ...args], { env: { PATH, ...kept, ...environment } });
    this.child.stdin.end();
    this.child.stderr.setEncoding("utf8").on("data", (more) => {
      this.stderr += more;
    });
    this.ended = Promise.all([text(this.child.stdout), once(this.child, "close")]).then(([stdout, [code]]) => {
      return { code, stdout, stderr: this.stderr };
    });
  }

  /** What it says on stderr, once it says something like that. */
  async said(what: RegExp): Promise<string> {
    for (;;) {
      const [match] = what.exec(this.stderr) ?? [];
      if (match !== undefined) return match;
      const end = await Promise.race([once(this.child.stderr, "data"), this.ended]);
      if ("code" in end && !what.test(this.stderr)) throw new Error(`it ended with ${end.code}: ${end.stderr}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended;
  }
}

/** A PATH with the program `modfront` on it, which lies in a folder of that one. */
export function pathWithModfront(folder: string): string {
  const programs = join(folder, "bin");
  mkdirSync(programs, { recursive: true });
  const program = join(programs, "modfront");
  writeFileSync(
    program,
    `#!/bin/sh\nexport NODE_COMPILE_CACHE="${kept.NODE_COMPILE_CACHE}"\nexec "${process.execPath}" "${script}" "$@"\n`,
  );
  chmodSync(program, 0o755);
  return `${programs}:${process.env.PATH}`;
}
