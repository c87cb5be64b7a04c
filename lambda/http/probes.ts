import { errorAnswer, type HttpAnswer } from "./answers.ts";
import type { HttpHandler } from "./handler.ts";

/** A page of text that no cache may keep. */
export function textAnswer(text: string, contentType = "text/plain; charset=utf-8"): HttpAnswer {
  return {
    status: 200,
    headers: { "content-type": contentType, "cache-control": "no-store", "x-content-type-options": "nosniff" },
    body: new TextEncoder().encode(text),
  };
}

/** `/-/live`: the process answers. */
export const live: HttpHandler = async () => textAnswer("ok\n");

/** `/-/ready`: what every miss needs answers too; `check` throws the `ServedError` to show otherwise. */
export function ready(check: () => Promise<void>): HttpHandler {
  return async () => {
    try {
      await check();
      return textAnswer("ready\n");
    } catch (error) {
      return { ...errorAnswer(error), status: 503 };
    }
  };
}
