import { CodedError } from "../golang/coded-error.ts";
import type { CredentialRule } from "../upstream/credentials/configured-credentials.ts";
import type { CredentialReads } from "../upstream/credentials/credential-store.ts";
import { type OpenCredentials, openCredentials, openSecrets } from "../upstream/credentials/open-credentials.ts";
import { type ReadSecret, Secret } from "../upstream/credentials/secret.ts";
import { parseScope } from "../upstream/credentials/url-scope.ts";
import { openSecret } from "./open-secret.ts";
import { regionOfSecret } from "./secret-ids.ts";

export interface DeployedCredentialsSource {
  /** Of the configuration; their secrets are read when they are needed. */
  readonly rules: readonly CredentialRule[];
  /** Of the deployment's own secret: `user:password` by host, with its port where it has one. */
  readonly byHost: Readonly<Record<string, string>>;
  /** Those that were set. */
  readonly set?: CredentialReads;
  /** Reads that secret again. */
  readonly readByHost: () => Promise<Readonly<Record<string, string>>>;
  /** Milliseconds since 1970, and on a clock that does not go back. */
  readonly now: () => number;
  readonly elapsed: () => number;
  /** The text of a secret in AWS Secrets Manager; for tests. */
  readonly readAwsSecret?: (id: string) => Promise<string>;
}

export interface DeployedCredentials {
  /** The rules of the configuration, and behind those of the same length one for each host of the deployment's own secret. */
  readonly rules: readonly CredentialRule[];
  readonly open: OpenCredentials;
}

/** What a deployment shows to git hosts and upstream proxies. */
export function openDeployedCredentials(source: DeployedCredentialsSource): DeployedCredentials {
  const { rules, byHost, set, readByHost, now, elapsed, readAwsSecret = readSecretOfAws } = source;
  const read: ReadSecret = async (reference) => {
    if ("aws" in reference) return readAwsSecret(reference.aws);
    throw new CodedError("config", "a function reads secrets from AWS Secrets Manager alone");
  };
  const hosts = Object.keys(byHost).filter((host) => parseScope(host)?.elements.length === 0);
  const ofHosts = hosts.map((match) => ({ match, kind: "basic", secret: own }) as const);
  const secretsOfHosts = hosts.map((host) => {
    let pairs: Readonly<Record<string, string>> | undefined = byHost;
    const readPair = async () => {
      const known = pairs ?? (await readByHost());
      pairs = undefined;
      const pair = known[host] ?? "";
      // Without a colon it is a password of nobody.
      return pair === "" || pair.includes(":") ? pair : `:${pair}`;
    };
    return new Secret("credentials", own, readPair, elapsed);
  });
  const all = [...rules, ...ofHosts];
  const secrets = [...openSecrets(rules, read, elapsed), ...secretsOfHosts];
  return { rules: all, open: openCredentials({ rules: all, secrets, set, now }) };
}

const own = { aws: "upstream-credentials" } as const;

/** The text of a secret by its name, in this region, or by its ARN, where that says. */
function readSecretOfAws(id: string): Promise<string> {
  return openSecret(id, regionOfSecret(id));
}
