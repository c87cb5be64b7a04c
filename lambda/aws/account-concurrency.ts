import { GetAccountSettingsCommand, LambdaClient } from "@aws-sdk/client-lambda";

/** How many invocations of all functions of the account may run at once in a region: 10 in a new account, 1,000 in others. */
export async function readConcurrencyLimit(region: string): Promise<number> {
  const { AccountLimit } = await new LambdaClient({ region }).send(new GetAccountSettingsCommand({}));
  return AccountLimit?.ConcurrentExecutions ?? 0;
}
