import { readFileSync } from "node:fs";
import { CodedError } from "../golang/coded-error.ts";
import type { ChosenChannels } from "../proxy/channels/channel-parts.ts";
import type { Config } from "./config.ts";

// The contract between lib/, which writes environments and settings at synth, and the handlers, which read them. A
// variable misspelt on either side does not compile.

/** What fills: `MODFRONT_LOG` is the function that signs, `MODFRONT_GOSUMDB` the log's `name+hash+key`. */
const writing = [
  "MODFRONT_TABLE",
  "MODFRONT_LOG_TABLE",
  "MODFRONT_BUCKET",
  "MODFRONT_CREDENTIALS_SECRET",
  "MODFRONT_LOG",
  "MODFRONT_GOSUMDB",
] as const;

/** What changes who may: all that it takes to find the tokens of a deployment and its audit log. */
const controlling = [
  "MODFRONT_TABLE",
  "MODFRONT_EDGE_SECRET",
  "MODFRONT_PRIMARY_REGION",
  "MODFRONT_KEY_VALUE_STORE",
  "MODFRONT_BUCKET",
] as const;

/** What each handler finds in its environment. */
const rows = {
  list: ["MODFRONT_TABLE", "MODFRONT_FILL", "MODFRONT_EDGE_SECRET"],
  latest: ["MODFRONT_TABLE", "MODFRONT_FILL", "MODFRONT_EDGE_SECRET"],
  info: ["MODFRONT_FILL", "MODFRONT_EDGE_SECRET"],
  mod: ["MODFRONT_FILL", "MODFRONT_EDGE_SECRET"],
  zip: ["MODFRONT_FILL", "MODFRONT_EDGE_SECRET"],
  sumdb: ["MODFRONT_FILL", "MODFRONT_EDGE_SECRET", "MODFRONT_GOSUMDB"],
  site: ["MODFRONT_EDGE_SECRET", "MODFRONT_GOSUMDB"],
  publish: ["MODFRONT_FILL", "MODFRONT_EDGE_SECRET", "MODFRONT_TABLE", "MODFRONT_BUCKET", "MODFRONT_PURGE"],
  fill: writing,
  background: [...writing, "MODFRONT_QUEUE", "MODFRONT_PURGE"],
  log: ["MODFRONT_LOG_TABLE", "MODFRONT_BUCKET", "MODFRONT_SIGNING_KEY"],
  preheat: ["MODFRONT_TABLE", "MODFRONT_BUCKET", "MODFRONT_QUEUE"],
  control: controlling,
  admin: [...controlling, "MODFRONT_CREDENTIALS"],
  token: controlling,
  rollback: ["MODFRONT_PRIMARY_REGION", "MODFRONT_KEY_VALUE_STORE", "MODFRONT_BUCKET"],
  purge: ["MODFRONT_DISTRIBUTION"],
  webhook: ["MODFRONT_TABLE", "MODFRONT_EDGE_SECRET", "MODFRONT_PRIMARY_REGION", "MODFRONT_QUEUE"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type HandlerName = keyof typeof rows;

/** The name of the function that runs a handler, in the deployment `aws.name`: `"modfront-control"`. */
export function functionName(deployment: string, handler: HandlerName): string {
  return `${deployment}-${handler}`;
}

/** The variables of one handler, all present. */
export type Environment<Name extends HandlerName> = Readonly<Record<(typeof rows)[Name][number], string>>;

/** The handlers behind the API, which only read. */
export type ServeName = "list" | "latest" | "info" | "mod" | "zip" | "sumdb" | "site";

/**
 * Whoever knows the log's name by its environment has these too: a function gets a new version with what it is made of, and
 * not with the value of a variable.
 */
interface LogSettings {
  /** Its name, where the configuration has one; else it is made of the domain, where there is one. */
  readonly log: { readonly name?: string | undefined; readonly domain?: string | undefined };
}

interface ServeSettings extends Pick<Config, "private" | "ttl" | "sumdb" | "access" | "tenants">, LogSettings {
  /** The names of the channels, and of those that have upstreams of their own. */
  readonly channels: readonly string[];
  readonly apart: readonly string[];
}

interface FillSettings
  extends LogSettings,
    Pick<
      Config,
      | "private"
      | "ttl"
      | "sumdb"
      | "upstreams"
      | "policy"
      | "channels"
      | "credentials"
      | "git"
      | "allowHosts"
      | "timeouts"
      | "proxy"
      | "tenants"
      | "publishing"
    > {
  /** modfront's own, for the user agent. */
  readonly version: string;
}

interface BackgroundSettings extends FillSettings {
  /** The modules of each repository that a webhook tells of. */
  readonly followed: readonly (readonly string[])[];
}

interface ExchangeSettings extends Pick<Config, "access" | "private" | "tenants" | "oidc" | "allowHosts"> {
  /** The rules for certificates, where the distribution asks for them. */
  readonly subjects: Config["mtls"]["rules"];
  /** modfront's own, for the user agent. */
  readonly version: string;
}

interface SettingsRows extends Readonly<Record<ServeName, ServeSettings>> {
  readonly fill: FillSettings;
  readonly background: BackgroundSettings;
  readonly publish: Pick<Config, "access" | "private" | "tenants">;
  readonly log: LogSettings;
  readonly preheat: Pick<Config, "preheat">;
  readonly control: Pick<Config, "access" | "private" | "tenants"> & { readonly channels: ChosenChannels };
  readonly admin: Pick<Config, "access" | "private" | "tenants">;
  readonly token: ExchangeSettings;
  /** The channel of each alarm, by its name. */
  readonly rollback: { readonly alarms: Readonly<Record<string, string>> };
  readonly purge: Record<string, never>;
  readonly webhook: Pick<Config, "access" | "private" | "tenants" | "webhooks">;
}

/** The part of the configuration that one handler needs, as lib/ puts it beside the bundle: no more, and no secret. */
export type Settings<Name extends HandlerName> = SettingsRows[Name];

/** The file beside a bundle that holds its handler's `Settings` as JSON; an environment has room for 4 KB only. */
export const settingsFile = "settings.json";

/** The environment of this handler. Throws `CodedError` "environment" with the name of the first missing variable. */
export function readEnvironment<Name extends HandlerName>(name: Name): Environment<Name> {
  const entries = rows[name].map((variable) => {
    const value = process.env[variable];
    if (value === undefined || value === "") throw new CodedError("environment", `${variable} is not set`);
    return [variable, value];
  });
  return Object.fromEntries(entries);
}

/** The settings beside this handler's bundle. They were checked when they were written. */
export function readSettings<Name extends HandlerName>(_name: Name): Settings<Name> {
  return JSON.parse(readFileSync(new URL(settingsFile, import.meta.url), "utf8"));
}

/** The version of the function that this process runs. */
export function functionVersion(): string {
  return process.env.AWS_LAMBDA_FUNCTION_VERSION ?? "$LATEST";
}

/** The trace id of the request under way, where Lambda gives one. */
export function traceId(): string | undefined {
  return process.env._X_AMZN_TRACE_ID;
}
