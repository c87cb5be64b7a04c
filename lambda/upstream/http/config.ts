import { z } from "zod";

const seconds = z.number().int().min(1).max(3_600);

/** What of the configuration says how upstreams are reached. */
export const transportConfig = {
  proxy: z
    .strictObject({
      url: z
        .url({ protocol: /^https?$/, error: "expected an http or https URL" })
        .describe("The forward proxy by which upstreams are reached, with user and password where it wants them"),
      noProxy: z.string().optional().describe("Hosts that are reached straight, as NO_PROXY has them"),
    })
    .optional()
    .describe("Default: HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the environment, as go reads them"),
  timeouts: z
    .strictObject({
      connect: seconds.default(30).describe("Seconds until a connection to an upstream stands, TLS included"),
      firstByte: seconds.default(120).describe("Seconds until an upstream begins to answer: some clone on demand"),
      idle: seconds.default(60).describe("Seconds without a byte in the middle of an answer"),
      total: seconds.default(900).describe("Seconds for one file, from all upstreams and with all tries"),
    })
    .prefault({}),
};
