import { z } from "zod";

/** What of the configuration says who may. */
export const accessConfig = {
  access: z
    .strictObject({
      anonymous: z
        .enum(["none", "public", "all"])
        .optional()
        .describe("What is served without a token; default: all on loopback, none elsewhere"),
      hosts: z
        .array(z.string().regex(/^[-.\w]+$/, "expected a host name, without scheme and port"))
        .optional()
        .describe("Further names under which a server on loopback that is open to all is reached; others get 403"),
    })
    .prefault({}),
};
