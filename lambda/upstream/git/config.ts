import { z } from "zod";

const rewrite = z.strictObject({
  from: z
    .string()
    .regex(/^[\x21-\x7e]+[/:]$/, "expected the beginning of a URL, with / or : at its end")
    .describe(
      "The beginning of the URL that a module's page or path leads to: `https://` and a host, `ssh://git@` and a host",
    ),
  to: z
    .url({ protocol: /^https?$/, error: "expected an http or https URL" })
    .regex(/^[^@?#]+\/$/, "expected a URL with / at its end, without a user, a query or a fragment")
    .describe("What stands there instead: trusted, also over plain http and at a private address"),
});

/** What of the configuration is about repositories. */
export const gitConfig = {
  git: z
    .strictObject({
      rewrite: z
        .array(rewrite)
        .default([])
        .describe("Beginnings of URLs, as `url.<to>.insteadOf <from>` of git's configuration; the longest counts"),
    })
    .prefault({}),
};
