import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import { printable } from "../../lambda/golang/shown-text.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What git needs to find its own settings: no token, and no GIT_DIR by which it would look into another repository. */
const kept =
  /^(?:PATH|HOME|XDG_CONFIG_HOME|USERPROFILE|SystemRoot|TMPDIR|GIT_CONFIG_(?:COUNT|KEY_\d+|VALUE_\d+|GLOBAL|NOSYSTEM|SYSTEM))$/;

/** Whatever a repository's own settings say: no program of theirs runs, nothing is fetched, and nobody is asked for a password. */
const ownSettings = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"] as const;
const ownEnvironment = { LC_ALL: "C", GIT_TERMINAL_PROMPT: "0", GIT_OPTIONAL_LOCKS: "0", GIT_NO_LAZY_FETCH: "1" };

/** Bytes of an answer that is read into memory. */
const largestAnswer = 16 << 20;

/** How a run of git ended. */
export interface GitAnswer {
  readonly code: number | null;
  readonly stdout: string;
  /** The first line of what it complained about, fit to be shown. */
  readonly complaint: string;
}

/** The git of this machine. What it is given as an argument is never a word of somebody else's that could be an option. */
export class GitProgram {
  readonly #environment: Environment;

  constructor(environment: Environment) {
    const own = Object.entries(environment).filter(([name]) => kept.test(name));
    this.#environment = { ...Object.fromEntries(own), ...ownEnvironment };
  }

  /** Starts it; `more` is added to its environment. */
  start(args: readonly string[], more: Environment = {}): ChildProcessWithoutNullStreams {
    return spawn("git", [...ownSettings, ...args], { env: { ...this.#environment, ...more } });
  }

  /** Runs it to its end. Throws `CodedError` "git" where it is not installed. */
  async run(args: readonly string[]): Promise<GitAnswer> {
    const child = this.start(args);
    child.stdin.on("error", () => {}).end();
    const { promise, resolve, reject } = Promise.withResolvers<number | null>();
    child.on("error", (cause) => reject(new CodedError("git", "git cannot be run, which this takes", { cause })));
    child.on("close", resolve);
    let bytes = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > largestAnswer) child.kill();
    });
    const [code, stdout, stderr] = await Promise.all([promise, text(child.stdout), text(child.stderr)]);
    return { code, stdout, complaint: complaintOf(stderr) };
  }
}

/** The first line that says what is wrong. */
export function complaintOf(stderr: string): string {
  const lines = stderr.split("\n").filter(Boolean);
  return printable(lines.find((line) => line.startsWith("fatal: ")) ?? lines[0] ?? "it does not say why", 300);
}
