import { readFile, stat } from "node:fs/promises";
import type { CredentialRule } from "../../upstream/credentials/configured-credentials.ts";
import type { CredentialReads } from "../../upstream/credentials/credential-store.ts";
import { NetrcCredentials, netrcLimit, netrcPaths } from "../../upstream/credentials/netrc.ts";
import { type OpenCredentials, openCredentials, openSecrets } from "../../upstream/credentials/open-credentials.ts";
import type { ReadSecret } from "../../upstream/credentials/secret.ts";

/** Bytes of a file with one secret, which may be a private key. */
const secretLimit = 64 * 1024;

export interface LocalCredentialsSource {
  /** Of the configuration. */
  readonly rules: readonly CredentialRule[];
  /** What was set beside it. */
  readonly set?: CredentialReads;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** As `process.platform` has it. */
  readonly platform: string;
  /** The text of a secret in AWS Secrets Manager. */
  readonly readAwsSecret: (id: string) => Promise<string>;
  /** Milliseconds since 1970, and on a clock that does not go back. */
  readonly now: () => number;
  readonly elapsed: () => number;
  /** What the operator should know, one line each. */
  readonly warn: (line: string) => void;
}

/**
 * What this machine shows to git hosts and upstream proxies: the credentials of its configuration, and those of its netrc
 * file as `go` would. All secrets are read now, so that one that is missing stops the start: throws `CodedError` "config".
 */
export async function openLocalCredentials(source: LocalCredentialsSource): Promise<OpenCredentials> {
  const { rules, set, elapsed, now } = source;
  const secrets = openSecrets(rules, secretReader(source), elapsed);
  for (const secret of secrets) await secret.text();
  const netrc = new NetrcCredentials(netrcReader(source), elapsed);
  return openCredentials({ rules, secrets, set, behind: netrc, now });
}

/** Reads secrets of the configuration on this machine. */
export function secretReader({
  environment,
  readAwsSecret,
}: Pick<LocalCredentialsSource, "environment" | "readAwsSecret">): ReadSecret {
  return async (reference) => {
    if ("aws" in reference) return readAwsSecret(reference.aws);
    if ("file" in reference) return readBounded(reference.file, secretLimit);
    const text = environment[reference.env];
    if (text === undefined) throw new Error("the variable is not set");
    return text;
  };
}

function netrcReader({ environment, platform, warn }: LocalCredentialsSource): () => Promise<string> {
  return async () => {
    for (const path of netrcPaths(environment, platform)) {
      try {
        return await readBounded(path, netrcLimit);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") continue;
        warn("the netrc file cannot be read, so that its credentials are not used");
        return "";
      }
    }
    return "";
  };
}

async function readBounded(path: string, limit: number): Promise<string> {
  const { size } = await stat(path);
  if (size > limit) throw new Error(`more than ${limit} bytes`);
  return readFile(path, "utf8");
}
