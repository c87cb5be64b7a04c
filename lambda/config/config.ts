import { isIP } from "node:net";
import { z } from "zod";
import { CodedError } from "../golang/coded-error.ts";
import { newVerifier } from "../golang/note.ts";
import { matchPath } from "../golang/path-match.ts";

/** Patterns in GOPRIVATE syntax: `"github.com/corp/*,*.corp.example"`, or the same as an array. */
const patterns = z
  .union([z.string(), z.array(z.string())], { error: "expected a string or an array of strings" })
  .transform((value) => (typeof value === "string" ? value.split(",") : value))
  .transform((value) => value.map((pattern) => pattern.trim()).filter((pattern) => pattern !== ""))
  // go ignores a malformed pattern; here that would tell the public upstream what was meant to be private.
  .refine(
    (value) => value.every((pattern) => !matchPath(pattern, "").malformed),
    "expected patterns in GOPRIVATE syntax",
  )
  .describe("Module path patterns in GOPRIVATE syntax, as one comma-separated string or an array");

const seconds = z.number().int().min(0).max(86_400);

const upstreamRule = z
  .strictObject({
    patterns: patterns
      .refine((value) => value.length > 0, "expected at least one pattern")
      .describe("Which module paths this rule is for, in GOPRIVATE syntax; `*` is everything public"),
    chain: z.string().min(1).describe('A GOPROXY-style chain: "https://a.example,https://b.example|off"'),
  })
  .describe("The first rule whose patterns match a module path decides where it comes from");

const ttl = z
  .strictObject({
    list: seconds.default(60).describe("Seconds for which a list or latest is fresh"),
    query: seconds.default(60).describe("Seconds for which the answer to a query such as a branch name is fresh"),
    notFound: seconds.default(60).describe("Seconds for which an upstream's 404 is remembered"),
  })
  .prefault({});

/** Names that `GOSUMDB` takes: the one that go knows the key of, a verifier key, or off. */
function isSumdbName(name: string): boolean {
  if (name === "sum.golang.org" || name === "off") return true;
  try {
    newVerifier(name);
    return true;
  } catch {
    return false;
  }
}

const sumdb = z
  .strictObject({
    name: z
      .string()
      .refine(isSumdbName, "expected sum.golang.org, a verifier key name+hash+key, or off")
      .default("sum.golang.org")
      .describe("The checksum database: sum.golang.org, or any other as its verifier key name+hash+key; off for none"),
    url: z
      .url({ protocol: /^https?$/, error: "expected an http or https URL" })
      .refine((url) => !/[?#]/.test(url), "expected a URL without query and fragment")
      .optional()
      .describe("Base URL to which /lookup/…, /tile/… and /latest are appended; default: through the upstreams"),
  })
  .prefault({});

const access = z
  .strictObject({
    anonymous: z
      .enum(["none", "public", "all"])
      .optional()
      .describe("What is served without a token; default: all on loopback, none elsewhere"),
  })
  .prefault({});

const preheat = z
  .strictObject({
    modules: z
      .array(z.string().regex(/^[^\s@]+(@[^\s@]+)?$/, "expected a module path, or path@version"))
      .default([])
      .describe("Modules to fetch before anyone asks: path for its latest version, or path@version"),
    schedule: z
      .string()
      .regex(/^(rate|cron)\(.+\)$/, "expected rate(…) or cron(…)")
      .default("rate(1 hour)")
      .describe("How often, in the syntax of EventBridge Scheduler"),
  })
  .prefault({});

const aws = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z][a-z0-9-]{1,18}[a-z0-9]$/, "expected 3 to 20 of a-z, 0-9 and -")
      .default("modfront")
      .describe("Begins every physical name, so that two deployments can share an account"),
    regions: z
      .array(z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, "expected the name of an AWS region"))
      .length(1, "expected one region")
      .default(["us-east-1"])
      .describe("Where to deploy; the first is the primary"),
    existing: z
      .boolean()
      .default(false)
      .describe("True when bucket, table and keys are there from an earlier deployment: they are used, not made"),
    backgroundConcurrency: z
      .number()
      .int()
      .min(2)
      .max(1000)
      .default(5)
      .describe("How many fills may run in the background at once"),
    domain: z
      .strictObject({
        name: z.string().min(1).describe("For example goproxy.corp.example"),
        certificateArn: z.string().startsWith("arn:").optional().describe("In us-east-1; made when it is left out"),
        hostedZone: z
          .strictObject({ id: z.string().min(1), name: z.string().min(1) })
          .optional()
          .describe("The Route 53 zone in which the name, and a certificate that is made, are entered"),
      })
      .refine((domain) => domain.certificateArn !== undefined || domain.hostedZone !== undefined, {
        message: "expected certificateArn or hostedZone",
      })
      .optional(),
    firewall: z.boolean().default(false).describe("Put AWS WAF with a rate limit in front; it costs per request"),
  })
  .prefault({});

function isHost(text: string): boolean {
  return isIP(text) !== 0 || /^[^\s/:@?#[\]]+$/.test(text);
}

/** The one configuration file, read by the CDK app, the local server and the CLI. */
const configSchema = z.strictObject({
  $schema: z.string().optional().describe("Where an editor finds the schema of this file"),
  upstreams: z
    .array(upstreamRule)
    .default([])
    .describe("Where modules come from; without a rule for everything public, this machine's Go decides"),
  private: patterns
    .default([])
    .describe("Module paths that no public proxy and no checksum database may learn of, in GOPRIVATE syntax"),
  allowHosts: z
    .array(z.string().refine(isHost, "expected a host name or an IP address, without scheme and port"))
    .default([])
    .describe("Hosts learnt from redirects that may be reached although they resolve to private addresses"),
  ttl,
  sumdb,
  access,
  preheat,
  aws,
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
