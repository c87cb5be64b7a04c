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
      connections: count.default(1_000).describe("How many connections are open at once"),
    })
    .prefault({}),
};
