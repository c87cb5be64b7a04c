import { z } from "zod";
import { accessConfig } from "../access/config.ts";
import { awsConfig } from "../aws/config.ts";
import { CodedError } from "../golang/coded-error.ts";
import { checksumsConfig } from "../proxy/checksums/config.ts";
import { fillConfig } from "../proxy/fill/config.ts";
import { logConfig } from "../proxy/log/config.ts";
import { sourcesConfig } from "../proxy/sources/config.ts";
import { upkeepConfig } from "../proxy/upkeep/config.ts";
import { credentialsConfig } from "../upstream/credentials/config.ts";
import { gitConfig } from "../upstream/git/config.ts";
import { transportConfig } from "../upstream/http/config.ts";

/** The one configuration file, read by the CDK app, the local server and the CLI: each room's own keys, in one line. */
const configSchema = z.strictObject({
  $schema: z.string().optional().describe("Where an editor finds the schema of this file"),
  ...sourcesConfig,
  ...credentialsConfig,
  ...gitConfig,
  ...transportConfig,
  ...fillConfig,
  ...checksumsConfig,
  ...logConfig,
  ...accessConfig,
  ...upkeepConfig,
  ...awsConfig,
});

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
  if (result.success) return result.data;
  throw new CodedError("config", `configuration key ${explain(result.error.issues[0])}`);
}

function explain(issue: z.core.$ZodIssue | undefined): string {
  const path = issue?.path.map(String) ?? [];
  if (issue?.code !== "unrecognized_keys") return `${path.join(".") || "(top level)"}: ${issue?.message ?? "is wrong"}`;
  return `${[...path, issue.keys[0]].join(".")}: unknown, expected one of ${knownKeys(path).join(", ")}`;
}

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
}

function knownKeys(path: readonly string[]): string[] {
  const below = (node: SchemaNode | undefined, key: string) => node?.properties?.[key] ?? node?.items;
  const node = path.reduce<SchemaNode | undefined>(below, configJsonSchema() as SchemaNode);
  return Object.keys(node?.properties ?? {}).filter((key) => key !== "$schema");
}

/** The JSON Schema of the configuration file, for editors. */
export function configJsonSchema(): unknown {
  return z.toJSONSchema(configSchema, { io: "input" });
}
