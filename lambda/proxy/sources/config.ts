import { isIP } from "node:net";
import { z } from "zod";
import { faultOfPatterns, splitAllPatterns } from "../../golang/module-pattern.ts";

/** Patterns in GOPRIVATE syntax: `"github.com/corp/*,*.corp.example"`, or the same as an array. */
export const patterns = z
  .union([z.string(), z.array(z.string())], { error: "expected a string or an array of strings" })
  .transform((value) => splitAllPatterns(value))
  // go ignores what matches nothing; here that would tell the public upstream what was meant to be private.
  .superRefine((value, context) => {
    // Which tenants there are is known where all is put together.
    const message = faultOfPatterns(value.filter((pattern) => !/^@[-a-z0-9]+$/.test(pattern)));
    if (message !== undefined) context.addIssue({ code: "custom", message });
  })
  .describe("Module path patterns in GOPRIVATE syntax, as one comma-separated string or an array; @name is a tenant's");

const upstreamRule = z
  .strictObject({
    patterns: patterns
      .refine((value) => value.length > 0, "expected at least one pattern")
      .describe("Which module paths this rule is for, in GOPRIVATE syntax; `*` is everything public"),
    chain: z.string().min(1).describe('A GOPROXY-style chain: "https://a.example,https://b.example|off"'),
  })
  .describe("The first rule whose patterns match a module path decides where it comes from");

export const upstreamRules = z.array(upstreamRule);

function isHost(text: string): boolean {
  return isIP(text) !== 0 || /^[^\s/:@?#[\]]+$/.test(text);
}

/** What of the configuration says where modules come from. */
export const sourcesConfig = {
  upstreams: upstreamRules
    .default([])
    .describe("Where modules come from; without a rule for everything public, this machine's Go decides"),
  private: patterns
    .default([])
    .describe("Module paths that no public proxy and no checksum database may learn of, in GOPRIVATE syntax"),
  allowHosts: z
    .array(z.string().refine(isHost, "expected a host name or an IP address, without scheme and port"))
    .default([])
    .describe(
      "Hosts learnt from redirects and module paths that may be reached although they resolve to private addresses",
    ),
};
