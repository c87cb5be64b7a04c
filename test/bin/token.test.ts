import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { hmac } from "../../lambda/access/hmac.ts";
import { verifyToken } from "../../lambda/edge/token.ts";
import { WatchedTokens } from "../../lambda/local/access/watched-tokens.ts";
import { runCli } from "../support/cli.ts";
import { dataFolder } from "../support/data-folder.ts";

/** The CLI on a data folder of its own, and what the server there would make of a token now. */
function cliOn(t: TestContext) {
  const data = dataFolder(t);
  const file = join(data, "tokens.sqlite");
  const judge = async (token: string): Promise<string> => {
    const now = Math.floor(Date.now() / 1000);
    const keyValues = new WatchedTokens({ data, access: { anonymous: "none", private: "" }, now: () => now });
    const claims = verifyToken(token, keyValues, now, hmac);
    return typeof claims === "string" ? claims : `${claims.role} ${claims.subject} ${claims.modules}`;
  };
  return { data, file, judge, token: (...args: string[]) => runCli(["token", ...args, "--data", data]) };
}

const gopher = ["--subject", "gopher@corp.example", "--role", "publisher", "--modules", "corp.example/*"];

test("token create prints the token alone, and the server takes it", async (t) => {
  const { file, judge, token } = cliOn(t);
  const { code, stdout, stderr } = await token("create", ...gopher, "--days", "30");
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^mf_[\w-]+\.[\w-]{43}\n$/);
  const until = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
  assert.match(stderr, new RegExp(`^token [0-9a-z]{16}, publisher, until ${until}; it is shown this once\n$`));
  assert.equal(await judge(stdout.trim()), "publisher gopher@corp.example corp.example/*");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.ok(!readFileSync(file, "latin1").includes(stdout.trim().slice(-43)), "the token itself is not kept");
});

test("what is not said is the least: a viewer of public modules for 90 days", async (t) => {
  const { judge, token } = cliOn(t);
  const { stdout, stderr } = await token("create", "--subject", "s");
  assert.equal(await judge(stdout.trim()), "viewer s ");
  assert.ok(stderr.includes(new Date(Date.now() + 90 * 86_400_000).toISOString().slice(0, 10)), stderr);
});

test("list shows what is needed to revoke, and never a token; revoke ends one, rotate-key all", async (t) => {
  const { judge, token } = cliOn(t);
  const made = [await token("create", ...gopher), await token("create", "--subject", "other", "--role", "admin")];
  const [first = "", second = ""] = made.map(({ stdout }) => stdout.trim());
  const listed = async () => (await token("list")).stdout.split("\n").map((row) => row.split("\t"));
  // In the order of their ids, which is random within a second.
  const rows = async () => (await listed()).toSorted((a, b) => (b[1] ?? "").localeCompare(a[1] ?? ""));
  const [one = [], two = [], ...rest] = await rows();
  const [id = ""] = one;
  assert.deepEqual(one.slice(1), ["publisher", one[2], "valid", "gopher@corp.example", "corp.example/*"]);
  assert.deepEqual(two.slice(3), ["valid", "other", "*"]);
  assert.deepEqual(rest, [[""]]);

  const revoked = await token("revoke", id);
  assert.deepEqual([revoked.code, revoked.stdout], [0, ""]);
  assert.equal(await judge(first), "revoked");
  assert.equal(await judge(second), "admin other *");
  assert.equal((await rows())[0]?.[3], "revoked");
  const again = await token("revoke", "nobody");
  assert.deepEqual([again.code, again.stdout], [1, ""]);
  assert.match(again.stderr, /no token has this id/);

  assert.equal((await token("rotate-key")).code, 0);
  assert.equal(await judge(second), "admin other *", "one rotation is survived");
  const third = (await token("create", ...gopher)).stdout.trim();
  assert.equal((await token("rotate-key", "--drop-old")).code, 0);
  assert.equal(await judge(second), "unsigned");
  assert.equal(await judge(third), "unsigned");
  assert.deepEqual(await rows(), [[""]]);
});

test("wrong usage is code 2 and one line that says what was expected, and makes nothing", async (t) => {
  const { data, token } = cliOn(t);
  const rows: readonly (readonly [args: readonly string[], said: RegExp])[] = [
    [[], /token takes create, list, revoke, rotate-key/],
    [["toString"], /token takes create/],
    [["create"], /--subject/],
    [["create", "--subject", ""], /subject: 1 to 100/],
    [["create", "--subject", "s", "--role", "root"], /role is one of viewer, publisher, operator, admin/],
    [["create", "--subject", "s", "--days", "0"], /days: a whole number from 1 to 3650/],
    [["create", "--subject", "s", "--days", "1e3"], /days/],
    [["create", "--subject", "s", "--root"], /--root/],
    [["create", "--subject", "s", "word"], /wrong number of words/],
    [["revoke"], /wrong number of words/],
    [["list", "--stack", "modfront"], /--stack and --data name two places/],
  ];
  for (const [args, said] of rows) {
    const { code, stdout, stderr } = await token(...args);
    assert.deepEqual([code, stdout], [2, ""], args.join(" "));
    assert.match(stderr, said, args.join(" "));
    assert.match(stderr, /^modfront: [^\n]+\n$/, args.join(" "));
  }
  assert.equal((await token("list")).stdout, "");
  writeFileSync(join(data, "bad.json"), "{");
  assert.equal((await token("list", "--config", join(data, "bad.json"))).code, 2);
  writeFileSync(join(data, "tokens.sqlite"), "{");
  const damaged = await token("create", "--subject", "s");
  assert.deepEqual([damaged.code, damaged.stdout], [1, ""]);
  assert.match(damaged.stderr, /tokens is damaged: restore tokens\.sqlite/);
});

test("a deployment that cannot be asked is one line without any text of AWS", async () => {
  const environment = {
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_ENDPOINT_URL: "http://127.0.0.1:1",
    AWS_MAX_ATTEMPTS: "1",
  };
  const { code, stdout, stderr } = await runCli(["token", "list", "--stack", "modfront"], { environment });
  assert.deepEqual([code, stdout], [1, ""]);
  assert.equal(
    stderr,
    "modfront: the deployment cannot be asked for: are there AWS credentials with the permission?\n",
  );
});
