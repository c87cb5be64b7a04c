import { z } from "zod";
import { splitAllPatterns } from "../../golang/module-pattern.ts";
import { faultOfTemplates } from "./module-templates.ts";
import { faultOfMatch } from "./public-issuers.ts";

const globs = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1)], { error: "expected a glob or an array of globs" })
  .transform((value): readonly string[] => [value].flat());

const modules = z
  .union([z.string(), z.array(z.string())], { error: "expected a string or an array of strings" })
  .transform((value): readonly string[] => splitAllPatterns(value))
  .superRefine((value, context) => {
    const message = faultOfTemplates(value);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });

/** What a rule gives to whom it fits. */
const grant = {
  role: z.enum(["viewer", "publisher", "operator", "admin"]).default("viewer").describe("Of the token"),
  modules: modules
    .default([])
    .describe("Patterns in GOPRIVATE syntax of the private modules that the token opens, @name for a tenant's"),
  minutes: z.number().int().min(1).max(10_080).default(60).describe("For how long the token is good"),
};

const issuerUrl = z
  .url({ protocol: /^https?$/, error: "expected an https URL" })
  .refine((url) => !/[?#]/.test(url) && (url.startsWith("https:") || isLoopback(new URL(url))), {
    message: "expected an https URL without query and fragment, as the tokens have it in iss",
  });

/** A provider on this machine, for tries. */
function isLoopback({ hostname }: URL): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

const issuer = z
  .strictObject({
    issuer: issuerUrl.describe("As its tokens have it in iss, to the letter"),
    audience: z.string().min(1).describe("What its tokens have in aud that are meant for this proxy"),
    clientId: z.string().min(1).optional().describe("By which modfront login lets people sign in there"),
    subject: z
      .string()
      .min(1)
      .optional()
      .describe(
        "The claim by which tokens, the audit log and admins of tenants name who signed in; see docs/exchange.md",
      ),
    rules: z
      .array(
        z.strictObject({
          match: z
            .record(z.string().min(1), globs)
            .refine((match) => Object.keys(match).length > 0, "expected at least one claim")
            .describe(
              "Globs by claim, all of which must fit; * stands for any text, a claim that is a list fits by any element",
            ),
          ...grant,
          modules: grant.modules.describe(
            "Patterns in GOPRIVATE syntax of the private modules that the token opens, @name for a tenant's; {claim} stands for what the token says",
          ),
        }),
      )
      .min(1, "expected at least one rule")
      .describe("The first that fits decides; without one nobody gets a token"),
  })
  .superRefine(({ issuer: url, rules }, context) => {
    for (const [i, { match }] of rules.entries()) {
      const message = faultOfMatch(url, match);
      if (message !== undefined) context.addIssue({ code: "custom", message, path: ["rules", i, "match"] });
    }
  });

const subject = z.strictObject({
  subject: z
    .string()
    .min(1)
    .describe('A glob over the certificate\'s subject, as RFC 2253 writes it: "CN=*.ci.corp.example,O=Corp"'),
  ...grant,
  modules: grant.modules.refine((value) => !value.some((each) => each.includes("{")), {
    message: "a certificate has no claims: {claim} is for rules of oidc",
  }),
});

/** What of the configuration says who gets a token for what their own provider, or authority, says of them. */
export const exchangeConfig = {
  oidc: z
    .array(issuer)
    .default([])
    .describe("Providers whose ID tokens are exchanged for tokens: people, CI jobs, workloads"),
  mtls: z
    .strictObject({
      rules: z.array(subject).default([]).describe("The first that fits a client's certificate decides"),
    })
    .prefault({})
    .describe("Client certificates that are exchanged for tokens; --tls-client-ca or aws.mtls says of which authority"),
};
