import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
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

const databases: readonly (readonly [said: string, asked: readonly string[]])[] = [
  ["sum.golang.org\n", ["/sumdb/sum.golang.org/supported"]],
  ["sum.corp.example+033de0ae+Ac4z\n", ["/sumdb/sum.corp.example/supported"]],
  ["off\n", []],
  // Somebody else's server must not choose what is asked.
  ["../../admin\n", []],
];

for (const [said, expected] of databases) {
  test(`doctor looks for the checksum database that the server names: ${JSON.stringify(said)}`, async () => {
    const asked: string[] = [];
    const server = createServer(({ url = "" }, response) => {
      asked.push(url);
      response.writeHead(url.startsWith("/github.com/Azure") ? 400 : 200).end(url === "/-/gosumdb" ? said : "");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const { code, stdout } = await runCli(["doctor", `http://127.0.0.1:${port}`], {
      environment: { HOME: "/nowhere" },
    });
    server.close();
    assert.deepEqual(
      asked.filter((path) => path.startsWith("/sumdb/") || path.includes("admin")),
      expected,
    );
    assert.equal(code, 0, stdout);
  });
}
