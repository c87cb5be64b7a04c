import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeCertificate } from "../../support/certificate.ts";
import { pathWithModfront, runCli } from "../../support/cli.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { GoMachine } from "../../support/go-command.ts";
import { skipWithoutGoAndTls as skip } from "../../support/guarded-modfront.ts";
import { moduleFixture } from "../../support/module-fixture.ts";
import { OidcProvider } from "../../support/oidc-provider.ts";
import { type ProductOptions, startProduct } from "../../support/product.ts";
import { ScriptedUpstream } from "../../support/scripted-upstream.ts";

// The real go over TLS, the real CLI, a real provider, and the composed product, on whose clock a minute passes while go
// is at work: go-build.slow.ts waits for three real ones.

const browser = join(import.meta.dirname, "../../support/scripted-browser.ts");
const modules = ["a", "b", "c", "d", "e", "f"].map((name) => moduleFixture(`corp.example/${name}`));

test("a go command that outlives its token goes on with the next one", { skip }, async (t) => {
  const folder = dataFolder(t);
  const tls = makeCertificate(folder);
  await using provider = await OidcProvider.start();
  const upstream = await ScriptedUpstream.start();
  t.after(() => upstream.close());
  const { issuer, clientId } = provider;
  const rules = [{ match: { groups: "go" }, modules: "corp.example", minutes: 1 }];
  const options: ProductOptions & { ahead: number } = {
    data: join(folder, "data"),
    tls,
    ahead: 0,
    config: {
      upstreams: [{ patterns: "corp.example", chain: upstream.url }],
      private: "corp.example",
      access: { anonymous: "none" },
      oidc: [{ issuer, audience: clientId, clientId, rules }],
    },
  };
  const product = await startProduct(options);
  t.after(() => product.stop());

  const logins = join(folder, "config/modfront/logins.json");
  /** A minute is over for the server. The file says that the token is good for long: only the answer 401 tells. */
  const passMinute = () => {
    options.ahead += 61_000;
    const kept = JSON.parse(readFileSync(logins, "utf8"));
    kept[product.url].obtained -= 61_000;
    kept[product.url].expires += 3_600_000;
    writeFileSync(logins, JSON.stringify(kept));
  };
  let minutes = 0;
  upstream.otherwise(({ path }) => {
    const module = modules.find((each) => path.startsWith(`/${each.path}/`));
    const kind = (["info", "mod", "zip"] as const).find((each) => path.endsWith(`.${each}`));
    if (module === undefined || kind === undefined) return undefined;
    // A private version is obtained as one: the last of their go.mod files, which go reads before any zip, ends the token.
    if (kind === "mod" && module === modules.at(-1) && minutes++ === 0) passMinute();
    return { body: module[kind] };
  });

  const environment = {
    XDG_CONFIG_HOME: join(folder, "config"),
    PATH: pathWithModfront(folder),
    NODE_EXTRA_CA_CERTS: tls.cert,
    SSL_CERT_FILE: tls.cert,
    GOAUTH: "modfront credential",
    GOSUMDB: "off",
    BROWSER: `${process.execPath} ${browser} gopher`,
  };
  const login = await runCli(["login", product.url, "--scope", "groups"], { environment });
  assert.equal(login.code, 0, login.stderr);
  using machine = new GoMachine(product.url, environment);
  const required = modules.map(({ path, version }) => `require ${path} ${version}\n`).join("");
  machine.write("go.mod", `module example.org/here\n${required}`);
  const run = await machine.go("mod", "download", "-json");
  assert.equal(run.code, 0, run.stdout + run.stderr);
  assert.equal(run.stdout.match(/"Zip":/g)?.length, modules.length);
  assert.equal(minutes > 0, true);
  assert.deepEqual(provider.grants, ["authorization_code", "refresh_token"], "all who were refused waited for one");
});
