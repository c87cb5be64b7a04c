import { z } from "zod";

/** A host's name, as those of other logs are: it is a part of URLs and of keys, and the whole of GOSUMDB's first word. */
const name = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/;

/** What of the configuration is for our own checksum database. */
export const logConfig = {
  log: z
    .strictObject({
      name: z
        .string()
        .max(100)
        .regex(name, "expected a name like a host's, such as sum.corp.example")
        .refine((each) => each !== "sum.golang.org", "expected a name that no other log has")
        .optional()
        .describe(
          "The name of our own checksum database, for ever: go remembers a log by it. Default: 8 hex digits of its key, and the domain",
        ),
    })
    .prefault({}),
};
