import { parseArgs } from "node:util";
import type { Config } from "../../config/config.ts";
import { CodedError } from "../../golang/coded-error.ts";
import { printable, withoutCredentials } from "../../golang/shown-text.ts";
import { isCatchAll, withoutCatchAll } from "../../proxy/sources/upstream-rules.ts";
import { readDataSettings } from "./data-settings.ts";
import { type Address, inheritedChain } from "./inherited-chain.ts";
import type { LogFormat } from "./request-log.ts";

/** What `npm start` runs with, after flags, environment, configuration file and defaults. */
export interface Settings {
  readonly port: number;
  readonly host: string;
  readonly data: string;
  readonly log: LogFormat;
  readonly tls: { readonly cert: string; readonly key: string; readonly clientCa?: string } | undefined;
  readonly config: Config;
  /** The chain for everything no rule names; `undefined` when a rule of the configuration is for that. */
  readonly upstream: string | undefined;
}

/** What the settings are read from; nothing of the process is read behind the caller's back. */
export interface SettingsSource {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly isTerminal: boolean;
  /** What `go env GOPROXY` prints when no environment variable overrides it; `undefined` where there is no Go. */
  readonly goEnvProxy: () => string | undefined;
}

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
  "tls-client-ca": { type: "string" },
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
  const { data, config: file } = readDataSettings(flags, source.environment);
  const sumdb = given("sumdb", "MODFRONT_SUMDB");
  const config = sumdb === undefined ? file : { ...file, sumdb: { ...file.sumdb, ...parseSumdb(sumdb) } };
  return {
    port,
    host,
    data,
    log: parseLog(given("log", "MODFRONT_LOG") ?? (source.isTerminal ? "text" : "json")),
    tls: parseTls(flags["tls-cert"], flags["tls-key"], flags["tls-client-ca"]),
    ...withUpstream(config, given("upstream", "MODFRONT_UPSTREAM"), source, { host, port }),
  };
}

function parseFlags(args: readonly string[]): Partial<Record<keyof typeof options, string>> {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (cause) {
    // The message quotes the argument, which may be the URL of an upstream with its password.
    const [line = ""] = (cause as Error).message.split("\n");
    throw new CodedError("usage", `${printable(withoutCredentials(line))}; ${usage}`, { cause });
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

/** Where the database of the configuration is, or that there is none, as GOSUMDB says it. */
function parseSumdb(text: string): Partial<Config["sumdb"]> {
  if (text === "off") return { name: "off" };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && !/[?#]/.test(text))
    return { url: text.replace(/\/+$/, "") };
  throw new CodedError("usage", "--sumdb takes an http or https URL without query and fragment, or off");
}

function parseTls(cert: string | undefined, key: string | undefined, clientCa: string | undefined): Settings["tls"] {
  if (cert === undefined && key === undefined && clientCa === undefined) return undefined;
  if (cert === undefined && key === undefined)
    throw new CodedError("usage", "--tls-client-ca needs --tls-cert and --tls-key");
  if (cert === undefined || key === undefined) throw new CodedError("usage", "--tls-cert and --tls-key go together");
  return { cert, key, ...(clientCa !== undefined && { clientCa }) };
}

/** A chain given by flag or environment replaces the catch-all rule; without either, this machine's Go decides. */
function withUpstream(
  config: Config,
  given: string | undefined,
  source: SettingsSource,
  address: Address,
): Pick<Settings, "config" | "upstream"> {
  if (given !== undefined) {
    return { config: { ...config, upstreams: withoutCatchAll(config.upstreams) }, upstream: given };
  }
  const covered = config.upstreams.some((rule) => rule.patterns.some(isCatchAll));
  return { config, upstream: covered ? undefined : inheritedChain(source, address) };
}
