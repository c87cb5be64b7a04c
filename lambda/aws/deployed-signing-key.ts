import type { SigningKey } from "../access/token-store.ts";
import { keyId } from "../access/tokens.ts";
import { readTokens } from "../edge/access-settings.ts";
import { ServedError } from "../proxy/store/served-error.ts";
import { orStoreFailed } from "./aws-failure.ts";
import { type KeyValueClient, readKeyValue } from "./key-value-store.ts";

/** Reads the key that signs tokens now, which a deployment makes. Throws `ServedError` "store-failed" where there is none. */
export async function readSigningKey(client: KeyValueClient, storeArn: string): Promise<SigningKey> {
  const text = await orStoreFailed("reading the signing key", () => readKeyValue(client, storeArn, "tokens"));
  const secret = readTokens(text)?.keys[0];
  if (secret === undefined)
    throw new ServedError("store-failed", "this deployment has no signing key: deploy it again");
  return { id: keyId(secret), secret };
}
