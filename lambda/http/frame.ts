import { encodePath } from "../edge/routed-path.ts";
import { errorAnswer } from "./answers.ts";
import type { HttpAnswer, HttpRedirect, HttpResult } from "./result.ts";

/** The status, headers and body with which a result goes out. */
export function frame(result: HttpResult): HttpAnswer {
  if (result.kind === "answer") return result;
  return result.kind === "error" ? errorAnswer(result.error) : redirect(result);
}

/** Within a host a path, not a URL: `go` drops the credentials of its own URL on an absolute one. */
function redirect({ to }: HttpRedirect): HttpAnswer {
  const location = "url" in to ? to.url : `${encodePath(to.path)}?wait=${to.wait}`;
  return {
    kind: "answer",
    status: 302,
    headers: { location, "cache-control": "no-store" },
    body: new Uint8Array(),
  };
}
