import middy from "@middy/core";
import type { RouteName } from "../edge/routes.ts";
import type { Identity } from "../edge/token.ts";
import { ServedError } from "../proxy/store/served-error.ts";
import { matchesTag } from "./entity-tag.ts";
import type { HttpHandler, HttpRequest } from "./handler.ts";
import { failure, type HttpAnswer, type HttpResult } from "./result.ts";

export type Handlers = Partial<Readonly<Record<RouteName, HttpHandler>>>;

/** Returns who asks, or throws the `ServedError` that refuses them. */
export type Admit<Received extends HttpRequest> = (request: Received) => Promise<Identity>;

/** What Lambda says of an invocation; what runs elsewhere says the same of itself. */
export type Invocation = middy.Request["context"];

/** Answers whatever is asked, and never rejects. */
export type Stack<Received extends HttpRequest> = (request: Received, invocation: Invocation) => Promise<HttpResult>;

/** Milliseconds before Lambda ends the function: enough to say so in our own words, and to log it. */
const lastWords = 500;

/**
 * The middy stack around the handlers of a plane, which is the same on both: what is thrown becomes a value, and a
 * conditional request its 304.
 *
 * The edge has decided before the cache who may; here it is decided again behind it, before every handler of the table,
 * so that none can be added without it. The handler is given a request that says who asks.
 */
export function createStack<Received extends HttpRequest>(handlers: Handlers, admit: Admit<Received>): Stack<Received> {
  const stack = middy<Received, HttpResult>({ timeoutEarlyInMillis: lastWords, timeoutEarlyResponse: endOfTime })
    .after((call) => {
      if (call.response?.kind === "answer") call.response = conditional(call.event, call.response);
    })
    .onError((call) => {
      call.response = failure(call.error);
    })
    .handler(async (request: Received) => {
      const identity = await admit(request);
      return await handlerOf(handlers, request.routed.route)({ ...request, identity });
    });
  return (request, invocation) => stack(request, invocation);
}

function endOfTime(): never {
  throw new ServedError("fill-timeout", "the answer takes longer than it may; try again");
}

function handlerOf(handlers: Handlers, route: RouteName): HttpHandler {
  const handler = handlers[route];
  if (handler === undefined) throw new ServedError("not-found", "this is not a path of the module proxy protocol");
  return handler;
}

function conditional(request: HttpRequest, answer: HttpAnswer): HttpAnswer {
  const condition = request.headers["if-none-match"];
  if (condition === undefined || !matchesTag(condition, answer.headers.etag)) return answer;
  return { ...answer, status: 304, body: new Uint8Array() };
}
