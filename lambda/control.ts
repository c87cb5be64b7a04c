import type { CloudFormationCustomResourceEvent } from "aws-lambda";
import { packDeployment } from "./access/packed-settings.ts";
import { answerCustomResource } from "./aws/custom-resource.ts";
import { parseIdentityKeys } from "./aws/identity-keys.ts";
import { openKeyValues, updateKeyValues } from "./aws/key-value-store.ts";
import { openSecret } from "./aws/open-secret.ts";
import { readEnvironment, readSettings } from "./config/env.ts";

// The control plane: writes what the edge must know, never modules. It is called by CloudFormation, when the edge stack
// is deployed.

const environment = readEnvironment("control");
const settings = readSettings("control");

export async function handler(event: CloudFormationCustomResourceEvent): Promise<void> {
  const { MODFRONT_PRIMARY_REGION, MODFRONT_EDGE_SECRET, MODFRONT_KEY_VALUE_STORE } = environment;
  const access = { anonymous: settings.access.anonymous ?? "none", private: settings.private.join(",") };
  await answerCustomResource(event, MODFRONT_KEY_VALUE_STORE, async () => {
    const [identityKey = ""] = parseIdentityKeys(await openSecret(MODFRONT_EDGE_SECRET, MODFRONT_PRIMARY_REGION));
    await updateKeyValues(openKeyValues(), MODFRONT_KEY_VALUE_STORE, "tokens", (present) =>
      packDeployment(present, access, identityKey),
    );
    return undefined;
  });
}
