import assert from "node:assert/strict";
import { type CliRun, runCli } from "./cli.ts";
import type { Site } from "./site.ts";

export interface WantedToken {
  readonly modules: string;
  readonly subject?: string;
  readonly role?: string;
}

/** The real CLI with AWS credentials, on what is deployed. Only a name can have an account's number put before it. */
export function stackCli({ aws, deployment }: Site, ...args: readonly string[]): Promise<CliRun> {
  const environment = {
    ...aws.env,
    MODFRONT_CONFIG: deployment.configFile,
    AWS_ENDPOINT_URL: aws.endpoint.replace("127.0.0.1", "localhost"),
    NODE_OPTIONS: `--import=${new URL("./localhost-names.ts", import.meta.url)}`,
  };
  return runCli([...args, "--stack", "modfront"], { environment });
}

/** A token made by that CLI, for a day. */
export async function stackToken(
  site: Site,
  { modules, subject = "gopher", role = "viewer" }: WantedToken,
): Promise<string> {
  const wanted = ["--subject", subject, "--role", role, "--modules", modules, "--days", "1"];
  const made = await stackCli(site, "token", "create", ...wanted);
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stdout, /^mf_[\w-]+\.[\w-]{43}\n$/);
  return made.stdout.trim();
}
