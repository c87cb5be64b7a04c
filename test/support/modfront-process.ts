import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const script = join(import.meta.dirname, "../../bin/start.mjs");

/** How a process of modfront ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `npm start` as a process of its own, with these flags; without the environment of whoever runs the tests. */
export class ModfrontProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<ProcessEnd>;
  #stdout = "";
  #stderr = "";
  #url = "";

  private constructor(flags: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    const { PATH = "", NODE_EXTRA_CA_CERTS } = process.env;
    const trust = NODE_EXTRA_CA_CERTS === undefined ? {} : { NODE_EXTRA_CA_CERTS };
    this.#child = spawn(process.execPath, [script, ...flags], {
      env: { PATH, ...trust, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.#ended = once(this.#child, "close").then(([code, signal]) => ({
      code,
      signal,
      stdout: this.#stdout,
      stderr: this.#stderr,
    }));
  }

  /** Starts on a free port unless a flag says otherwise, and waits until it prints its address. */
  static start(...flags: readonly string[]): Promise<ModfrontProcess> {
    return ModfrontProcess.startIn({}, ...flags);
  }

  /** The same with an environment of its own. */
  static async startIn(
    environment: Readonly<Record<string, string>>,
    ...flags: readonly string[]
  ): Promise<ModfrontProcess> {
    const modfront = new ModfrontProcess(["--port", "0", "--log", "off", ...flags], environment);
    await modfront.#listening();
    return modfront;
  }

  /** Runs with exactly these flags to its end: for starts that fail. */
  static run(...flags: readonly string[]): Promise<ProcessEnd> {
    return new ModfrontProcess(flags).#ended;
  }

  /** The base URL, without a slash at its end. */
  get url(): string {
    return this.#url;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Everything printed so far: request lines and what the operator should know. */
  get output(): string {
    return this.#stdout + this.#stderr;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Stops reading what it prints, as a pipe into `head` does. */
  closeOutput(): void {
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  /** Asks it to stop and waits until it has. */
  stop(): Promise<ProcessEnd> {
    this.#child.kill("SIGTERM");
    return this.#ended;
  }

  get ended(): Promise<ProcessEnd> {
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  async #listening(): Promise<void> {
    const address = /export GOPROXY=(\S+)/;
    const printed = new Promise<void>((resolve) => {
      this.#child.stdout?.on("data", () => address.test(this.#stdout) && resolve());
    });
    const end = await Promise.race([printed, this.#ended]);
    if (end !== undefined) throw new Error(`modfront ended with ${end.code}: ${end.stderr}`);
    this.#url = address.exec(this.#stdout)?.[1] ?? "";
  }
}
