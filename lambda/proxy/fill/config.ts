import { z } from "zod";

const seconds = z.number().int().min(0).max(86_400);

const count = z.number().int().min(1).max(100_000);

/** What of the configuration says how long an answer is fresh, and what clients may cost. */
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
