import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TokenClaims } from "../lambda/access/oidc/claims.ts";
import type { Certificate } from "./support/certificate.ts";
import { CertificateAuthority } from "./support/certificate-authority.ts";
import { pathWithModfront, runCli } from "./support/cli.ts";
import { makeDataFolder } from "./support/data-folder.ts";
import { GuardedModfront, skipWithoutGoAndTls as skip } from "./support/guarded-modfront.ts";
import { gitlab } from "./support/provider-claims.ts";
import { blocks, recipe } from "./support/recipes.ts";
import { ScriptedIssuer } from "./support/scripted-issuer.ts";

// docs/sso.md: its configurations are configurations, and its scripts are run. test/access/oidc/recipes.test.ts has whom they let in.

const audience = "https://go.corp.example";

test("every configuration of docs/sso.md is one", () => {
  const written = [...blocks("json")].filter(([, texts]) => texts.length > 0).map(([heading]) => heading);
  assert.ok(written.length > 5);
  for (const heading of written) assert.ok(recipe(heading));
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
  const { code, stdout: gosumdb, stderr } = await run(gitlab);
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
