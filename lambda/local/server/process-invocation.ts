import type { Invocation } from "../../http/stack.ts";

/** The longest that a timer of node's can wait, in milliseconds: 24 days. */
const endless = 2 ** 31 - 1;

/** What this process says in Lambda's place: no deadline ends a request, only the time-outs of what it waits for. */
export const processInvocation: Invocation = {
  callbackWaitsForEmptyEventLoop: false,
  functionName: "local",
  functionVersion: "local",
  invokedFunctionArn: "local",
  memoryLimitInMB: "0",
  awsRequestId: "local",
  logGroupName: "local",
  logStreamName: "local",
  getRemainingTimeInMillis: () => endless,
  done: () => {},
  fail: () => {},
  succeed: () => {},
};
