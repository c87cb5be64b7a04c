import { z } from "zod";

/** What of the configuration is done without being asked. */
export const upkeepConfig = {
  preheat: z
    .strictObject({
      modules: z
        .array(z.string().regex(/^[^\s@]+(@[^\s@]+)?$/, "expected a module path, or path@version"))
        .default([])
        .describe("Modules to fetch before anyone asks: path for its latest version, or path@version"),
      refresh: z
        .number()
        .int()
        .min(0)
        .max(100_000)
        .default(200)
        .describe(
          "How many of the stored modules are asked for news in each run, those with the newest versions first",
        ),
      schedule: z
        .string()
        .regex(/^(rate|cron)\(.+\)$/, "expected rate(…) or cron(…)")
        .default("rate(1 hour)")
        .describe("How often, in the syntax of EventBridge Scheduler"),
    })
    .prefault({}),
};
