import { z } from "zod";
import { splitAllPatterns } from "../../golang/module-pattern.ts";

const seconds = z.number().int().min(0).max(86_400);

const count = z.number().int().min(1).max(100_000);

const rule = z.strictObject({
  modules: z
    .union([z.string(), z.array(z.string())], { error: "expected a string or an array of strings" })
    .transform((value): readonly string[] => splitAllPatterns(value))
    .describe("Patterns in GOPRIVATE syntax of the modules that it is about"),
  sequence: z
    .enum(["any", "next"])
    .default("any")
    .describe("next: a version follows one that is there without a gap, and nothing is older than what is there"),
  prerelease: z.boolean().default(true).describe("Whether pre-releases may be published"),
  requireTag: z.boolean().default(false).describe("Whether who publishes must say of which tag the version was made"),
  api: z
    .enum(["off", "report", "enforce"])
    .default("report")
    .describe("enforce: a version must come with a report that its API fits the last release of its major version"),
});

/** What of the configuration says how long an answer is fresh, what clients may cost, and how versions are published. */
export const fillConfig = {
  ttl: z
    .strictObject({
      list: seconds.default(60).describe("Seconds for which a list or latest is fresh"),
      query: seconds.default(60).describe("Seconds for which the answer to a query such as a branch name is fresh"),
      notFound: seconds.default(60).describe("Seconds for which an upstream's 404 is remembered"),
    })
    .prefault({}),
  limits: z
    .strictObject({
      fills: count.default(64).describe("How many missing things are fetched at once"),
      perClient: count.default(32).describe("How many of them for one client: a token, or an address"),
      queueSeconds: z
        .number()
        .int()
        .min(0)
        .max(3_600)
        .default(60)
        .describe("Seconds that a request waits for its turn before it is answered with 429"),
      connections: count.default(1_000).describe("How many connections are open at once"),
    })
    .prefault({}),
  publishing: z
    .strictObject({
      rules: z.array(rule).default([]).describe("How versions follow each other: the first that fits a module decides"),
    })
    .prefault({}),
  storage: z
    .strictObject({
      minFree: z
        .number()
        .int()
        .min(0)
        .optional()
        .describe("Bytes of the disk below which nothing new is fetched; default: 5 % of it, at most 1 GiB"),
    })
    .prefault({}),
};
