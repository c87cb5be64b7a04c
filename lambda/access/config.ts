import { z } from "zod";

/** What of the configuration says who may. */
export const accessConfig = {
  access: z
    .strictObject({
      anonymous: z
        .enum(["none", "public", "all"])
        .optional()
        .describe("What is served without a token; default: all on loopback, none elsewhere"),
    })
    .prefault({}),
};
