import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What `go mod download -json` says of one query. */
export interface GoDownload {
  readonly Path?: string;
  readonly Version?: string;
  readonly Query?: string;
  readonly Error?: string;
  readonly Info?: string;
  readonly GoMod?: string;
  readonly Zip?: string;
  readonly Sum?: string;
  readonly GoModSum?: string;
  readonly Origin?: Readonly<Record<string, string>>;
}

export interface GoDirectOptions {
  /** URL prefixes, each with the one that git is to use instead. */
  readonly insteadOf: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
}

/** The real go command with `GOPROXY=direct`, each question asked with nothing in its cache. */
export class GoDirect {
  readonly #folder: string;
  readonly #options: GoDirectOptions;
  #caches = 0;

  /** `folder`: an empty one, for caches and configuration. */
  constructor(folder: string, options: GoDirectOptions) {
    this.#folder = folder;
    this.#options = options;
    const rows = Object.entries(options.insteadOf).map(([from, to]) => `[url "${to}"]\n\tinsteadOf = ${from}\n`);
    writeFileSync(join(folder, "gitconfig"), rows.join(""));
    mkdirSync(join(folder, "work"));
    writeFileSync(join(folder, "work/go.mod"), "module work.example/work\n\ngo 1.20\n");
  }

  /** Resolves and downloads; the bytes of `.info` and `.mod` beside it. */
  async download(query: string): Promise<GoDownload & { readonly info?: string; readonly mod?: Buffer }> {
    return this.#withCache(async (cache) => {
      const { stdout, stderr } = await this.#go(cache, ["mod", "download", "-json", query]);
      const answer: GoDownload = stdout.trim().startsWith("{") ? JSON.parse(stdout) : { Error: stderr || "nothing" };
      return {
        ...answer,
        ...(answer.Info !== undefined && { info: readFileSync(answer.Info, "utf8") }),
        ...(answer.GoMod !== undefined && { mod: readFileSync(answer.GoMod) }),
      };
    });
  }

  /** The versions that are tagged; an error's text instead of them. */
  async versions(module: string): Promise<readonly string[] | string> {
    return this.#withCache(async (cache) => {
      const { stdout, stderr } = await this.#go(cache, ["list", "-m", "-versions", "-retracted", "-json", module]);
      const answer = stdout.trim().startsWith("{") ? JSON.parse(stdout) : { Error: { Err: stderr } };
      return answer.Error === undefined ? (answer.Versions ?? []) : String(answer.Error.Err);
    });
  }

  async #withCache<T>(use: (cache: string) => Promise<T>): Promise<T> {
    const cache = join(this.#folder, `cache-${this.#caches++}`);
    try {
      return await use(cache);
    } finally {
      makeWritable(cache);
      rmSync(cache, { recursive: true, force: true });
    }
  }

  #go(cache: string, args: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }> {
    const env = {
      PATH: process.env.PATH,
      HOME: this.#folder,
      ...{ GOMODCACHE: cache, GOPROXY: "direct", GONOSUMDB: "*", GONOSUMCHECK: "1", GOFLAGS: "-mod=mod -modcacherw" },
      ...{ GOTOOLCHAIN: "local", GOWORK: "off", GOVCS: "*:all", GOTELEMETRY: "off", GOENV: "off", GOSUMDB: "off" },
      ...{ GIT_CONFIG_GLOBAL: join(this.#folder, "gitconfig"), GIT_CONFIG_NOSYSTEM: "1", GIT_TERMINAL_PROMPT: "0" },
      ...{ GIT_ATTR_NOSYSTEM: "1", NO_PROXY: "127.0.0.1" },
      ...this.#options.environment,
    };
    return new Promise((resolve) => {
      execFile("go", args, { cwd: join(this.#folder, "work"), env, maxBuffer: 1 << 26 }, (_, stdout, stderr) =>
        resolve({ stdout, stderr }),
      );
    });
  }
}

function makeWritable(path: string): void {
  try {
    chmodSync(path, 0o755);
  } catch {
    // Never made.
  }
}
