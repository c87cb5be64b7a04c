import { operators } from "../edge/permit.ts";
import { readMethods } from "../edge/routes.ts";
import { textAnswer } from "./probes.ts";
import type { Route } from "./route.ts";

export interface MetricsText {
  readonly contentType: string;
  readonly format: () => string;
}

/** `/-/metrics`: what is counted tells what an organisation uses and how much, so it is not for every reader. */
export function metricsRoutes({ contentType, format }: MetricsText): readonly Route[] {
  return [
    {
      name: "metrics",
      address: "/-/metrics",
      methods: readMethods,
      access: operators,
      output: { contentType, about: "The counters, or where they are." },
      handler: async () => textAnswer(format(), contentType),
    },
  ];
}
