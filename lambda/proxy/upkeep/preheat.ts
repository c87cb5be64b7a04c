import { parseLax } from "../../golang/modfile.ts";
import { check, checkPath } from "../../golang/module.ts";
import { internalPrefix } from "../store/layout.ts";
import type { BackgroundJob } from "./background-job.ts";

/** Under this prefix people put the go.mod and go.sum files whose modules they want filled before they ask. */
export const preheatPrefix = `${internalPrefix}preheat/`;

export interface KnownModule {
  readonly path: string;
  readonly newest: number;
}

export interface PreheatParts {
  /** Of the configuration: `path` for its newest version, or `path@version`. */
  readonly modules: readonly string[];
  /** Names and contents of the files under `preheatPrefix`; no contents where a file could not be read. */
  readonly files: () => AsyncIterable<{ readonly name: string; readonly text: string | undefined }>;
  /** The modules of which something is stored, each with when the newest of its versions came, in milliseconds. */
  readonly known: () => AsyncIterable<KnownModule>;
  /** How many of them are asked for news. */
  readonly refresh: number;
  /** Told of what is no go.mod, go.sum or module, by its name. */
  readonly unreadable: (name: string) => void;
}

/**
 * What to do before anyone asks, each job once: what was named by hand first, then news of stored modules, those with the newest
 * versions first: until usage is counted, that a module was used lately is known by nothing else. What is beyond the budget is
 * asked for news when somebody asks for it.
 */
export async function* preheatJobs(parts: PreheatParts): AsyncIterable<BackgroundJob> {
  const seen = new Set<string>();
  for await (const job of allJobs(parts)) {
    const key = JSON.stringify(job);
    if (!seen.has(key)) yield job;
    seen.add(key);
  }
}

async function* allJobs(parts: PreheatParts): AsyncIterable<BackgroundJob> {
  for (const text of parts.modules) {
    const jobs = jobsOfModule(text);
    if (jobs.length === 0) parts.unreadable(text);
    yield* jobs;
  }
  for await (const { name, text } of parts.files()) {
    const jobs = text === undefined ? undefined : jobsOfFile(name, text);
    if (jobs === undefined) parts.unreadable(name);
    else yield* jobs;
  }
  for (const { path } of await newestModules(parts.known(), parts.refresh)) yield { kind: "refresh", path };
}

/** The `most` modules with the newest versions, the newest first, in memory for twice as many. */
async function newestModules(known: AsyncIterable<KnownModule>, most: number): Promise<readonly KnownModule[]> {
  let kept: KnownModule[] = [];
  const cut = () => kept.sort((a, b) => b.newest - a.newest).slice(0, most);
  for await (const module of known) {
    kept.push(module);
    if (kept.length >= 2 * most + 100) kept = cut();
  }
  return cut();
}

/** `"golang.org/x/mod@v0.30.0"` is that version, without one it is whatever is newest; none when it cannot be either. */
function jobsOfModule(text: string): readonly BackgroundJob[] {
  const at = text.lastIndexOf("@");
  if (at >= 0) return valid("zip", text.slice(0, at), text.slice(at + 1));
  return accepts(() => checkPath(text)) ? [{ kind: "refresh", path: text }] : [];
}

/** The jobs of one file, or `undefined` when it is neither a go.mod nor a go.sum. */
function jobsOfFile(name: string, text: string): readonly BackgroundJob[] | undefined {
  if (/(^|[/.])go\.sum$/.test(name)) return jobsOfSums(text);
  if (!/(^|[/.])go\.mod$/.test(name)) return undefined;
  try {
    return parseLax(text, { file: "go.mod" }).require.flatMap(({ path, version }) => valid("zip", path, version));
  } catch {
    return undefined;
  }
}

/** `path version h1:…` is a zip that was needed, `path version/go.mod h1:…` a go.mod. Other lines are passed over. */
function jobsOfSums(text: string): readonly BackgroundJob[] {
  return text.split("\n").flatMap((line) => {
    const [path = "", version = "", hash = ""] = line.trim().split(/\s+/);
    if (!hash.startsWith("h1:")) return [];
    const bare = version.replace(/\/go\.mod$/, "");
    return valid(bare === version ? "zip" : "mod", path, bare);
  });
}

function valid(kind: "zip" | "mod", path: string, version: string): readonly BackgroundJob[] {
  return accepts(() => check(path, version)) ? [{ kind, module: { path, version } }] : [];
}

function accepts(check: () => void): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}
