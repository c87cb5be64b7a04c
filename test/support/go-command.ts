import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

function goEnv(name: string): string {
  const go = spawnSync("go", ["env", name], { encoding: "utf8" });
  return go.status === 0 ? go.stdout.trim() : "";
}

/** The reason to skip what needs the go command, or `false`: for node:test's `skip` option. */
export const skipWithoutGo: string | false =
  goEnv("GOVERSION") === "" ? "Go is not installed: nothing to run the real go command with" : false;

/** The real upstream: the first module proxy of this machine's GOPROXY; `undefined` where it has none. */
export function realUpstream(): string | undefined {
  const first = goEnv("GOPROXY")
    .split(/[,|]/)
    .find((entry) => /^https?:\/\//.test(entry));
  return first?.replace(/\/+$/, "");
}

/** The reason to skip what needs the real upstream, or `false` when it answers for its checksum database. */
export async function skipWithoutUpstream(): Promise<string | false> {
  if (skipWithoutGo !== false) return skipWithoutGo;
  const upstream = realUpstream();
  if (upstream === undefined) return "GOPROXY names no module proxy: there is no real upstream to test with";
  try {
    const answer = await fetch(`${upstream}/sumdb/sum.golang.org/supported`, { signal: AbortSignal.timeout(10_000) });
    await answer.body?.cancel();
    if (answer.ok) return false;
  } catch {}
  return "the real upstream cannot be reached";
}

/** How a run of the go command ended. */
export interface GoRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A developer's fresh machine: an empty folder with a main module, empty module caches, GOPROXY set to one address alone
 * and the checksum database on. Only the cache of compiled packages is this machine's own.
 */
export class GoMachine implements Disposable {
  /** The folder of the main module. */
  readonly folder: string;
  /** Where the module cache is. */
  readonly modCache: string;
  readonly #home: string;
  readonly #environment: Readonly<Record<string, string>>;

  constructor(proxy: string, environment: Readonly<Record<string, string>> = {}) {
    this.#home = mkdtempSync(join(tmpdir(), "modfront-go-"));
    this.folder = join(this.#home, "main");
    this.modCache = join(this.#home, "modcache");
    mkdirSync(this.folder);
    this.#environment = {
      PATH: process.env.PATH ?? "",
      HOME: this.#home,
      GOPATH: join(this.#home, "gopath"),
      GOBIN: join(this.#home, "bin"),
      GOMODCACHE: this.modCache,
      GOCACHE: goEnv("GOCACHE"),
      GOENV: "off",
      GOPROXY: proxy,
      GOSUMDB: "sum.golang.org",
      GOFLAGS: "-modcacherw -mod=mod",
      GOTOOLCHAIN: "local",
      GOVCS: "*:off",
      CGO_ENABLED: "0",
      ...environment,
    };
  }

  /** Writes a file of the main module. */
  write(name: string, content: string): this {
    writeFileSync(join(this.folder, name), content);
    return this;
  }

  /** Where `go install` puts a program. */
  program(name: string): string {
    return join(this.#home, "bin", name);
  }

  /** Runs `go` with these arguments in the folder of the main module. */
  async go(...args: readonly string[]): Promise<GoRun> {
    const go = spawn("go", args, { cwd: this.folder, env: this.#environment, stdio: ["ignore", "pipe", "pipe"] });
    const [stdout, stderr, [code]] = await Promise.all([text(go.stdout), text(go.stderr), once(go, "close")]);
    return { code, stdout, stderr };
  }

  [Symbol.dispose](): void {
    // go leaves a child behind that writes its counters, maybe at this moment.
    rmSync(this.#home, { recursive: true, force: true, maxRetries: 10 });
  }
}
