import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TokenClaims } from "../lambda/access/oidc/claims.ts";
import { grantByClaims } from "../lambda/access/oidc/grants.ts";
import type { Certificate } from "./support/certificate.ts";
import { CertificateAuthority } from "./support/certificate-authority.ts";
import { pathWithModfront, runCli } from "./support/cli.ts";
import { makeDataFolder } from "./support/data-folder.ts";
import { GuardedModfront, skipWithoutGoAndTls as skip } from "./support/guarded-modfront.ts";
import { blocks, recipe } from "./support/recipes.ts";
import { ScriptedIssuer } from "./support/scripted-issuer.ts";

// docs/sso.md: its configurations are configurations and let in whom it says, and its scripts are run.

const audience = "https://go.corp.example";

/** What each provider's ID tokens say, as it documents them, of somebody who may and of somebody who almost may. */
const claims: Readonly<Record<string, { readonly yes: TokenClaims; readonly no: TokenClaims }>> = {
  "GitHub Actions": {
    yes: {
      iss: "https://token.actions.githubusercontent.com",
      aud: audience,
      sub: "repo:corp/app:ref:refs/heads/main",
      repository: "corp/app",
      repository_id: "74",
      repository_owner: "corp",
      repository_owner_id: "1234567",
      ref: "refs/heads/main",
      ref_type: "branch",
      event_name: "push",
      job_workflow_ref: "corp/app/.github/workflows/build.yml@refs/heads/main",
      runner_environment: "github-hosted",
    },
    no: { repository_owner_id: "1234567", event_name: "pull_request" },
  },
  GitLab: {
    yes: {
      iss: "https://gitlab.com",
      aud: audience,
      sub: "project_path:corp/team/app:ref_type:branch:ref:main",
      namespace_path: "corp/team",
      project_path: "corp/team/app",
      ref: "main",
      ref_type: "branch",
      ref_protected: "true",
    },
    no: { namespace_path: "corporation", ref_protected: "true" },
  },
  "AWS workloads": {
    yes: {
      iss: "https://0a1b2c3d-0000-4000-8000-123456789012.tokens.sts.global.api.aws",
      aud: audience,
      sub: "arn:aws:iam::123456789012:role/build-go",
      "https://sts.amazonaws.com/": { aws_account: "123456789012", source_region: "eu-west-1", org_id: "o-abc1234567" },
    },
    no: {
      sub: "arn:aws:iam::123456789012:role/build-go",
      "https://sts.amazonaws.com/": { aws_account: "999999999999" },
    },
  },
  Okta: {
    yes: {
      iss: "https://corp.okta.com",
      aud: "0oa1example2client3id",
      sub: "00u1",
      email: "alice@corp.example",
      email_verified: true,
      groups: ["Everyone", "engineering"],
    },
    no: { sub: "00u2", groups: ["Everyone"] },
  },
  Entra: {
    yes: {
      iss: "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0",
      aud: "66666666-7777-8888-9999-000000000000",
      oid: "12121212-3434-5656-7878-909090909090",
      tid: "11111111-2222-3333-4444-555555555555",
      groups: ["bbbbbbbb-bbbb-cccc-dddd-eeeeeeeeeeee", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"],
    },
    no: { oid: "1", _claim_names: { groups: "src1" } },
  },
  Google: {
    yes: {
      iss: "https://accounts.google.com",
      aud: "123456789012-abc.apps.googleusercontent.com",
      sub: "110169484474386276334",
      hd: "corp.example",
      email: "alice@corp.example",
      email_verified: true,
    },
    no: { hd: "corp.example.evil", email: "alice@corp.example", email_verified: true },
  },
};

test("each recipe of docs/sso.md lets in whom it is for, and nobody beside", () => {
  for (const [heading, { yes, no }] of Object.entries(claims)) {
    const [entry] = recipe(heading).oidc;
    assert.ok(entry, heading);
    assert.deepEqual([entry.issuer, entry.audience], [yes.iss, yes.aud], heading);
    const found = grantByClaims(entry.rules, yes);
    assert.ok("role" in found, `${heading}: ${JSON.stringify(found)}`);
    assert.equal(found.role, "viewer");
    assert.ok(!("role" in grantByClaims(entry.rules, no)), heading);
  }
  const publisher = grantByClaims(recipe("Okta").oidc[0]?.rules ?? [], { groups: ["engineering", "go-publishers"] });
  assert.ok("role" in publisher && publisher.role === "publisher");
  // Every configuration of the page is among them.
  const judged = [...Object.keys(claims), "Client certificates"];
  const written = [...blocks("json")].filter(([, texts]) => texts.length > 0).map(([heading]) => heading);
  assert.deepEqual(written, judged);
  assert.ok(written.every((heading) => recipe(heading)));
});

test("the lines for GitLab let a job in", { skip }, async () => {
  await using issuer = await ScriptedIssuer.start();
  const [entry] = recipe("GitLab").oidc;
  await using modfront = await GuardedModfront.startWith({
    oidc: [
      { issuer: issuer.issuer, audience, rules: entry?.rules.map((rule) => ({ ...rule, modules: "corp.example" })) },
    ],
  });
  modfront.script("corp.example/m", "v1.0.0");
  const [job = ""] = blocks("yaml").get("GitLab") ?? [];
  const lines = [...job.matchAll(/^ {4}- (.*)$/gm)].map(([, line = ""]) => line);
  assert.equal(lines.pop(), "go build ./...");
  const home = modfront.path("gitlab");
  mkdirSync(home);
  const run = async (said: TokenClaims) => {
    const environment = {
      PATH: process.env.PATH ?? "",
      HOME: home,
      CURL_CA_BUNDLE: modfront.certificate.cert,
      MODFRONT_URL: modfront.process.url,
      MODFRONT_ID_TOKEN: await issuer.token({ claims: { ...said, iss: issuer.issuer, aud: audience } }),
    };
    // As GitLab's runner does it.
    const script = ["set -eo pipefail", ...lines, 'printf %s "$GOSUMDB"'].join("\n");
    // Not in this process, which would have no turn to answer in: the issuer is here.
    const { promise, resolve } = Promise.withResolvers<{ code: number | null; stdout: string; stderr: string }>();
    execFile("bash", ["-c", script], { env: environment }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
    return await promise;
  };
  const refused = await run({ namespace_path: "other", ref_protected: "true" });
  assert.notEqual(refused.code, 0);
  assert.throws(() => statSync(join(home, ".netrc")));
  const { code, stdout: gosumdb, stderr } = await run(claims.GitLab?.yes ?? {});
  assert.equal(code, 0, stderr);
  const netrc = join(home, ".netrc");
  assert.equal(statSync(netrc).mode & 0o777, 0o600);
  assert.match(readFileSync(netrc, "utf8"), /^machine 127\.0\.0\.1:\d+ login modfront password mf_\S+\n$/);
  const machine = modfront.machine({ proxy: modfront.process.url, environment: { GOSUMDB: gosumdb, NETRC: netrc } });
  const download = await machine.go("mod", "download", "corp.example/m@v1.0.0");
  assert.equal(download.code, 0, download.stderr);
});

test("a client certificate becomes a token that the real go shows, renewed by the same files", { skip }, async (t) => {
  const folder = makeDataFolder();
  t.after(() => folder.remove());
  const [ours, theirs] = ["ours", "theirs"].map((name) => new CertificateAuthority(folder.path, name));
  assert.ok(ours && theirs);
  const { mtls } = recipe("Client certificates");
  const rules = mtls.rules.map((rule) => ({ ...rule, modules: "corp.example" }));
  await using modfront = await GuardedModfront.startWith({ mtls: { rules } }, "--tls-client-ca", ours.cert);
  modfront.script("corp.example/m", "v1.0.0");
  const { url } = modfront.process;
  const home = modfront.path("home");
  const environment = {
    HOME: home,
    NODE_EXTRA_CA_CERTS: modfront.certificate.cert,
    PATH: pathWithModfront(home),
    GOAUTH: "modfront credential",
  };
  const login = (pair: Certificate) => runCli(["login", url, "--cert", pair.cert, "--key", pair.key], { environment });
  const subject = "/O=Corp/CN=build-1.ci.corp.example";
  const rows: readonly (readonly [pair: Certificate, said: RegExp])[] = [
    [
      ours.issue({ subject: "/O=Corp/CN=build-1.other.example" }),
      /no rule of this certificate fits; looked at: subject/,
    ],
    [theirs.issue({ subject }), /an ID token is expected.*or a client certificate/],
    [ours.issue({ subject, expired: true }), /an ID token is expected.*or a client certificate/],
    [{ cert: modfront.path("none"), key: modfront.path("none") }, /cannot be read/],
    [{ cert: modfront.certificate.cert, key: ours.issue({ subject }).key }, /the files are no certificate and its key/],
    [{ cert: modfront.certificate.key, key: modfront.certificate.key }, /the files are no certificate and its key/],
  ];
  for (const [pair, said] of rows) {
    const { code, stderr } = await login(pair);
    assert.equal(code, 1, stderr);
    assert.match(stderr, said);
  }
  const pair = ours.issue({ subject });
  const { code, stderr } = await login(pair);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /is kept and will be renewed/);
  const file = join(home, ".config/modfront/logins.json");
  const kept = JSON.parse(readFileSync(file, "utf8"));
  const first = kept[url].token;
  kept[url].obtained -= 3_500_000;
  kept[url].expires -= 3_500_000;
  writeFileSync(file, JSON.stringify(kept));
  // What replaces a certificate tells nobody.
  const next = ours.issue({ subject: "/O=Corp/CN=build-2.ci.corp.example" });
  copyFileSync(next.cert, pair.cert);
  copyFileSync(next.key, pair.key);
  const download = await modfront.machine({ proxy: url, environment }).go("mod", "download", "corp.example/m@v1.0.0");
  assert.equal(download.code, 0, download.stderr);
  const second = JSON.parse(readFileSync(file, "utf8"))[url].token;
  assert.notEqual(second, first);
  const said = Buffer.from(second.slice(3).split(".")[0], "base64url").toString();
  assert.ok(said.includes("build-2.ci.corp.example"), said);
});
