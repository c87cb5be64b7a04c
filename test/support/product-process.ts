import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { FailpointName } from "../../lambda/local/data/failpoints.ts";
import type { ProductOptions } from "./product.ts";

export interface ChildProductTask extends ProductOptions {
  readonly dieAt?: FailpointName;
  /** Which time it gets there, the first being 1. */
  readonly dieOn?: number;
}

const command = join(import.meta.dirname, "../../bin/start.mjs");
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
  static start(task: ChildProductTask): Promise<ProductProcess> {
    return ProductProcess.#spawn([script, JSON.stringify(task)]);
  }

  /** Starts what `npm start` does, with these flags. */
  static startCommand(flags: readonly string[]): Promise<ProductProcess> {
    return ProductProcess.#spawn([command, ...flags]);
  }

  static async #spawn(args: readonly string[]): Promise<ProductProcess> {
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(child, "close").then(([, signal]) => signal as NodeJS.Signals | null);
    const url = await Promise.race([printedUrl(child.stdout), ended.then(() => "")]);
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

  /** The memory that is resident now, in MiB, and how many descriptors are open; `undefined` where the system does not say. */
  held(): { readonly memory: number; readonly descriptors: number } | undefined {
    try {
      const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
      const memory = Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024);
      return { memory, descriptors: readdirSync(`/proc/${this.#child.pid}/fd`).length };
    } catch {
      return undefined;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

/** The first URL of this machine that is printed; output goes on to be read, so that the process never waits for us. */
function printedUrl(output: Readable): Promise<string> {
  return new Promise((resolve) => {
    createInterface(output).on("line", (line) => {
      const [url] = /https?:\/\/127\.0\.0\.1:\d+/.exec(line) ?? [];
      if (url !== undefined) resolve(url);
    });
  });
}
