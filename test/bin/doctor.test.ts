import assert from "node:assert/strict";
import { test } from "node:test";
import { skipWithoutOpenssl as skip } from "../support/certificate.ts";
import { runCli } from "../support/cli.ts";
import { GuardedModfront } from "../support/guarded-modfront.ts";

test("doctor says what it is refused without a login, and looks at everything with one", { skip }, async () => {
  await using modfront = await GuardedModfront.start();
  modfront.script("corp.example/m", "v1.0.0");
  const { url } = modfront.process;
  const environment = { HOME: modfront.path("home"), NODE_EXTRA_CA_CERTS: modfront.certificate.cert };
  const doctor = () => runCli(["doctor", `${url}/`, "corp.example/m@v1.0.0"], { environment });

  const stranger = await doctor();
  assert.equal(stranger.code, 1);
  assert.equal(stranger.stdout.match(/^ok {4}/gm)?.length, 3, stranger.stdout);
  assert.equal(
    stranger.stdout.match(/^FAIL .*: answered 401 instead of 200: this needs a modfront token/gm)?.length,
    4,
  );

  const login = await runCli(["login", url], { input: await modfront.token(), environment });
  assert.equal(login.code, 0, login.stderr);
  const holder = await doctor();
  assert.doesNotMatch(holder.stdout, /FAIL/);
  assert.equal(holder.code, 0);
});
