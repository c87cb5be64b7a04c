import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from "aws-lambda";
import { checkCaller } from "../access/caller.ts";
import type { AccessSettings } from "../edge/access-settings.ts";
import { channelHeader, requestHeader, viaHeader, viewerHeader, waitHeader } from "../edge/cloudfront.ts";
import { identityHeader } from "../edge/identity.ts";
import { decodePath, type RoutedPath } from "../edge/routed-path.ts";
import { withoutTokens } from "../golang/shown-text.ts";
import { frame } from "../http/frame.ts";
import type { HttpRequest } from "../http/handler.ts";
import { errorOf, failure, type HttpAnswer, type HttpResult } from "../http/result.ts";
import { type Admit, createStack, type Handlers, type Stack } from "../http/stack.ts";
import { type ChannelCount, countsOf, defaultChannel } from "../proxy/channels/failure-rule.ts";
import { parsePath } from "../proxy/serve/received-path.ts";
import { explain } from "../proxy/store/explain.ts";
import { isFault } from "../proxy/store/served-error.ts";
import { cacheTag, cacheTagHeader } from "./cache-tag.ts";
import type { IdentityKeys } from "./identity-keys.ts";
import { redirected } from "./redirects.ts";
import { reportLine } from "./report-line.ts";

export interface ApiHandlerParts {
  readonly name: string;
  /** Of the routes that this function answers. */
  readonly handlers: Handlers;
  readonly identityKeys: IdentityKeys;
  readonly access: AccessSettings;
  readonly now: () => number;
  /** Told when the API received the request, before it is answered; a function answers one request at a time. */
  readonly begin: (receivedAt: number) => void;
  readonly traceId: () => string | undefined;
  /** The names of the channels: where there are any, answers are counted by them. */
  readonly channels?: readonly string[];
  /** Of the function. */
  readonly version: string;
  readonly write: (line: string) => void;
}

type ApiResult = APIGatewayProxyStructuredResultV2;

export type ApiHandler = (event: APIGatewayProxyEventV2, context: Context) => Promise<ApiResult>;

/**
 * The Lambda function behind one origin path of the API: checks that the edge let the request through, turns what the
 * handlers of lambda/http make of it into an answer of API Gateway, and writes its line.
 */
export function createApiHandler(parts: ApiHandlerParts): ApiHandler {
  const stack = createStack(parts.handlers, admitter(parts));
  return async (event, context) => {
    const started = parts.now();
    parts.begin(Math.min(event.requestContext.timeEpoch ?? started, started));
    // The first element is the origin path by which the API chose this function.
    const path = event.rawPath.slice(event.rawPath.indexOf("/", 1));
    const result = await answerTo(stack, event, path, context);
    const answer = tagged(frame(result), moduleOf(path));
    writeLine(parts, { event, path, started, result, status: answer.status });
    return toApiResult(answer);
  };
}

async function answerTo(
  stack: Stack<HttpRequest>,
  event: APIGatewayProxyEventV2,
  path: string,
  context: Context,
): Promise<HttpResult> {
  try {
    const request = readRequest(event, parsePath(path));
    return redirected(request, await stack(request, context));
  } catch (error) {
    return failure(error);
  }
}

/** Whoever comes past the edge has no header that it signed. */
function admitter({ identityKeys, access, now }: ApiHandlerParts): Admit<HttpRequest> {
  const seconds = () => Math.floor(now() / 1000);
  return ({ headers, routed }) =>
    identityKeys.use((keys) =>
      checkCaller(headers[identityHeader], routed.route, routed.module, { identityKeys: keys, access, now: seconds }),
    );
}

function readRequest(event: APIGatewayProxyEventV2, routed: RoutedPath): HttpRequest {
  const { headers, requestContext, rawQueryString: query } = event;
  const wait = Number(headers[waitHeader] ?? 0);
  const bytes = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");
  return {
    method: requestContext.http.method,
    routed,
    headers,
    query,
    // The API and Lambda have read it already, of at most 6 MB.
    body: async (limit) => (bytes.length > limit ? undefined : bytes),
    chunks: async function* () {
      yield bytes;
    },
    origin: { request: edgeRequest(event) ?? requestContext.requestId, address: addressOf(headers[viewerHeader]) },
    ...(wait > 0 && { wait }),
    ...readChannel(headers[viaHeader]),
    view: headers[channelHeader],
  };
}

/** What the edge said of a channel: who comes past it has no identity either. */
function readChannel(via = ""): Pick<HttpRequest, "channel" | "address"> {
  const [, channel, path = ""] = /^([a-z0-9-]{0,32}) (\/(?!\/).*)$/.exec(via) ?? [];
  const address = decodePath(path);
  return channel === undefined || address === undefined ? {} : { channel, address };
}

/** The address without its port: `"198.51.100.7"` of `"198.51.100.7:46532"`, and of version 6 likewise. */
function addressOf(viewer = ""): string {
  return /^\[?([\da-f.:]{2,45}?)\]?:\d{1,5}$/i.exec(viewer)?.[1] ?? "";
}

/** Whatever is kept of a module's answer is forgotten by the module's tag. */
function tagged(answer: HttpAnswer, module: string | undefined): HttpAnswer {
  if (module === undefined) return answer;
  return { ...answer, headers: { ...answer.headers, [cacheTagHeader]: cacheTag(module) } };
}

function moduleOf(path: string): string | undefined {
  try {
    return parsePath(path).module;
  } catch {
    return undefined;
  }
}

interface Answered {
  readonly event: APIGatewayProxyEventV2;
  readonly path: string;
  readonly started: number;
  readonly result: HttpResult;
  readonly status: number;
}

function writeLine(parts: ApiHandlerParts, { event, path, started, result, status }: Answered): void {
  const { http, requestId } = event.requestContext;
  const error = errorOf(result);
  const why = error && { code: error.code, error: explain(error) };
  const fields = {
    method: http.method,
    path: withoutTokens(path),
    status,
    requestId,
    request: edgeRequest(event),
    ...why,
  };
  const metrics = { Requests: 1, Milliseconds: parts.now() - started, Alarming: error?.traits.alarming ? 1 : 0 };
  const ofChannel = countedChannel(parts.channels, event, status);
  const context = { handler: parts.name, now: parts.now(), traceId: parts.traceId(), version: parts.version };
  parts.write(reportLine({ message: "request", fields, metrics, isFault: isFault(error), ofChannel }, context));
}

/** Who comes past the edge can make a channel up: only those that there are have counters. */
function countedChannel(channels: readonly string[] = [], { headers }: APIGatewayProxyEventV2, status: number) {
  const channel = readChannel(headers[viaHeader]).channel || defaultChannel;
  if (channels.length === 0 || (channel !== defaultChannel && !channels.includes(channel))) return undefined;
  const counts = countsOf(status);
  const count = (name: ChannelCount) => (counts.includes(name) ? 1 : 0);
  const [ChannelRequests, ChannelRefusals, ChannelFailures] = [count("requests"), count("refusals"), count("failures")];
  return { channel, metrics: { ChannelRequests, ChannelRefusals, ChannelFailures } };
}

/** The request's id at the edge, which CloudFront's own line of it has too; whoever comes past the edge can make one up. */
function edgeRequest({ headers }: APIGatewayProxyEventV2): string | undefined {
  const id = headers[requestHeader];
  return id !== undefined && /^[\w=-]{1,100}$/.test(id) ? id : undefined;
}

/** A stored file was made a redirect before. */
function toApiResult({ status, headers, body }: HttpAnswer): ApiResult {
  const bytes = "stored" in body ? new Uint8Array() : body;
  return {
    statusCode: status,
    headers: { ...headers },
    body: Buffer.from(bytes).toString("base64"),
    isBase64Encoded: true,
  };
}
