import { CodedError } from "../golang/coded-error.ts";
import type { CredentialRule } from "../upstream/credentials/configured-credentials.ts";

/**
 * The secrets of AWS that the credentials of the configuration are in, each once: names or ARNs.
 *
 * Throws `CodedError` "config" for any other, because a function has neither files nor an environment for secrets.
 */
export function secretsOf(credentials: readonly CredentialRule[]): readonly string[] {
  const ids = credentials.map(({ secret }, i) => {
    if ("aws" in secret) return secret.aws;
    const line = `configuration key credentials.${i}.secret: a deployment reads secrets from AWS alone, { "aws": SECRET_ID }`;
    throw new CodedError("config", line);
  });
  return [...new Set(ids)];
}
