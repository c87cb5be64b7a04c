import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { checkCaller } from "../access/caller.ts";
import type { AccessSettings } from "../edge/access-settings.ts";
import { waitHeader } from "../edge/cloudfront.ts";
import { identityHeader } from "../edge/identity.ts";
import { encodePath, type RoutedPath } from "../edge/routed-path.ts";
import { isCodedError } from "../golang/coded-error.ts";
import { type Admit, type Handlers, withAdmission } from "../http/admission.ts";
import { errorAnswer, type HttpAnswer, type StoredBody } from "../http/answers.ts";
import type { HttpHandler, HttpRequest } from "../http/handler.ts";
import { parsePath } from "../proxy/serve/received-path.ts";
import { ServedError } from "../proxy/store/served-error.ts";
import type { IdentityKeys } from "./identity-keys.ts";
import { explain, isAlarming, logLine } from "./log-line.ts";

export interface ApiHandlerParts {
  readonly name: string;
  /** The routes that this function answers. */
  readonly handlers: Handlers;
  /** What the handlers' `observe` was told, by request. */
  readonly failures: WeakMap<HttpRequest, unknown>;
  readonly identityKeys: IdentityKeys;
  readonly access: AccessSettings;
  readonly now: () => number;
  /** Told when the API received the request, before it is answered; a function answers one request at a time. */
  readonly begin: (receivedAt: number) => void;
  readonly traceId: () => string | undefined;
  readonly write: (line: string) => void;
}

type Result = APIGatewayProxyStructuredResultV2;

/** How often a client is sent back to the same address before it is told to try later. `go` follows 10 redirects. */
const longestWait = 8;

/**
 * The Lambda function behind one origin path of the API: checks that the edge let the request through, and turns the
 * answers of lambda/http into those of API Gateway.
 *
 * A file that the fill plane stored is a redirect to its own address, because S3 has it now; so is one whose fill takes
 * longer than the API waits.
 */
export function createApiHandler(parts: ApiHandlerParts): (event: APIGatewayProxyEventV2) => Promise<Result> {
  const handlers = withAdmission(parts.handlers, admitter(parts));
  return async (event) => {
    const started = parts.now();
    parts.begin(Math.min(event.requestContext.timeEpoch ?? started, started));
    const { answer, path, error } = await answerTo(parts, handlers, event);
    const code = isCodedError(error) ? error.code : error === undefined ? undefined : "internal";
    const fields = {
      method: event.requestContext.http.method,
      path,
      status: answer.statusCode,
      requestId: event.requestContext.requestId,
      code,
      error: error === undefined ? undefined : explain(error),
    };
    const metrics = { Requests: 1, Milliseconds: parts.now() - started, Alarming: isAlarming(code) ? 1 : 0 };
    const context = { handler: parts.name, now: parts.now(), traceId: parts.traceId() };
    parts.write(logLine({ message: "request", fields, metrics }, context));
    return answer;
  };
}

interface Answered {
  readonly answer: Result;
  readonly path: string;
  readonly error: unknown;
}

async function answerTo(parts: ApiHandlerParts, handlers: Handlers, event: APIGatewayProxyEventV2): Promise<Answered> {
  // The first element is the origin path by which the API chose this function.
  const path = event.rawPath.slice(event.rawPath.indexOf("/", 1));
  try {
    const request = readRequest(event, parsePath(path));
    const handler = find(handlers, request.routed);
    const answer = await handler(request);
    const error = parts.failures.get(request);
    if (isCodedError(error, "fill-timeout")) return { answer: comeBack(request), path, error };
    return { answer: "stored" in answer.body ? toStored(request, answer.body) : toResult(answer), path, error };
  } catch (error) {
    return { answer: toResult(errorAnswer(error)), path, error };
  }
}

/** Whoever comes past the edge has no header that it signed. */
function admitter({ identityKeys, access, now }: ApiHandlerParts): Admit {
  const seconds = () => Math.floor(now() / 1000);
  return ({ headers }, route, module) =>
    identityKeys.use((keys) =>
      checkCaller(headers[identityHeader], route, module, { identityKeys: keys, access, now: seconds }),
    );
}

function find(handlers: Handlers, { route }: RoutedPath): HttpHandler {
  const handler = handlers[route];
  if (handler === undefined) throw new ServedError("not-found", "this is not a path of the module proxy protocol");
  return handler;
}

function readRequest(event: APIGatewayProxyEventV2, routed: RoutedPath): HttpRequest {
  const wait = Number(event.headers[waitHeader] ?? 0);
  return {
    method: event.requestContext.http.method === "HEAD" ? "HEAD" : "GET",
    routed,
    headers: event.headers,
    ...(wait > 0 && { wait }),
  };
}

/** Asked a second time, the bucket behind the edge lags or refuses: then straight to the file, so that it cannot loop. */
function toStored(request: HttpRequest, body: StoredBody): Result {
  const url = "url" in body && typeof body.url === "string" ? body.url : undefined;
  return request.wait === undefined || url === undefined ? comeBack(request) : redirect(url);
}

function comeBack(request: HttpRequest): Result {
  const wait = (request.wait ?? 0) + 1;
  if (wait <= longestWait) return redirect(`${encodePath(request.routed.path)}?wait=${wait}`);
  return toResult(errorAnswer(new ServedError("fill-timeout", "the fetch of this version takes too long; try again")));
}

/** Within a host a path, not a URL: `go` drops the credentials of its own URL on an absolute one. */
function redirect(location: string): Result {
  return { statusCode: 302, headers: { location, "cache-control": "no-store" } };
}

function toResult(answer: HttpAnswer): Result {
  const bytes = "stored" in answer.body ? new Uint8Array() : answer.body;
  return {
    statusCode: answer.status,
    headers: { ...answer.headers },
    body: Buffer.from(bytes).toString("base64"),
    isBase64Encoded: true,
  };
}
