import { CodedError } from "../golang/coded-error.ts";
import type { CredentialRule } from "../upstream/credentials/configured-credentials.ts";

/**
 * The secrets of AWS that the credentials of the configuration are in, each once: names or ARNs.
 *
 * Throws `CodedError` "config" for any other, because a function has neither files nor an environment for secrets.
 */
export function secretsOf(credentials: readonly CredentialRule[]): readonly string[] {
  return [...new Set(credentials.map(({ secret }, i) => idOf(secret, `credentials.${i}.secret`)))];
}

/** Those of the webhooks, likewise. */
export function secretsOfWebhooks(
  webhooks: Readonly<Record<string, Pick<CredentialRule, "secret">>>,
): readonly string[] {
  return [...new Set(Object.entries(webhooks).map(([name, { secret }]) => idOf(secret, `webhooks.${name}.secret`)))];
}

function idOf(secret: CredentialRule["secret"], key: string): string {
  if ("aws" in secret) return secret.aws;
  const line = `configuration key ${key}: a deployment reads secrets from AWS alone, { "aws": SECRET_ID }`;
  throw new CodedError("config", line);
}

/** Where a secret is, when that is said by its ARN. */
export function regionOfSecret(id: string): string | undefined {
  return /^arn:[^:]*:secretsmanager:([^:]+):/.exec(id)?.[1];
}
