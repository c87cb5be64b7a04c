import { z } from "zod";

// What a body must be. In the bundle of the control plane alone, which answers administrators: nothing that serves
// modules brings a schema.

/** Of `POST /-/api/tokens`; what the fields may hold the making of tokens says. */
export const tokenBody = z.strictObject({
  subject: z.string().max(100),
  role: z.string().max(20).default("viewer"),
  modules: z
    .union([z.string().max(500), z.array(z.string().max(500)).max(100)], { error: "expected patterns" })
    .transform((value) => (typeof value === "string" ? value : value.join(",")))
    .optional(),
  days: z.number().default(90),
});

/** Of `POST /-/api/token-keys`. */
export const keysBody = z.strictObject({ dropOld: z.boolean().default(false) });

export type KeysBody = z.output<typeof keysBody>;

export type TokenBody = z.output<typeof tokenBody>;

/** Of `PUT /-/api/blocks/<module>[@<version>]`; what the fields may hold `AuditedRulings` says. */
export const rulingBody = z.strictObject({ reason: z.string().max(1000), until: z.string().max(40).optional() });

export type RulingBody = z.output<typeof rulingBody>;

/** Of `PUT /-/api/credentials/<match>`; what the fields may hold `checkCredential` says. */
export const credentialBody = z.strictObject({
  kind: z.string().max(20),
  user: z.string().max(300).optional(),
  secret: z.string().max(10_000),
  tenant: z.string().max(100).optional(),
});

export type CredentialBody = z.output<typeof credentialBody>;
