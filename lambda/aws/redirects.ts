import type { HttpRequest } from "../http/handler.ts";
import { failure, type HttpResult, type StoredBody } from "../http/result.ts";
import { ServedError } from "../proxy/store/served-error.ts";

/**
 * How often a client is sent back to the same address before it is told to try later. `go` follows 9 redirects (its tenth
 * request is the last): these, and the link to the file.
 */
const longestWait = 8;

/**
 * Sends the client where the answer is or will be: a file that the fill plane stored is a redirect to its own address,
 * because S3 has it now; so is one whose fill takes longer than the API waits. Everything else stays as it is.
 */
export function redirected(request: HttpRequest, result: HttpResult): HttpResult {
  if (result.kind === "answer" && "stored" in result.body) return toStored(request, result.body);
  if (result.kind === "error" && result.error.code === "fill-timeout") return comeBack(request, result.error);
  return result;
}

/** Asked a second time, the bucket behind the edge lags or refuses: then straight to the file, so that it cannot loop. */
function toStored(request: HttpRequest, { links }: StoredBody): HttpResult {
  if (request.wait === undefined || links === undefined) return comeBack(request);
  return { kind: "redirect", to: { url: links[request.method === "HEAD" ? "HEAD" : "GET"] } };
}

function comeBack({ routed, address = routed.path, wait: before = 0 }: HttpRequest, error?: ServedError): HttpResult {
  const wait = before + 1;
  if (wait <= longestWait) return { kind: "redirect", to: { path: address, wait }, ...(error && { error }) };
  const message = "the fetch of this version takes too long; try again";
  return failure(new ServedError("fill-timeout", message, { cause: error }));
}
