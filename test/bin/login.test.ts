import assert from "node:assert/strict";
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type CliRun, runCli } from "../support/cli.ts";
import { dataFolder } from "../support/data-folder.ts";

const token = `mf_e30.${"x".repeat(43)}`;
const basic = (of: string) => `Authorization: Basic ${Buffer.from(`modfront:${of}`).toString("base64")}`;

/** A person's machine: the CLI with a configuration folder of its own. Nothing listens at these servers. */
function machine(t: TestContext) {
  const home = dataFolder(t);
  const run = (args: readonly string[], input = ""): Promise<CliRun> =>
    runCli(args, { input, environment: { HOME: home } });
  const file = join(home, ".config/modfront/logins.json");
  return { run, file, login: (url: string, input: string) => run(["login", url], input) };
}

test("login keeps a token per server for its owner alone, and credential prints them as go reads them", async (t) => {
  const { run, file, login } = machine(t);
  const nothing = await run(["credential"]);
  assert.deepEqual([nothing.code, nothing.stdout], [0, ""]);
  assert.match(nothing.stderr, /modfront login/);

  const other = `mf_e30.${"y".repeat(43)}`;
  for (const [url, of] of [
    ["https://127.0.0.1:1/", "mf_e30.".padEnd(50, "z")],
    ["https://127.0.0.1:1", token],
    ["https://127.0.0.1:2/go", other],
  ] as const) {
    const { code, stdout, stderr } = await login(url, `${of}\n`);
    assert.deepEqual([code, stdout], [0, ""], stderr);
    assert.match(
      stderr,
      /gives no answer about tokens \(ECONNREFUSED\)\n.*cannot be reached.*\n.* is kept.*\n.*GOAUTH='modfront credential'/,
    );
    assert.ok(!stderr.includes(of.slice(-43)));
  }
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(statSync(join(file, "..")).mode & 0o777, 0o700);
  const sets = [`https://127.0.0.1:1\n\n${basic(token)}\n\n`, `https://127.0.0.1:2/go\n\n${basic(other)}\n\n`];
  assert.equal((await run(["credential"])).stdout, sets.join(""));
  assert.equal((await run(["credential", "https://127.0.0.1:2/go/m/@v/list"], "HTTP/1.1 401\n\n")).stdout, sets[1]);
  assert.equal((await run(["credential", "https://elsewhere.example/"])).stdout, "");
});

test("what is no token or no https server is refused and not kept", async (t) => {
  const { run, file, login } = machine(t);
  const rows: readonly (readonly [url: string, input: string, said: RegExp])[] = [
    ["http://127.0.0.1:1", token, /https URL/],
    ["127.0.0.1", token, /https URL/],
    ["https://user:pass@127.0.0.1:1", token, /https URL/],
    ["https://127.0.0.1:1", "", /not a modfront token/],
    ["https://127.0.0.1:1", "password", /not a modfront token/],
    ["https://127.0.0.1:1", `${token}\n${token}`, /not a modfront token/],
  ];
  for (const [url, input, said] of rows) {
    const { code, stderr } = await login(url, input);
    assert.equal(code, 2, url);
    assert.match(stderr, said, url);
    assert.ok(!stderr.includes(token.slice(-43)), url);
  }
  assert.throws(() => statSync(file), { code: "ENOENT" });
  assert.equal((await run(["login", "https://127.0.0.1:1", token])).code, 2, "a token on the command line is no word");
});

test("a file of logins that others can read, or that is damaged, is not used", async (t) => {
  const { run, file, login } = machine(t);
  await login("https://127.0.0.1:1", token);
  chmodSync(file, 0o644);
  const open = await run(["credential"]);
  assert.deepEqual([open.code, open.stdout], [1, ""]);
  assert.match(open.stderr, /read by others/);
  chmodSync(file, 0o600);
  writeFileSync(file, readFileSync(file, "utf8").slice(0, 20));
  const damaged = await run(["credential"]);
  assert.deepEqual([damaged.code, damaged.stdout], [1, ""]);
  assert.match(damaged.stderr, /damaged/);
});
