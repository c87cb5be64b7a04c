import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const script = join(import.meta.dirname, "../../bin/modfront.ts");

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
  const child = spawn(process.execPath, [script, ...args], { env: { PATH, ...environment } });
  child.stdin.on("error", () => {}).end(input);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code, stdout, stderr };
}
