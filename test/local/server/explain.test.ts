import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createToken } from "../../../lambda/access/tokens.ts";
import { SqliteTokenStore } from "../../../lambda/local/access/sqlite-token-store.ts";
import { SqliteRulingStore } from "../../../lambda/local/data/sqlite-ruling-store.ts";
import { runCli } from "../../support/cli.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { startProduct } from "../../support/product.ts";

const config = {
  upstreams: [{ patterns: "*", chain: "off" }],
  sumdb: { name: "off" },
  access: { anonymous: "public" },
  private: ["corp.example"],
  policy: {
    deny: [
      { modules: ["corp.example/secret", "example.com/m"], versions: "<v1.2.0", reason: "too old" },
      { modules: "example.com", reason: "watched", mode: "report" },
    ],
    contact: "#go",
  },
};

const refusal = [
  "example.com/m@v1.0.0 is refused by this proxy's policy",
  "rule: deny[0] (example.com/m <v1.2.0)",
  "why: too old",
  "ask: #go",
];

test("why a version may come in or not is told to whoever may read it, and names nobody else's modules", async (t) => {
  const data = dataFolder(t);
  writeFileSync(join(data, "config.json"), JSON.stringify(config));
  const ruling = { module: "example.com/m", by: "ann", at: 0, request: "r" };
  const rulings = new SqliteRulingStore(data);
  await rulings.set({ ...ruling, kind: "block", version: "v1.3.0", reason: "INC-17", until: 8_000_000_000_000 });
  await rulings.set({ ...ruling, kind: "exception", version: "v1.1.0", reason: "the old site" });
  rulings.close();
  const tokens = new SqliteTokenStore(data);
  const claims = { subject: "ann", role: "viewer", modules: "corp.example/secret", days: 1 };
  const { token } = await createToken(tokens, claims, Math.floor(Date.now() / 1000));
  tokens.close();
  const product = await startProduct({ data, config });
  t.after(() => product.stop());
  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${product.url}/-/api/explain/${path}`, { headers });
    return { status: response.status, text: await response.text() };
  };
  const { rules, rulings: ruled, ...verdict } = JSON.parse((await ask("example.com/m@v1.0.0")).text);
  const finding = { rule: "deny[1]", reason: "watched" };
  const named = { module: "example.com/m", version: "v1.0.0" };
  assert.deepEqual(verdict, { ...named, allowed: false, findings: [finding], refusal, onlyListed: false });
  assert.deepEqual(rules, [
    { rule: "deny[0]", about: "example.com/m <v1.2.0", reason: "too old", mode: "enforce" },
    { rule: "deny[1]", about: "example.com", reason: "watched", mode: "report" },
  ]);
  assert.deepEqual(ruled, [
    { kind: "block", version: "v1.3.0", reason: "INC-17", until: "2223-07-06T14:13:20.000Z" },
    { kind: "exception", version: "v1.1.0", reason: "the old site" },
  ]);
  assert.equal(JSON.parse((await ask("example.com/m@v1.1.0")).text).allowed, true);
  assert.equal("allowed" in JSON.parse((await ask("example.com/m")).text), false);

  const secret = "corp.example/secret@v1.0.0";
  assert.equal((await ask(secret)).status, 401);
  const authorization = `Bearer ${token}`;
  assert.equal((await ask("corp.example/other", { authorization })).status, 403);
  assert.equal(JSON.parse((await ask(secret, { authorization })).text).allowed, false);
  for (const wrong of ["example.com/m@main", "example.com/m@v2.0.0", "m", "example.com/M"])
    assert.equal((await ask(wrong)).status, wrong === "example.com/M" ? 404 : 400, wrong);

  const places = ["--data", data, "--config", join(data, "config.json")];
  const wanted = ["explain", "example.com/m@v1.0.0"];
  const [said, served] = await Promise.all([
    runCli([...wanted, ...places]),
    runCli([...wanted, "--url", product.url, "--json"]),
  ]);
  assert.deepEqual(JSON.parse(served.stdout), { ...verdict, rules, rulings: ruled });
  assert.deepEqual(said.stdout.trimEnd().split("\n"), [
    ...refusal,
    "not enforced: deny[1]: watched",
    "deny[0] (enforce) is about example.com/m <v1.2.0: too old",
    "deny[1] (report) is about example.com: watched",
    "block of v1.3.0 until 2223-07-06T14:13:20.000Z: INC-17",
    "exception of v1.1.0: the old site",
  ]);
});
