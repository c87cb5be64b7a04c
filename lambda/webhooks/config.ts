import { z } from "zod";
import { checkPath } from "../golang/module.ts";
import { secretConfig } from "../upstream/credentials/config.ts";

const modulePath = z.string().refine(isModulePath, "expected a module path");

const repositories = z
  .record(
    z.string().regex(/^[^\s/]+(\/[^\s/]+)+$/, "expected a repository as the host names it: owner/name"),
    z
      .union([modulePath, z.array(modulePath).min(1).max(500)], { error: "expected a module path or an array of them" })
      .transform((value): readonly string[] => (typeof value === "string" ? [value] : value)),
  )
  .superRefine((value, context) => {
    const names = Object.keys(value).map((name) => name.toLowerCase());
    const twice = names.find((name, i) => names.indexOf(name) < i);
    if (twice !== undefined) context.addIssue({ code: "custom", message: `${twice} is there twice` });
  });

/** What of the configuration says which hosts tell when repositories change, and how often those are looked at all the same. */
export const webhooksConfig = {
  webhooks: z
    .record(
      z.string().regex(/^[a-z0-9-]{1,64}$/, "the name of a webhook is 1 to 64 of a-z, 0-9 and -"),
      z.strictObject({
        kind: z.enum(["github", "gitlab", "gitea", "forgejo", "bitbucket"]).describe("Which host sends it"),
        repositories: repositories.describe("The modules of each repository: one path, or an array of them"),
        secret: secretConfig,
      }),
    )
    .default({})
    .describe("Hosts that tell when a repository changes, by the name in POST /-/webhook/<name>"),
  sweep: z
    .strictObject({
      minutes: z
        .number()
        .int()
        .min(0)
        .max(1440)
        .default(15)
        .describe("How often the repositories of webhooks are looked at without being told; 0 is never"),
    })
    .prefault({}),
};

/** The webhooks of a configuration, by name. */
export type Webhooks = z.output<typeof webhooksConfig.webhooks>;

function isModulePath(text: string): boolean {
  try {
    checkPath(text);
    return true;
  } catch {
    return false;
  }
}
