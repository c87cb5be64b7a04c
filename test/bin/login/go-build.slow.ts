import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pathWithModfront, runCli } from "../../support/cli.ts";
import { GuardedModfront, skipWithoutGoAndTls as skip } from "../../support/guarded-modfront.ts";
import { moduleFixture } from "../../support/module-fixture.ts";
import { OidcProvider } from "../../support/oidc-provider.ts";

// npm run test:login: one go command at work for three minutes, with tokens of a minute: npm start over TLS, the real CLI, a
// real provider, and an upstream that takes ten seconds for each module of a chain of imports.

const browser = join(import.meta.dirname, "../../support/scripted-browser.ts");
const length = 18;
const pathOf = (link: number) => `corp.example/link${link}`;

/** Each imports the next, which go learns when it has the zip of the one before. */
const chain = Array.from({ length }, (_, i) => {
  const next = i + 1 < length ? `import _ "${pathOf(i + 1)}"\n` : "";
  return moduleFixture(pathOf(i), "v1.0.0", `package m\n${next}`);
});

test("a build of three minutes with tokens of one", { skip, timeout: 600_000 }, async (t) => {
  await using provider = await OidcProvider.start();
  const { issuer, clientId } = provider;
  const rules = [{ match: { groups: "go" }, modules: "corp.example", minutes: 1 }];
  await using modfront = await GuardedModfront.startWith({ oidc: [{ issuer, audience: clientId, clientId, rules }] });
  modfront.upstream.otherwise(async ({ path }) => {
    const module = chain.find((each) => path.startsWith(`/${each.path}/`));
    if (module === undefined) return undefined;
    if (path.endsWith("/list")) return { body: "v1.0.0\n" };
    const kind = (["info", "mod", "zip"] as const).find((each) => path.endsWith(`.${each}`));
    if (kind === "zip") await sleep(10_000);
    return kind && { body: module[kind] };
  });
  const url = modfront.process.url;
  const environment = {
    XDG_CONFIG_HOME: modfront.path("config"),
    PATH: pathWithModfront(modfront.path("programs")),
    NODE_EXTRA_CA_CERTS: modfront.certificate.cert,
    GOAUTH: "modfront credential",
    BROWSER: `${process.execPath} ${browser} gopher`,
  };
  const login = await runCli(["login", url, "--scope", "groups"], { environment });
  assert.equal(login.code, 0, login.stderr);

  const machine = modfront.machine({ proxy: url, environment });
  machine.write("main.go", `package main\n\nimport _ "${pathOf(0)}"\n\nfunc main() {}\n`);
  const begun = performance.now();
  const { code, stderr } = await machine.go("build", "-o", "program", ".");
  const seconds = (performance.now() - begun) / 1000;
  assert.equal(code, 0, stderr);
  const refreshes = provider.grants.filter((grant) => grant === "refresh_token").length;
  t.diagnostic(`${seconds.toFixed(0)} s, ${refreshes} renewals`);
  assert.ok(seconds > 170, `${seconds}`);
  assert.deepEqual([...new Set(provider.grants)], ["authorization_code", "refresh_token"]);
  assert.ok(refreshes >= 2, `${refreshes}`);
});
