import { z } from "zod";
import { newVerifier } from "../../golang/note.ts";

/** Names that `GOSUMDB` takes: the one that go knows the key of, a verifier key, or off. */
function isSumdbName(name: string): boolean {
  if (name === "sum.golang.org" || name === "off") return true;
  try {
    newVerifier(name);
    return true;
  } catch {
    return false;
  }
}

/** What of the configuration names the checksum database. */
export const checksumsConfig = {
  sumdb: z
    .strictObject({
      name: z
        .string()
        .refine(isSumdbName, "expected sum.golang.org, a verifier key name+hash+key, or off")
        .default("sum.golang.org")
        .describe(
          "The checksum database: sum.golang.org, or any other as its verifier key name+hash+key; off for none",
        ),
      url: z
        .url({ protocol: /^https?$/, error: "expected an http or https URL" })
        .refine((url) => !/[?#]/.test(url), "expected a URL without query and fragment")
        .optional()
        .describe("Base URL to which /lookup/…, /tile/… and /latest are appended; default: through the upstreams"),
    })
    .prefault({}),
};
