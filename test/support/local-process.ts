import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { FailpointName } from "../../lambda/local/data/failpoints.ts";
import type { SharedFailure } from "../../lambda/proxy/store/lease-store.ts";
import type { MemoryName, VersionFlag } from "../../lambda/proxy/store/version-index.ts";

/** A call of a local adapter, as it travels to another process. Bytes are text there; a source is text or else a path. */
export type Call =
  | readonly ["create", key: string, text: string | null, path?: string]
  | readonly ["remove", key: string]
  | readonly ["addVersion", path: string, version: string]
  | readonly ["setFlag", path: string, version: string, flag: VersionFlag]
  | readonly ["removeVersion", path: string, version: string]
  | readonly ["remember", path: string, name: MemoryName, text: string]
  | readonly ["acquire", name: string, now: number, heldUntil: number]
  | readonly ["renew", name: string, fence: number, heldUntil: number]
  | readonly ["release", name: string, fence: number, failure?: SharedFailure]
  | readonly ["replace", name: string, old: string | null, next: string]
  | readonly ["claim", path: string, version: string, hash: string];

export interface ChildTask {
  readonly data: string;
  readonly calls: readonly Call[] | "reindex";
  readonly dieAt?: FailpointName;
}

export interface ChildEnd {
  /** "SIGKILL" when it died at its failpoint. */
  readonly signal: NodeJS.Signals | null;
  /** What each call gave (`null` for nothing), or `{ thrown, message }`. */
  readonly results: readonly unknown[] | undefined;
  readonly errors: string;
}

const script = join(import.meta.dirname, "adapter-child.ts");

/** Runs each task in a process of its own; the calls begin when all of them have opened the data folder. */
export async function runProcesses(tasks: readonly ChildTask[]): Promise<readonly ChildEnd[]> {
  const ends = await runScripts(script, tasks);
  return ends.map((end) => ({ ...end, results: end.results as ChildEnd["results"] }));
}

/** The same with another script, which says "ready", waits for a line and prints one of JSON. */
export async function runScripts(
  script: string,
  tasks: readonly unknown[],
): Promise<readonly (Omit<ChildEnd, "results"> & { readonly results: unknown })[]> {
  const children = tasks.map((task) =>
    spawn(process.execPath, [script, JSON.stringify(task)], { stdio: ["pipe", "pipe", "pipe"] }),
  );
  const ready: Promise<unknown>[] = [];
  const ends = children.map((child) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    ready.push(promise);
    return follow(child, resolve);
  });
  await Promise.all(ready);
  for (const child of children) {
    child.stdin.on("error", () => {});
    child.stdin.write("go\n");
  }
  return await Promise.all(ends);
}

async function follow(child: ChildProcess, ready: () => void) {
  let errors = "";
  let results: unknown;
  child.stderr?.on("data", (chunk) => {
    errors += chunk;
  });
  if (child.stdout === null) throw new Error("a child without output");
  createInterface(child.stdout).on("line", (line) => {
    if (line === "ready") ready();
    else results = JSON.parse(line);
  });
  const [, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  ready();
  return { signal, results, errors };
}
