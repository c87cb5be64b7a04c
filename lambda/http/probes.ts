import { everyone, readers } from "../edge/permit.ts";
import { probes, readMethods } from "../edge/routes.ts";
import { asServedError, ServedError } from "../proxy/store/served-error.ts";
import { failure, type HttpAnswer, type HttpResult } from "./result.ts";
import type { Route } from "./route.ts";

export const plainText = "text/plain; charset=utf-8";

/** A page of text that no cache may keep. */
export function textAnswer(text: string, contentType = plainText): HttpAnswer {
  return {
    kind: "answer",
    status: 200,
    headers: { "content-type": contentType, "cache-control": "no-store", "x-content-type-options": "nosniff" },
    body: new TextEncoder().encode(text),
  };
}

/** `/-/live`: the process answers. `/-/ready`: what every miss needs answers too; `check` throws otherwise. */
export function probeRoutes({ check }: { readonly check: () => Promise<void> }): readonly Route[] {
  return [
    {
      name: "live",
      address: probes.live,
      methods: readMethods,
      access: everyone,
      output: { contentType: plainText, about: "One line: ok." },
      handler: async () => textAnswer("ok\n"),
    },
    {
      name: "ready",
      address: probes.ready,
      methods: readMethods,
      access: everyone,
      output: { contentType: plainText, about: "One line: ready. 503 says what does not answer." },
      handler: () => answerReady(check),
    },
  ];
}

/** The answer is 503 whatever the check throws. */
async function answerReady(check: () => Promise<void>): Promise<HttpResult> {
  try {
    await check();
    return textAnswer("ready\n");
  } catch (error) {
    return failure(new ServedError("store-failed", asServedError(error).message, { cause: error }));
  }
}

/** `/` where there is no page yet: one line that says what answers. */
export const nameRoutes: readonly Route[] = [
  {
    name: "page",
    address: "/",
    methods: readMethods,
    access: readers,
    output: { contentType: plainText, about: "One line: modfront." },
    handler: async () => textAnswer("modfront\n"),
  },
];
