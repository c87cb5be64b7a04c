import { GetFunctionConfigurationCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { TokenStore } from "../access/token-store.ts";
import { WholeTokenStore } from "../access/whole-token-store.ts";
import { CodedError } from "../golang/coded-error.ts";
import type { Clock } from "../proxy/store/clock.ts";
import { awsErrorName } from "./aws-failure.ts";
import { openKeyValues } from "./key-value-store.ts";
import { KeyValueTokenStore } from "./key-value-token-store.ts";

/** Where lib/ puts the edge, and with it the function that knows where everything is. */
const edgeRegion = "us-east-1";

/**
 * Opens the tokens of a deployment by its name (`aws.name` of the configuration), with the AWS credentials at hand.
 *
 * Their places are in the environment of the control plane's function, `controlFunction`. Throws `CodedError`
 * "no-such-stack" where there is no such function, "tokens-unavailable" where AWS cannot be asked.
 */
export async function openDeployedTokens(
  name: string,
  controlFunction: string,
  clock: Pick<Clock, "now" | "sleep">,
): Promise<TokenStore> {
  const variables = await readPlaces(name, controlFunction);
  const { MODFRONT_EDGE_SECRET, MODFRONT_PRIMARY_REGION, MODFRONT_KEY_VALUE_STORE } = variables;
  if (!MODFRONT_EDGE_SECRET || !MODFRONT_PRIMARY_REGION || !MODFRONT_KEY_VALUE_STORE) throw noSuchStack(name);
  return new WholeTokenStore(
    new KeyValueTokenStore({
      keyValues: openKeyValues(),
      storeArn: MODFRONT_KEY_VALUE_STORE,
      secrets: new SecretsManagerClient({ region: MODFRONT_PRIMARY_REGION }),
      edgeSecret: MODFRONT_EDGE_SECRET,
      now: () => Math.floor(clock.now() / 1000),
      sleep: clock.sleep,
    }),
  );
}

/** Where everything of a deployment is, as its control function knows it. Throws as `openDeployedTokens` does. */
export async function readPlaces(
  name: string,
  controlFunction: string,
): Promise<Readonly<Record<string, string | undefined>>> {
  const client = new LambdaClient({ region: edgeRegion });
  try {
    const found = await client.send(new GetFunctionConfigurationCommand({ FunctionName: controlFunction }));
    return found.Environment?.Variables ?? {};
  } catch (cause) {
    if (awsErrorName(cause) === "ResourceNotFoundException") throw noSuchStack(name, cause);
    const message = "the deployment cannot be asked for: are there AWS credentials with the permission?";
    throw new CodedError("tokens-unavailable", message, { cause });
  }
}

function noSuchStack(name: string, cause?: unknown): CodedError {
  return new CodedError(
    "no-such-stack",
    `no deployment named ${JSON.stringify(name)} is in this account: --stack takes aws.name of its configuration`,
    { cause },
  );
}
