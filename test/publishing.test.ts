import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TokenClaims } from "../lambda/access/oidc/claims.ts";
import { git, hasGit } from "./support/git-repository.ts";
import { GuardedModfront, skipWithoutGoAndTls } from "./support/guarded-modfront.ts";
import { blocks, recipe } from "./support/recipes.ts";
import { ScriptedIssuer } from "./support/scripted-issuer.ts";

// docs/publishing.md: its configurations are configurations, and its script for GitLab is run.

const root = join(import.meta.dirname, "..");
const audience = "https://go.corp.example";
const skip = skipWithoutGoAndTls || (hasGit ? false : "git is not installed");

test("every configuration of docs/publishing.md is one", () => {
  const written = [...blocks("json", "publishing")].filter(([, texts]) => texts.length > 0).map(([heading]) => heading);
  assert.deepEqual(written, ["GitHub Actions", "GitLab", "Rules"]);
  for (const heading of written) assert.ok(recipe(heading, "publishing"));
});

test("the lines for GitLab publish the tag of a job, and of no other", { skip }, async () => {
  await using issuer = await ScriptedIssuer.start();
  const { oidc, private: modules } = recipe("GitLab", "publishing");
  await using modfront = await GuardedModfront.startWith({
    private: modules,
    oidc: [{ issuer: issuer.issuer, audience, rules: oidc[0]?.rules }],
  });
  const [job = ""] = blocks("yaml", "publishing").get("GitLab") ?? [];
  const [clone, install, ...lines] = [...job.matchAll(/^ {4}- (.*)$/gm)].map(([, line = ""]) => line);
  // What they bring is here already.
  assert.match(`${clone}\n${install}`, /^git clone .* \.\.\/modfront\nnpm ci --prefix \.\.\/modfront --omit=dev/);
  const folder = modfront.path("job");
  mkdirSync(folder);
  symlinkSync(root, modfront.path("modfront"));
  writeFileSync(join(folder, "go.mod"), "module corp.example/lib\n");
  git(folder, ["init", "-q"]);
  git(folder, ["add", "-A"]);
  git(folder, ["-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "-q", "-m", "x"]);
  git(folder, ["tag", "v1.2.0"]);
  const run = async (said: TokenClaims) => {
    const claims = { project_id: "42", ref_type: "tag", ref_protected: "true", ...said };
    const environment = {
      ...{ PATH: `${join(process.execPath, "..")}:${process.env.PATH}`, HOME: folder, CI_COMMIT_TAG: "v1.2.0" },
      ...{ NODE_EXTRA_CA_CERTS: modfront.certificate.cert, MODFRONT_URL: modfront.process.url },
      MODFRONT_ID_TOKEN: await issuer.token({
        claims: { ...claims, iss: issuer.issuer, aud: audience, jti: crypto.randomUUID() },
      }),
    };
    const script = ["set -eo pipefail", ...lines].join("\n");
    const { promise, resolve } = Promise.withResolvers<{ code: number | null; stdout: string; stderr: string }>();
    execFile("bash", ["-c", script], { cwd: folder, env: environment }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
    return await promise;
  };
  for (const wrong of [{ project_id: "43" }, { ref_type: "branch" }, { ref_protected: "false" }]) {
    const { code, stderr } = await run(wrong);
    assert.deepEqual([code, /no rule of this issuer fits/.test(stderr)], [1, true], stderr);
  }
  writeFileSync(join(folder, ".gitignore"), ".config\n");
  const { code, stdout, stderr } = await run({});
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^corp\.example\/lib v1\.2\.0 h1:\S+\n.*\ngo get corp\.example\/lib@v1\.2\.0\n$/);
});
