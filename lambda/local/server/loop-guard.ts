import { failure, type HttpResult } from "../../http/result.ts";
import { ServedError } from "../../proxy/store/served-error.ts";
import type { RequestWay } from "../../runtime/request-way.ts";
import type { ForwardedRequest } from "./server.ts";

/**
 * Refuses what this process itself has asked an upstream for: an upstream that leads back here, by however many others.
 *
 * 403, because the proxy that asked passes the text of that on, and `go` stops with it.
 */
export function guardLoops(
  way: RequestWay,
  answer: (request: ForwardedRequest) => Promise<HttpResult>,
): (request: ForwardedRequest) => Promise<HttpResult> {
  const loop = failure(
    new ServedError(
      "forbidden",
      "the upstreams of this modfront lead back to it: see upstreams, --upstream and GOPROXY",
    ),
  );
  return async (request) => {
    const { via } = request.headers;
    return way.isLoop(via) ? loop : way.follow(via, () => answer(request));
  };
}
