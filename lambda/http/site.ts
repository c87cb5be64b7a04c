import type { AccessSettings } from "../edge/access-settings.ts";
import { denial } from "../edge/permit.ts";
import { type EdgeAnswer, onlyRead, refuse, refuseRole } from "../edge/refusals.ts";
import { nowhere } from "../edge/routed-path.ts";
import { matchAddress, type Parameters } from "./address.ts";
import type { AdmittedRequest, HttpHandler, HttpRequest } from "./handler.ts";
import { readInput } from "./input.ts";
import { asProblem } from "./problem.ts";
import type { HttpAnswer, HttpResult } from "./result.ts";
import type { Route } from "./route.ts";

/** A row that answers a request, and what the path says to it. */
interface FoundRoute {
  readonly route: Route;
  readonly parameters: Parameters;
}

/** Told of each request for a row that was refused for who asked, before it is answered. */
export type Refused = (request: AdmittedRequest, route: Route) => void | Promise<void>;

/**
 * The handler of everything under `/-/`, and of `/`: finds the row, decides whether who asks may, and has it answer.
 *
 * Who asks was found at the edge; that a role may is decided only here. So no cache may keep what a row that is not for
 * everyone answers.
 */
export function siteHandler(rows: readonly Route[], access: AccessSettings, refused?: Refused): HttpHandler {
  const find = routeFinder(rows);
  return async (request) => {
    const found = find(request);
    if ("kind" in found) return asProblem(request, toHttpAnswer(found));
    const { route, parameters } = found;
    const asked = { ...request, parameters };
    const result = await answerOf(asked, route, access);
    if (isRefusal(result, route)) await refused?.(asked, route);
    return result;
  };
}

async function answerOf(request: AdmittedRequest, route: Route, access: AccessSettings): Promise<HttpResult> {
  const { identity, parameters } = request;
  const why = denial(route.access, access, identity, parameters?.module);
  if (why !== undefined) return asProblem(request, toHttpAnswer(refuseRole(why, identity)));
  const input = route.input && (await readInput(request, route.input));
  if (input?.kind === "answer") return asProblem(request, input);
  const result = await route.handler({ ...request, input: input?.value });
  return result.kind === "answer" ? { ...asProblem(request, result), route: route.name } : result;
}

/** A row that is for everyone refuses for reasons of its own, as the exchange of tokens does. */
function isRefusal(result: HttpResult, { access }: Route): boolean {
  return access.anonymous !== "yes" && result.kind === "answer" && (result.status === 401 || result.status === 403);
}

/** Returns what finds the row of a request: 404 where no address fits, 405 where one does but with other methods. */
export function routeFinder(rows: readonly Route[]): (request: HttpRequest) => FoundRoute | EdgeAnswer {
  const matchers = rows.map((route) => ({ route, match: matchAddress(route.address) }));
  return ({ method, routed }) => {
    const methods: string[] = [];
    for (const { route, match } of matchers) {
      const parameters = match(routed.path);
      if (parameters === undefined) continue;
      if (route.methods.includes(method)) return { route, parameters };
      methods.push(...route.methods);
    }
    if (methods.length === 0) return refuse(nowhere.status, nowhere.reason);
    const line = methods.every(isReading) ? onlyRead : "this address has other methods";
    return refuse(405, line, "allow", methods.join(", "));
  };
}

function isReading(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

/** The answer of the edge's making as one behind it. */
export function toHttpAnswer({ status, headers, body }: EdgeAnswer): HttpAnswer {
  return { kind: "answer", status, headers, body: new TextEncoder().encode(body) };
}
