import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { FailpointName } from "../../lambda/local/failpoints.ts";
import type { ProductOptions } from "./product.ts";

export interface ChildProductTask extends ProductOptions {
  readonly dieAt?: FailpointName;
  /** Which time it gets there, the first being 1. */
  readonly dieOn?: number;
}

const script = join(import.meta.dirname, "product-child.ts");

/** The composed product in another process. */
export class ProductProcess implements AsyncDisposable {
  readonly url: string;
  /** How the process ended: "SIGKILL" at its failpoint. */
  readonly ended: Promise<NodeJS.Signals | null>;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string, ended: Promise<NodeJS.Signals | null>) {
    this.#child = child;
    this.url = url;
    this.ended = ended;
  }

  /** Starts it and waits until it listens; `url` is empty when it died before that. */
  static async start(task: ChildProductTask): Promise<ProductProcess> {
    const child = spawn(process.execPath, [script, JSON.stringify(task)], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(child, "close").then(([, signal]) => signal as NodeJS.Signals | null);
    const lines = createInterface(child.stdout);
    const url = await Promise.race([once(lines, "line").then(([line]) => String(line)), ended.then(() => "")]);
    return new ProductProcess(child, url, ended);
  }

  /** Kills it without warning. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended;
  }

  /** The most memory it ever had resident, in MiB; `undefined` where the system does not say. */
  peakMemory(): number | undefined {
    try {
      const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
      return Math.round(Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024);
    } catch {
      return undefined;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}
