import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { get } from "node:https";
import { join } from "node:path";
import { test } from "node:test";
import { SqliteTokenStore } from "../../../lambda/local/access/sqlite-token-store.ts";
import { runCli } from "../../support/cli.ts";
import { GuardedModfront, skipWithoutGoAndTls as skip } from "../../support/guarded-modfront.ts";
import { idOf } from "../../support/tokens.ts";

// Where tokens and keys are found after they were used, misspelt, revoked and refused in every way: nowhere.

/** Every file below a folder, as text. */
function contents(folder: string): ReadonlyMap<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((file) => join(file.parentPath, file.name));
  return new Map(paths.map((path) => [path.slice(folder.length + 1), readFileSync(path, "latin1")]));
}

/** A token's own secret, as it is and as each of the ways in which it travels spells it. */
function spellings(token: string): readonly string[] {
  const signature = token.slice(-43);
  // Base64 of the same bytes has three spellings, by where in a group of three it begins.
  const shifted = [0, 1, 2].map((shift) =>
    Buffer.from("x".repeat(shift) + signature)
      .toString("base64")
      .slice(4, -4),
  );
  return [signature, ...shifted];
}

for (const format of ["json", "text"] as const) {
  test(`no token is in the ${format} log, in errors, metrics, the page or a file of the data folder`, {
    skip,
  }, async () => {
    await using modfront = await GuardedModfront.start("--log", format);
    modfront.script("corp.example/m", "v1.0.0", "v1.1.0");
    const viewer = await modfront.token({ role: "viewer", modules: "corp.example/m" });
    const operator = await modfront.token({ role: "operator", modules: "corp.example/m" });
    const revoked = await modfront.token({ role: "viewer", modules: "corp.example/m" });
    const tokens = [viewer, operator, revoked];
    const list = await runCli(["token", "list", "--data", modfront.data]);
    await runCli(["token", "revoke", idOf(revoked), "--data", modfront.data]);

    const answers = await visit(modfront, { viewer, operator, revoked });
    const everything = new Map([
      ["the output of the server", modfront.process.output],
      ["the answers", answers.join("\n")],
      ["the output of token list", list.stdout + list.stderr],
      ...contents(modfront.data),
    ]);
    assert.match(modfront.process.output, format === "json" ? /"status":401/ : / 401 GET /);
    assert.match(answers.join("\n"), /modfront_requests_total/);
    assert.ok(everything.has("tokens.sqlite") && everything.has("mod/corp.example/m/@v/v1.0.0.zip"));
    for (const token of tokens) {
      for (const spelling of spellings(token)) {
        for (const [where, text] of everything) assert.ok(!text.includes(spelling), where);
      }
    }
    const { keys, identityKeys } = await new SqliteTokenStore(modfront.data).readKeys();
    const isOfTokens = (where: string) => where.startsWith("tokens.sqlite");
    for (const where of [...everything.keys()].filter(isOfTokens)) everything.delete(where);
    for (const secret of [...identityKeys, ...keys.map((key) => key.secret)]) {
      for (const [where, text] of everything) assert.ok(!text.includes(secret), where);
    }
  });
}

interface Tokens {
  readonly viewer: string;
  readonly operator: string;
  readonly revoked: string;
}

/** Everything people do with tokens, right and wrong; returns what they were answered. */
async function visit(modfront: GuardedModfront, { viewer, operator, revoked }: Tokens): Promise<readonly string[]> {
  const basic = (token: string) => `Basic ${Buffer.from(`any:${token}`).toString("base64")}`;
  const machine = modfront.machine({ proxy: `https://any:${viewer}@${modfront.host}` });
  const got = await machine.go("mod", "download", "-x", "corp.example/m@v1.0.0");
  assert.equal(got.code, 0, got.stderr);
  const rows: readonly (readonly [path: string, authorization: string])[] = [
    ["/corp.example/m/@v/v1.1.0.zip", basic(viewer)],
    ["/corp.example/secret/@v/list", basic(viewer)],
    ["/corp.example/m/@v/v9.9.9.info", basic(viewer)],
    ["/corp.example/m/@v/list", basic(revoked)],
    ["/corp.example/m/@v/list", `${basic(viewer)}, ${basic(viewer)}`],
    ["/corp.example/m/@v/list", `Bearer ${viewer.slice(0, -1)}`],
    ["/corp.example/m/@v/list", `Digest ${viewer}`],
    [`/corp.example/m/@v/list?token=${viewer}`, basic(viewer)],
    ["/-/metrics", basic(viewer)],
    ["/-/metrics", basic(operator)],
    ["/", basic(operator)],
  ];
  const answers = await Promise.all(rows.map(([path, authorization]) => ask(modfront, path, authorization)));
  return [got.stdout, got.stderr, ...answers];
}

function ask({ process, certificate }: GuardedModfront, path: string, authorization: string): Promise<string> {
  const { hostname, port } = new URL(process.url);
  const options = {
    hostname,
    port,
    path,
    headers: { authorization },
    ca: readFileSync(certificate.cert),
    agent: false,
  };
  return new Promise((resolve, reject) => {
    get(options, async (answer) => {
      const headers = JSON.stringify(answer.headers);
      resolve(`${answer.statusCode} ${headers}\n${Buffer.concat(await answer.toArray()).toString("latin1")}`);
    }).on("error", reject);
  });
}
