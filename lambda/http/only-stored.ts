import { ServedError } from "../proxy/store/served-error.ts";
import type { HttpHandler } from "./handler.ts";

/**
 * The handler of what is not stored, which refuses who wants only what is: `Cache-Control: only-if-cached` (RFC 9111,
 * 5.2.1.7), which checks of what is stored say.
 */
export function onlyStored(handler: HttpHandler): HttpHandler {
  return async (request) => {
    if (/\bonly-if-cached\b/i.test(request.headers["cache-control"] ?? ""))
      throw new ServedError("not-stored", "this is not stored here, and nothing else was asked for");
    return await handler(request);
  };
}
