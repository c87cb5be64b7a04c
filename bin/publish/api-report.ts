import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { printable } from "../../lambda/golang/shown-text.ts";
import type { ServedModfront } from "../verbs/served-modfront.ts";
import type { ModuleArchive } from "./module-archive.ts";
import { unpack } from "./unpacked.ts";

/** What the exported API of a version is to that of the release before, by gorelease of golang.org/x/exp. */
export type ApiReport =
  | {
      readonly state: "compared";
      /** The version that it was held against; `"none"` for the first. */
      readonly base: string;
      /** "unknown" where one of the two does not compile. */
      readonly verdict: "compatible" | "incompatible" | "unknown";
      /** What gorelease printed. */
      readonly text: string;
    }
  /** Nothing was compared: nothing is known. */
  | { readonly state: "not-run"; readonly why: string };

/** Asked for by its module, so that no proxy has to say what it does not have at longer paths. */
const [goreleaseModule, gorelease] = ["golang.org/x/exp@latest", "golang.org/x/exp/cmd/gorelease"] as const;

/** Milliseconds for a comparison, its compilation included. */
const patience = 600_000;

/** Characters of a report that are kept. */
const longestReport = 32_768;

/** What go and a compiler need of the environment: no secret, since what runs is not ours. */
const kept =
  /^(?:PATH|HOME|USERPROFILE|SystemRoot|TMPDIR|TEMP|LOCALAPPDATA|XDG_CACHE_HOME|GO[A-Z0-9]+|CC|CGO_ENABLED|SSL_CERT_(?:FILE|DIR)|(?:https?|no)_proxy)$/i;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Compares the API of what is to be published with that of the release before it that the modfront has.
 *
 * Runs the `go` of this machine, and with it code of the module and of what it requires only as far as compiling does. What keeps
 * it from being run is the report, too.
 */
export async function apiReport(
  server: ServedModfront,
  archive: ModuleArchive,
  environment: Environment,
  output: string,
): Promise<ApiReport> {
  const [module, tool, program] = ["unpacked", "tool", "gorelease"].map((name) => join(output, name)) as Paths;
  mkdirSync(module);
  mkdirSync(tool);
  await unpack(archive, module);
  writeFileSync(join(tool, "go.mod"), "module tool\n");
  const own = Object.entries(environment).filter(([name]) => kept.test(name));
  const env = { ...Object.fromEntries(own), ...(await goSettings(server, output)) };
  const { version } = archive.module;
  const steps = [
    { command: ["go", "get", goreleaseModule], cwd: tool },
    { command: ["go", "build", "-o", program, gorelease], cwd: tool },
    { command: [program, `-version=${version}`], cwd: module },
  ];
  let said: Said = { code: 0, stdout: "", stderr: "" };
  for (const { command, cwd } of steps) {
    said = await run(command, cwd, env);
    if (said.code !== 0) break;
  }
  return readReport(version, said.stdout, said.stderr);
}

type Paths = [module: string, tool: string, program: string];

/** Reads what gorelease printed. */
export function readReport(version: string, stdout: string, stderr: string): ApiReport {
  const text = stdout.slice(0, longestReport);
  const base = /^(?:Inferred base|Base) version: (\S+)$/m.exec(stdout)?.[1];
  const isWhole = stdout.split("\n").some((line) => line.startsWith(`${version} is `));
  if (base === undefined || !isWhole) {
    const lines = stderr.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("go: downloading "));
    return { state: "not-run", why: printable(lines.at(-1)?.trim() ?? "gorelease says nothing", 500) };
  }
  return { state: "compared", base, verdict: verdictOf(stdout), text };
}

function verdictOf(report: string): "compatible" | "incompatible" | "unknown" {
  // Where definitions are missing, what is there again looks like a change.
  if (/^## errors in (?:base|release) version:$/m.test(report)) return "unknown";
  return /^## incompatible changes$/m.test(report) ? "incompatible" : "compatible";
}

/** Everything by the modfront alone, which is shown the token by a file: neither arguments nor the environment have it. */
async function goSettings(server: ServedModfront, output: string): Promise<Environment> {
  const { url, headers } = server.destination("");
  const netrc = join(output, "netrc");
  const password = /^Bearer (\S+)$/.exec(headers.authorization ?? "")?.[1];
  writeFileSync(netrc, password === undefined ? "" : `machine ${url.host} login modfront password ${password}\n`, {
    mode: 0o600,
  });
  const gosumdb = await server.read("/-/gosumdb");
  return {
    ...{ GOPROXY: url.href.replace(/\/$/, ""), NETRC: netrc, GOAUTH: "netrc" },
    GOSUMDB: gosumdb.kind === "read" ? Buffer.from(gosumdb.bytes).toString().trim() : "off",
    ...{
      GOPRIVATE: "none",
      GONOPROXY: "none",
      GONOSUMDB: "none",
      GOFLAGS: "-mod=mod",
      GOWORK: "off",
      GO111MODULE: "on",
    },
  };
}

interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run([program = "", ...args]: readonly string[], cwd: string, env: Environment): Promise<Said> {
  const { promise, resolve } = Promise.withResolvers<Said>();
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], timeout: patience });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (more: string) => {
      if (said[name].length < 1 << 20) said[name] += more;
    });
  }
  child.on("error", () =>
    resolve({ code: 1, stdout: "", stderr: `${program === "go" ? "go" : "gorelease"} cannot be run` }),
  );
  child.on("close", (code) => resolve({ code, ...said }));
  return promise;
}
