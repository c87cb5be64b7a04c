import { z } from "zod";
import { accessConfig } from "../access/config.ts";
import { exchangeConfig } from "../access/oidc/config.ts";
import { faultOfTenantNames, faultOfTenants, resolveTenants } from "../access/tenants.ts";
import { awsConfig } from "../aws/config.ts";
import { CodedError } from "../golang/coded-error.ts";
import { channelsConfig } from "../proxy/channels/config.ts";
import { checksumsConfig } from "../proxy/checksums/config.ts";
import { fillConfig } from "../proxy/fill/config.ts";
import { logConfig } from "../proxy/log/config.ts";
import { policyConfig } from "../proxy/policy/config.ts";
import { sourcesConfig } from "../proxy/sources/config.ts";
import { upkeepConfig } from "../proxy/upkeep/config.ts";
import { credentialsConfig } from "../upstream/credentials/config.ts";
import { gitConfig } from "../upstream/git/config.ts";
import { transportConfig } from "../upstream/http/config.ts";
import { webhooksConfig } from "../webhooks/config.ts";

/** The one configuration file, read by the CDK app, the local server and the CLI: each room's own keys, in one line. */
const configSchema = z.strictObject({
  $schema: z.string().optional().describe("Where an editor finds the schema of this file"),
  ...sourcesConfig,
  ...credentialsConfig,
  ...gitConfig,
  ...transportConfig,
  ...policyConfig,
  ...fillConfig,
  ...checksumsConfig,
  ...logConfig,
  ...accessConfig,
  ...exchangeConfig,
  ...upkeepConfig,
  ...webhooksConfig,
  ...channelsConfig,
  ...awsConfig,
});

/** As all rooms read it: no pattern names a tenant any more, and what is a tenant's is private. */
export type Config = z.output<typeof configSchema>;

/**
 * Reads the configuration out of the text of `modfront.config.json`.
 *
 * Throws `CodedError` "config" whose message names the path of the first wrong key and what was expected there.
 */
export function parseConfig(text: string): Config {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CodedError("config", "the configuration is not valid JSON");
  }
  const result = configSchema.safeParse(value);
  if (result.success) return resolveConfig(result.data);
  throw new CodedError("config", `configuration key ${explain(result.error.issues[0])}`);
}

/** Puts the tenants' modules in place of their names, and among the private ones. */
function resolveConfig(config: Config): Config {
  const { tenants } = config;
  const fault = faultOfTenants(tenants) ?? faultOfAccess(config);
  if (fault !== undefined) throw new CodedError("config", `configuration key ${fault}`);
  const resolve = (key: string, patterns: readonly string[]): string[] => {
    const unknown = faultOfTenantNames(patterns, Object.keys(tenants), Number.POSITIVE_INFINITY);
    if (unknown !== undefined) throw new CodedError("config", `configuration key ${key}: ${unknown}`);
    return [...resolveTenants(patterns, tenants)];
  };
  const resolveRules = (key: string, rules: Config["upstreams"]) =>
    rules.map((rule, i) => ({ ...rule, patterns: resolve(`${key}.${i}.patterns`, rule.patterns) }));
  const resolveRows = <Row extends { readonly modules: readonly string[] }>(key: string, rows: readonly Row[]) =>
    rows.map((row, i) => ({ ...row, modules: resolve(`${key}.${i}.modules`, row.modules) }));
  const resolvePolicy = (key: string, policy: Config["policy"]) => ({
    ...policy,
    allow: resolveRows(`${key}.allow`, policy.allow),
    deny: resolveRows(`${key}.deny`, policy.deny),
  });
  checkGrants(config);
  const owned = Object.values(tenants).flatMap(({ modules }) => modules);
  return {
    ...config,
    private: [...new Set([...resolve("private", config.private), ...owned])],
    upstreams: resolveRules("upstreams", config.upstreams),
    policy: resolvePolicy("policy", config.policy),
    channels: Object.fromEntries(
      Object.entries(config.channels).map(([name, { upstreams, policy, ...channel }]) => [
        name,
        {
          ...channel,
          ...(upstreams && { upstreams: resolveRules(`channels.${name}.upstreams`, upstreams) }),
          ...(policy && { policy: resolvePolicy(`channels.${name}.policy`, policy) }),
        },
      ]),
    ),
  };
}

/** A token names two tenants at most, and so does what it is made by. */
function checkGrants({ oidc, mtls, tenants }: Config): void {
  const rules = [
    ...oidc.flatMap((each, i) => each.rules.map(({ modules }, j) => ({ key: `oidc.${i}.rules.${j}`, modules }))),
    ...mtls.rules.map(({ modules }, i) => ({ key: `mtls.rules.${i}`, modules })),
  ];
  for (const { key, modules } of rules) {
    const fault = faultOfTenantNames(modules, Object.keys(tenants));
    if (fault !== undefined) throw new CodedError("config", `configuration key ${key}.modules: ${fault}`);
  }
}

function faultOfAccess({ access, tenants }: Config): string | undefined {
  if (access.anonymous !== "all" || Object.keys(tenants).length === 0) return undefined;
  return 'access.anonymous: "all" would show each tenant the modules of the others: leave it out, or "none" or "public"';
}

function explain(issue: z.core.$ZodIssue | undefined): string {
  const path = issue?.path.map(String) ?? [];
  if (issue?.code === "invalid_key") return `${path.join(".")}: ${issue.issues[0]?.message}`;
  if (issue?.code !== "unrecognized_keys") return `${path.join(".") || "(top level)"}: ${issue?.message ?? "is wrong"}`;
  return `${[...path, issue.keys[0]].join(".")}: unknown, expected one of ${knownKeys(path).join(", ")}`;
}

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode;
  readonly items?: SchemaNode;
}

function knownKeys(path: readonly string[]): string[] {
  const below = (node: SchemaNode | undefined, key: string) =>
    node?.properties?.[key] ?? node?.additionalProperties ?? node?.items;
  const node = path.reduce<SchemaNode | undefined>(below, configJsonSchema() as SchemaNode);
  return Object.keys(node?.properties ?? {}).filter((key) => key !== "$schema");
}

/** The JSON Schema of the configuration file, for editors. */
export function configJsonSchema(): unknown {
  return z.toJSONSchema(configSchema, { io: "input" });
}
