import { GetFunctionConfigurationCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { CodedError } from "../golang/coded-error.ts";
import { awsErrorName } from "./aws-failure.ts";

/** Where lib/ puts the edge, and with it the function that knows where everything is. */
export const edgeRegion = "us-east-1";

/**
 * The environment of a function of the deployment called `name`: where what it works with is.
 *
 * Throws `CodedError` "no-such-stack" where there is no such function, "stack-unavailable" where AWS cannot be asked.
 */
export async function readPlaces(
  name: string,
  functionName: string,
  region = edgeRegion,
): Promise<Readonly<Record<string, string | undefined>>> {
  const client = new LambdaClient({ region });
  try {
    const found = await client.send(new GetFunctionConfigurationCommand({ FunctionName: functionName }));
    return found.Environment?.Variables ?? {};
  } catch (cause) {
    if (awsErrorName(cause) === "ResourceNotFoundException") throw noSuchStack(name, cause);
    const message = "the deployment cannot be asked for: are there AWS credentials with the permission?";
    throw new CodedError("stack-unavailable", message, { cause });
  }
}

export function noSuchStack(name: string, cause?: unknown): CodedError {
  return new CodedError(
    "no-such-stack",
    `no deployment named ${JSON.stringify(name)} is in this account: --stack takes aws.name of its configuration`,
    { cause },
  );
}
