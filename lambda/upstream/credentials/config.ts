import { z } from "zod";
import { parseScope } from "./url-scope.ts";

/** A secret of the configuration, by where it is. */
export const secretConfig = z
  .union(
    [
      z.strictObject({
        env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "expected the name of an environment variable"),
      }),
      z.strictObject({ file: z.string().min(1) }),
      z.strictObject({ aws: z.string().min(1).max(512) }),
    ],
    { error: 'expected { "env": NAME }, { "file": PATH } or { "aws": SECRET_ID }' },
  )
  .describe("Where it is: an environment variable, a file, or a secret of AWS Secrets Manager");

const credential = z
  .strictObject({
    match: z
      .string()
      .refine((text) => parseScope(text) !== undefined, "expected a host or host/path, without a scheme")
      .describe("`git.corp.example`, or with a path `git.corp.example/team`; the longest that matches counts"),
    kind: z
      .enum(["basic", "bearer", "github-app"])
      .describe("`basic` for passwords and for tokens of most hosts, `bearer`, or a GitHub App"),
    secret: secretConfig,
    user: z
      .string()
      .min(1)
      .regex(/^[^:\x00-\x1f\x7f]+$/, "expected a name without colon")
      .optional()
      .describe(
        "Of `basic` the user; without it the secret is `user:password`, or a token. Of `github-app` the App's id",
      ),
    api: z
      .url({ protocol: /^https?$/, error: "expected an http or https URL" })
      .optional()
      .describe("Of `github-app`: where GitHub's API is, when the host does not say"),
  })
  .superRefine(({ kind, user, api }, context) => {
    const wrong = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    if (kind === "github-app" && user === undefined) wrong("user", "expected the id of the App");
    if (kind === "bearer" && user !== undefined) wrong("user", "expected none, for a bearer token has no user");
    if (kind !== "github-app" && api !== undefined) wrong("api", "expected none, for only a GitHub App has one");
  });

/** What of the configuration opens git hosts and upstream proxies. */
export const credentialsConfig = {
  credentials: z
    .array(credential)
    .default([])
    .describe("What is shown to git hosts and upstream proxies; the secrets themselves are elsewhere"),
};
