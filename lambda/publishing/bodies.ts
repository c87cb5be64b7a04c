import { z } from "zod";

const report = {
  tag: z.string().min(1).max(300).optional(),
  commit: z
    .string()
    .regex(/^[0-9a-f]{40,64}$/, "expected a commit")
    .optional(),
  api: z.enum(["compatible", "incompatible", "unknown"]).optional(),
  base: z.string().max(300).optional(),
};

/** What the query of a publication says: of what the version was made, and how its API compares with that of `base`. */
export const reportQuery = z.strictObject({ ...report, upload: z.string().max(200).optional() });

/** Of `POST /-/publish/…`: for a place the size of the zip in bytes, and its hash; to commit what lies there nothing. */
export const placeBody = z.strictObject({
  ...report,
  size: z.number().int().min(1).optional(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "expected a SHA-256 in hex")
    .optional(),
});

export type PlaceBody = z.output<typeof placeBody>;

/** Of `PUT /-/api/yanks/…`. */
export const yankBody = z.strictObject({ reason: z.string().min(1).max(300) });

export type YankBody = z.output<typeof yankBody>;
