import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { readSecret } from "./identity-keys.ts";

/** The text of a secret, of this region unless another one is named. */
export function openSecret(name: string, region?: string): Promise<string> {
  return readSecret(new SecretsManagerClient(region === undefined ? {} : { region }), name);
}
