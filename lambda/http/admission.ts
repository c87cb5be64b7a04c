import middy from "@middy/core";
import type { RouteName } from "../edge/routes.ts";
import type { Identity } from "../edge/token.ts";
import type { HttpAnswer } from "./answers.ts";
import type { HttpHandler, HttpRequest } from "./handler.ts";

/** Returns who asks, or throws the `ServedError` that refuses them: for this route, and the module of the path. */
export type Admit = (request: HttpRequest, route: RouteName, module: string | undefined) => Promise<Identity>;

export type Handlers = Partial<Readonly<Record<RouteName, HttpHandler>>>;

/**
 * Puts the second look at who asks before every handler of a table, so that none can be added without it.
 *
 * The edge has decided before the cache; this middleware decides again behind it, and tells the handler who asks.
 */
export function withAdmission<Table extends Handlers>(handlers: Table, admit: Admit): Table {
  const gated = Object.entries(handlers).map(([route, handler]) => {
    const stack = middy<HttpRequest, HttpAnswer>()
      .use(admission(route as RouteName, admit))
      .handler((request: HttpRequest) => handler(request));
    return [route, (request: HttpRequest) => stack(request, undefined as never)];
  });
  return Object.fromEntries(gated) as Table;
}

function admission(route: RouteName, admit: Admit): middy.MiddlewareObj<HttpRequest, HttpAnswer> {
  return {
    before: async ({ event }) => {
      // The same object goes on: those who observe requests know them by it.
      Object.assign(event, { identity: await admit(event, route, event.routed.module) });
    },
  };
}
