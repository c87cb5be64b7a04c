import { parseLax } from "../../golang/modfile.ts";
import { check, checkPath } from "../../golang/module.ts";
import { internalPrefix } from "../store/layout.ts";
import type { BackgroundJob } from "./background-job.ts";

/** Under this prefix people put the go.mod and go.sum files whose modules they want filled before they ask. */
export const preheatPrefix = `${internalPrefix}preheat/`;

export interface PreheatParts {
  /** Of the configuration: `path` for its newest version, or `path@version`. */
  readonly modules: readonly string[];
  /** Names and contents of the files under `preheatPrefix`; no contents where a file could not be read. */
  readonly files: () => AsyncIterable<{ readonly name: string; readonly text: string | undefined }>;
  /** The modules of which something is stored. */
  readonly known: () => AsyncIterable<string>;
  /** Told of what is no go.mod, go.sum or module, by its name. */
  readonly unreadable: (name: string) => void;
}

/** What to do before anyone asks, each job once: what was named by hand first, then news of everything that is stored. */
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
  for await (const path of parts.known()) yield { kind: "refresh", path };
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
