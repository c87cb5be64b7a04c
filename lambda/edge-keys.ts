import type { CloudFormationCustomResourceEvent } from "aws-lambda";
import { packAccess } from "./access/packed-settings.ts";
import { answerCustomResource } from "./aws/custom-resource.ts";
import { parseIdentityKeys } from "./aws/identity-keys.ts";
import { openKeyValues, readSecretIn, updateKeyValues } from "./aws/key-value-store.ts";
import { readEnvironment, readSettings } from "./config/env.ts";
import { readTokens, type TokenSettings } from "./edge/access-settings.ts";

// Carries what the edge function must know into its KeyValueStore when the edge stack is deployed.

const environment = readEnvironment("edge-keys");
const settings = readSettings("edge-keys");

export async function handler(event: CloudFormationCustomResourceEvent): Promise<void> {
  const storeArn = String(event.ResourceProperties.keyValueStoreArn);
  await answerCustomResource(event, storeArn, async () => {
    const { MODFRONT_PRIMARY_REGION, MODFRONT_EDGE_SECRET } = environment;
    const [identityKey = ""] = parseIdentityKeys(await readSecretIn(MODFRONT_PRIMARY_REGION, MODFRONT_EDGE_SECRET));
    const access = packAccess({ anonymous: settings.access.anonymous ?? "none", private: settings.private.join(",") });
    await updateKeyValues(openKeyValues(), storeArn, "tokens", (present) => {
      // Signing keys and revocations are the command line's: a deployment leaves them as they are.
      const { keys, revoked } = readTokens(present) ?? { keys: [], revoked: "" };
      return { access, tokens: JSON.stringify({ keys, identityKey, revoked } satisfies TokenSettings) };
    });
  });
}
