import { z } from "zod";
import { patterns } from "../sources/config.ts";
import { parseRanges } from "./version-ranges.ts";

const versions = z
  .string()
  .refine(
    (text) => parseRanges(text) !== undefined,
    'expected comparisons with whole versions that some version can keep, such as ">=v1.2.0 <v1.4.0, v2.0.1"',
  )
  .describe("Which versions: alternatives between commas, each of comparisons that all hold; default: all");

const line = z.string().trim().min(1, "expected a line of text").max(500);

const rule = {
  modules: patterns
    .refine((value) => value.length > 0, "expected at least one pattern")
    .describe("Which modules, in GOPRIVATE syntax"),
  versions: versions.optional(),
  contact: line.optional().describe("Whom to ask about this rule"),
  mode: z.enum(["enforce", "report"]).default("enforce").describe("report: say what would be refused, refuse nothing"),
};

/** Which versions may come in: of all, or of a channel. */
export const policySchema = z.strictObject({
  deny: z
    .array(z.strictObject({ ...rule, reason: line.describe("Why, for the person at go") }))
    .default([])
    .describe("What may not come in: the first rule that fits decides"),
  allow: z
    .array(z.strictObject({ ...rule, reason: line.optional().describe("Why, for whoever reads this file") }))
    .default([])
    .describe("What may come in: where there is any, nothing else may"),
  contact: line.optional().describe("Whom to ask: the line that a refusal ends with"),
});

/** What of the configuration says which versions may come in. */
export const policyConfig = {
  policy: policySchema.prefault({}).describe("Which versions may come in"),
};
