import { ServedError } from "../proxy/store/served-error.ts";

/** The name AWS gave an error (`"NoSuchKey"`, `"ConditionalCheckFailedException"`), whichever client it came from. */
export function awsErrorName(error: unknown): string | undefined {
  return error instanceof Error ? error.name : undefined;
}

/** The HTTP status an AWS call ended with, where it ended with an answer. */
export function awsErrorStatus(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } } | undefined)?.$metadata?.httpStatusCode;
}

/** Runs `call`; whatever it throws becomes `ServedError` "store-failed", so that no text of AWS reaches a user. */
export async function orStoreFailed<Result>(what: string, call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof ServedError) throw error;
    throw new ServedError("store-failed", `${what} failed`, { cause: error });
  }
}
