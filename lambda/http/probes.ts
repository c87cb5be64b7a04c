import { asServedError, ServedError } from "../proxy/store/served-error.ts";
import type { HttpHandler } from "./handler.ts";
import { failure, type HttpAnswer } from "./result.ts";

/** A page of text that no cache may keep. */
export function textAnswer(text: string, contentType = "text/plain; charset=utf-8"): HttpAnswer {
  return {
    kind: "answer",
    status: 200,
    headers: { "content-type": contentType, "cache-control": "no-store", "x-content-type-options": "nosniff" },
    body: new TextEncoder().encode(text),
  };
}

/** `/-/live`: the process answers. */
export const live: HttpHandler = async () => textAnswer("ok\n");

/** `/-/ready`: what every miss needs answers too; `check` throws otherwise, and the answer is 503 whatever it throws. */
export function ready(check: () => Promise<void>): HttpHandler {
  return async () => {
    try {
      await check();
      return textAnswer("ready\n");
    } catch (error) {
      return failure(new ServedError("store-failed", asServedError(error).message, { cause: error }));
    }
  };
}
