import { z } from "zod";
import { faultOfPatterns, splitAllPatterns } from "../golang/module-pattern.ts";

const modules = z
  .union([z.string(), z.array(z.string())], { error: "expected a string or an array of strings" })
  .transform((value) => splitAllPatterns(value))
  .superRefine((value, context) => {
    const message = value.length === 0 ? "expected at least one pattern" : faultOfPatterns(value);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });

const tenant = z.strictObject({
  modules: modules.describe("Patterns in GOPRIVATE syntax of the modules that are the tenant's, and private"),
  admins: z
    .array(z.string().min(1))
    .optional()
    .describe("Subjects of tokens that manage the tenant's tokens and credentials, where they have @name as modules"),
});

/** As part of a key of the edge's store, and readable behind an @ in a list of patterns. */
const tenantName = z
  .string()
  .regex(/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/, "expected lower-case letters, digits and -");

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
  tenants: z
    .record(tenantName, tenant)
    .default({})
    .describe("Parts of the organisation whose modules no other sees, by name; @name in patterns stands for them"),
  audit: z
    .strictObject({
      fetches: z
        .enum(["none", "private", "all"])
        .default("private")
        .describe("Whose fetches are written down beside changes: of private modules, of all, or of none"),
      days: z
        .number()
        .int()
        .min(1)
        .max(3650)
        .default(400)
        .describe("For how many days what was done is kept: changes and fetches"),
    })
    .prefault({}),
};
