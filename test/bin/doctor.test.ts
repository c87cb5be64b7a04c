import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { generateKey, newSigner, sign } from "../../lambda/golang/note.ts";
import { formatTree } from "../../lambda/golang/tlog.ts";
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

const { skey, vkey } = generateKey("sum.corp.example");
const [name] = vkey.split("+");
const tree = { n: 7n, hash: new Uint8Array(32) };
const head = await sign({ text: formatTree(tree) }, newSigner(skey));
const other = await sign({ text: formatTree(tree) }, newSigner(generateKey("sum.corp.example").skey));
const noTree = await sign({ text: "go.sum database tree\nmany\n" }, newSigner(skey));
const own = [`/sumdb/${name}/supported`, `/sumdb/${name}/latest`];

const databases: readonly {
  readonly said: string;
  readonly latest?: Uint8Array | string;
  readonly asked: readonly string[];
  readonly line: RegExp;
}[] = [
  { said: "sum.golang.org\n", asked: ["/sumdb/sum.golang.org/supported"], line: /^off {3}it has no log of its own$/m },
  { said: "off\n", asked: [], line: /^off {3}it has no log of its own$/m },
  // Somebody else's server must not choose what is asked.
  { said: "../../admin\n", asked: [], line: /^FAIL {2}it names its checksum database: it says \.\.\/\.\.\/admin$/m },
  {
    said: vkey,
    latest: head,
    asked: own,
    line: /^ok {4}GOSUMDB=\S+ verifies .*: its log has 7 records, and their head/m,
  },
  {
    said: vkey,
    latest: other,
    asked: own,
    line: /^FAIL {2}GOSUMDB=.*: SECURITY ERROR: the head .* is not signed with/m,
  },
  {
    said: vkey,
    latest: noTree,
    asked: own,
    line: /^FAIL {2}GOSUMDB=.*: SECURITY ERROR: the head .* is not signed with/m,
  },
  { said: vkey, latest: "", asked: own, line: /^FAIL {2}GOSUMDB=.*: SECURITY ERROR: the head .* is not signed with/m },
  { said: vkey, asked: own, line: /^FAIL {2}GOSUMDB=.*: the head of the log is absent$/m },
  { said: "sum.corp.example+033de0ae+Ac4z", asked: [own[0] ?? ""], line: /^FAIL {2}GOSUMDB=.*: \S+/m },
];

for (const [i, { said, latest, asked: expected, line }] of databases.entries()) {
  test(`doctor looks for the checksum database that the server names, and at its head: row ${i}`, async () => {
    const asked: string[] = [];
    const server = createServer(({ url = "" }, response) => {
      asked.push(url);
      const status = url.startsWith("/github.com/Azure")
        ? 400
        : url.endsWith("/latest") && latest === undefined
          ? 404
          : 200;
      response.writeHead(status).end(url === "/-/gosumdb" ? said : url.endsWith("/latest") ? latest : "");
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
    assert.match(stdout, line);
    assert.equal(stdout.match(/^FAIL/gm)?.length ?? 0, code, stdout);
  });
}
