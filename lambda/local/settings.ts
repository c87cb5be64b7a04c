import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Config, parseConfig } from "../config.ts";
import { CodedError } from "../golang/coded-error.ts";
import { isCatchAll } from "../proxy/upstream-rules.ts";
import type { LogFormat } from "./request-log.ts";

/** What `npm start` runs with, after flags, environment, configuration file and defaults. */
export interface Settings {
  readonly port: number;
  readonly host: string;
  readonly data: string;
  readonly log: LogFormat;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly config: Config;
  /** The chain for everything no rule names; `undefined` when a rule of the configuration is for that. */
  readonly upstream: string | undefined;
}

/** What the settings are read from; nothing of the process is read behind the caller's back. */
export interface SettingsSource {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly isTerminal: boolean;
  /** What `go env GOPROXY` prints, or `undefined` where there is no Go. */
  readonly goEnvProxy: () => string | undefined;
}

/** Go's own built-in default (cmd/go/internal/cfg); the one place that names it. */
const goDefaultProxy = "https://proxy.golang.org,direct";

const options = {
  port: { type: "string" },
  host: { type: "string" },
  data: { type: "string" },
  config: { type: "string" },
  upstream: { type: "string" },
  sumdb: { type: "string" },
  log: { type: "string" },
  "tls-cert": { type: "string" },
  "tls-key": { type: "string" },
} as const;

/** The flags, for the line that answers a wrong one. */
export const usage = `usage: npm start -- ${Object.keys(options)
  .map((flag) => `[--${flag} …]`)
  .join(" ")}`;

/** Reads the settings. Throws `CodedError` "usage" or "config" with one line that says what to change. */
export function readSettings(source: SettingsSource): Settings {
  const flags = parseFlags(source.args);
  const given = (flag: keyof typeof options, variable: string) =>
    flags[flag] ?? (source.environment[variable] || undefined);
  const port = parsePort(given("port", "MODFRONT_PORT") ?? "8080");
  const host = given("host", "MODFRONT_HOST") ?? "127.0.0.1";
  const file = readConfigFile(given("config", "MODFRONT_CONFIG"));
  const sumdb = given("sumdb", "MODFRONT_SUMDB");
  const config = sumdb === undefined ? file : { ...file, sumdb: { ...file.sumdb, url: parseUrl("--sumdb", sumdb) } };
  return {
    port,
    host,
    data: given("data", "MODFRONT_DATA") ?? ".modfront",
    log: parseLog(given("log", "MODFRONT_LOG") ?? (source.isTerminal ? "text" : "json")),
    tls: parseTls(flags["tls-cert"], flags["tls-key"]),
    ...withUpstream(config, given("upstream", "MODFRONT_UPSTREAM"), source, port),
  };
}

function parseFlags(args: readonly string[]): Partial<Record<keyof typeof options, string>> {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (cause) {
    throw new CodedError("usage", `${(cause as Error).message.split("\n")[0]}; ${usage}`, { cause });
  }
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new CodedError("usage", "--port takes a number from 0 to 65535");
  return port;
}

function parseLog(text: string): LogFormat {
  if (text === "text" || text === "json" || text === "off") return text;
  throw new CodedError("usage", "--log takes text, json or off");
}

function parseUrl(flag: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return text.replace(/\/+$/, "");
  throw new CodedError("usage", `${flag} takes an http or https URL`);
}

function parseTls(cert: string | undefined, key: string | undefined): Settings["tls"] {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) throw new CodedError("usage", "--tls-cert and --tls-key go together");
  return { cert, key };
}

/** A file that was named must be there; the one by the default name may be absent. */
function readConfigFile(named: string | undefined): Config {
  try {
    return parseConfig(readFileSync(named ?? "modfront.config.json", "utf8"));
  } catch (cause) {
    if (cause instanceof CodedError) throw cause;
    if (named === undefined && (cause as NodeJS.ErrnoException).code === "ENOENT") return parseConfig("{}");
    throw new CodedError("config", "the configuration file cannot be read", { cause });
  }
}

/** A chain given by flag or environment replaces the catch-all rule; without either, this machine's Go decides. */
function withUpstream(
  config: Config,
  given: string | undefined,
  source: SettingsSource,
  port: number,
): Pick<Settings, "config" | "upstream"> {
  const specific = config.upstreams.filter((rule) => !rule.patterns.every(isCatchAll));
  if (given !== undefined) return { config: { ...config, upstreams: specific }, upstream: given };
  const covered = specific.length < config.upstreams.length;
  return { config, upstream: covered ? undefined : inheritedChain(source, port) };
}

function inheritedChain({ environment, goEnvProxy }: SettingsSource, port: number): string {
  const candidates = [environment.GOPROXY || undefined, goEnvProxy() || undefined];
  return candidates.find((chain) => chain !== undefined && !isOwnAddress(chain, port)) ?? goDefaultProxy;
}

/** A GOPROXY that names this very server would make it ask itself. */
function isOwnAddress(chain: string, port: number): boolean {
  const own = new RegExp(`^https?://([^/@]*@)?(127\\.0\\.0\\.1|localhost|\\[::1\\]):${port}(/|$)`);
  return chain.split(/[,|]/).some((entry) => own.test(entry.trim()));
}
