import { anonymous, type Identity } from "../../lambda/edge/token.ts";
import { frame } from "../../lambda/http/frame.ts";
import type { HttpHandler, HttpRequest } from "../../lambda/http/handler.ts";
import type { HttpAnswer, HttpResult } from "../../lambda/http/result.ts";
import { createStack, type Invocation } from "../../lambda/http/stack.ts";

/** An invocation as Lambda describes it, with `remaining` milliseconds to go. */
export function invocationOf(remaining = 29_000): Invocation {
  const texts = { functionVersion: "1", invokedFunctionArn: "arn", memoryLimitInMB: "512", awsRequestId: "r1" };
  const log = { logGroupName: "g", logStreamName: "s", functionName: "f", callbackWaitsForEmptyEventLoop: true };
  const getRemainingTimeInMillis = () => remaining;
  return { ...texts, ...log, getRemainingTimeInMillis, done: () => {}, fail: () => {}, succeed: () => {} };
}

/** What becomes of a request to one handler that lets everybody in, as a value and framed. */
export async function throughStack(
  handler: HttpHandler,
  request: HttpRequest,
  identity: Identity = anonymous,
): Promise<{ readonly result: HttpResult; readonly answer: HttpAnswer }> {
  const stack = createStack({ [request.routed.route]: handler }, async () => identity);
  const result = await stack(request, invocationOf());
  return { result, answer: frame(result) };
}
