import { z } from "zod";
import { isCodedError } from "../../golang/coded-error.ts";
import { checkPath } from "../../golang/module.ts";
import { policySchema } from "../policy/config.ts";
import { upstreamRules } from "../sources/config.ts";
import { parseChain } from "../sources/upstream-rules.ts";
import { defaultChannel } from "./failure-rule.ts";

/** Headers that say who asks or where they are, or that the edge sets: by none of them anything else may be chosen. */
const reserved = /^(?:authorization|proxy-authorization|cookie|host|x-modfront-.*)$/;

const header = z.strictObject({
  name: z
    .string()
    .regex(/^[\w!#$%&'*+.^`|~-]{1,100}$/, "expected the name of a header")
    .transform((name) => name.toLowerCase())
    .refine((name) => !reserved.test(name), "this header is not free to choose a channel: take one of your own"),
  value: z.string().regex(/^[\x21-\x7e]{1,100}$/, "expected 1 to 100 printable characters without a space"),
});

const prefix = z.string().superRefine((value, context) => {
  const message = faultOfPrefix(value);
  if (message !== undefined) context.addIssue({ code: "custom", message });
});

function faultOfPrefix(value: string): string | undefined {
  try {
    // A prefix like "go.dev/v1" is no module by itself, and those below it are.
    checkPath(`${value}/x`);
    return undefined;
  } catch (error) {
    if (isCodedError(error)) return `expected the beginning of a module path: ${error.message}`;
    throw error;
  }
}

const upstreams = upstreamRules.superRefine((rules, context) => {
  for (const [i, { chain }] of rules.entries()) {
    try {
      parseChain(chain);
    } catch (error) {
      if (!isCodedError(error)) throw error;
      context.addIssue({ code: "custom", message: error.message, path: [i, "chain"] });
    }
  }
});

const name = z
  .string()
  .regex(/^[a-z0-9-]{1,32}$/, "the name of a channel is 1 to 32 of a-z, 0-9 and -")
  .refine((value) => value !== defaultChannel, "what is in no channel is called default");

const channel = z
  .strictObject({
    upstreams: upstreams
      .optional()
      .describe("Rules that come before those of `upstreams`: only what they match comes from elsewhere"),
    policy: policySchema
      .optional()
      .describe("What is refused beside what `policy` refuses: what it hides and does not let in"),
    share: z
      .number()
      .gt(0)
      .max(1)
      .optional()
      .describe("Which part of the token holders is in it, always the same ones: 0.1 is a tenth"),
    header: header.optional().describe("Requests with this header and value are in it"),
    rewrite: z
      .array(z.strictObject({ from: prefix, to: prefix }))
      .max(20)
      .optional()
      .describe("Module path prefixes, and what is served in their place"),
  })
  .describe("Other lists, latest and queries: for GOPROXY=<proxy>/~<name>, a header, and a share of the token holders");

/** What of the configuration says which channels there are beside the default one. */
export const channelsConfig = {
  channels: z
    .record(name, channel)
    .default({})
    .superRefine((channels, context) => {
      const sum = Object.values(channels).reduce((all, { share = 0 }) => all + share, 0);
      // A sum of tenths is not exactly 1.
      if (sum > 1 + 1e-9) context.addIssue({ code: "custom", message: "the shares are more than 1 together" });
    })
    .describe("Gray releases: channels by name"),
};

/** The channels of a configuration, by name. */
export type Channels = z.output<typeof channelsConfig.channels>;
