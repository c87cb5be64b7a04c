import assert from "node:assert/strict";
import { chmodSync, statSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { blankEvent } from "../../lambda/access/audit/audit-event.ts";
import type { SumdbForkError } from "../../lambda/golang/sumdb.ts";
import { openAuditDatabase } from "../../lambda/local/data/audit-database.ts";
import { indexFile, openIndexDatabase } from "../../lambda/local/data/index-database.ts";
import { SqliteAuditLog } from "../../lambda/local/data/sqlite-audit-log.ts";
import { SqliteTreeHeadStore } from "../../lambda/local/data/sqlite-tree-head-store.ts";
import { keepOurs, rememberFork } from "../../lambda/proxy/checksums/fork-evidence.ts";
import { runCli } from "../support/cli.ts";
import { dataFolder } from "../support/data-folder.ts";

function cliOn(t: TestContext) {
  const data = dataFolder(t);
  const cli = (...args: string[]) => runCli([...args, "--data", data]);
  const events = async (...args: string[]) => {
    const { code, stdout, stderr } = await cli("audit", "--json", ...args);
    assert.equal(code, 0, stderr);
    return stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  };
  return { data, cli, events };
}

const me = userInfo().username;

test("the audit says who made and who revoked a token, at this terminal", async (t) => {
  const { data, cli, events } = cliOn(t);
  const made = await cli("token", "create", "--subject", "gopher");
  assert.equal(made.code, 0, made.stderr);
  const [, id = ""] = /^token (\w+),/.exec(made.stderr) ?? [];
  assert.equal((await cli("token", "revoke", id)).code, 0);
  assert.equal((await cli("token", "rotate-key", "--drop-old")).code, 0);
  const found = await events("--who", me);
  assert.deepEqual(
    found.map(({ action, target, decision, rule }) => [
      action,
      action === "token.drop-keys" ? "" : target,
      decision,
      rule,
    ]),
    ["token.create", "token.revoke", "token.drop-keys"].flatMap((action) =>
      ["intended", "done"].map((decision) => [action, action === "token.drop-keys" ? "" : id, decision, "data-folder"]),
    ),
  );
  const [first, second] = found;
  assert.equal(first.request, second.request);
  assert.ok(Math.abs(Date.parse(first.time) - Date.now()) < 60_000 && first.time.endsWith("Z"));
  assert.ok(!JSON.stringify(found).includes(made.stdout.trim().slice(-43)), "no token");
  assert.equal((await events("--action", "token.revoke")).length, 2);
  assert.equal(statSync(join(data, "audit.sqlite")).mode & 0o077, 0);
  const table = await cli("audit");
  assert.equal(table.stdout.split("\n").length, 7);
  assert.match(table.stdout, new RegExp(`^20\\S+Z\t${me}\t-\t-\ttoken\\.create\t${id}\tintended\tdata-folder\t1\n`));
});

test("reindex is written down, and a decision about a fork that a process died at is settled by what is stored", async (t) => {
  const { data, cli, events } = cliOn(t);
  assert.equal((await cli("reindex")).code, 0);
  const shown = async (action: string) =>
    (await events("--action", action)).map(({ action, target, decision, rule }) =>
      [action, target, decision, rule].join(" "),
    );
  assert.deepEqual(await shown("index"), ["index.reindex  intended data-folder", "index.reindex  done data-folder"]);
  const audit = openAuditDatabase(join(data, "audit.sqlite"));
  const intended = { ...blankEvent, action: "log.keep-ours", decision: "intended", time: Date.now() - 90_000 } as const;
  for (const target of ["a.example", "b.example", "c.example"])
    await new SqliteAuditLog(audit).write({ ...intended, target });
  audit.close();
  const index = openIndexDatabase(join(data, indexFile));
  const heads = new SqliteTreeHeadStore(index);
  const note = new TextEncoder().encode("note");
  for (const name of ["a.example", "b.example"])
    await rememberFork(heads, name, { olderNote: note, newerNote: note } as SumdbForkError);
  assert.equal(await keepOurs(heads, "a.example"), true);
  index.close();
  assert.deepEqual(
    (await shown("log")).filter((each) => each.endsWith("settled")),
    ["log.keep-ours a.example done settled", "log.keep-ours b.example failed settled"],
  );
});

test("a question names module and version, who, action and time; what is odd in an event stays on its line", async (t) => {
  const { data, cli, events } = cliOn(t);
  const database = openAuditDatabase(join(data, "audit.sqlite"));
  const log = new SqliteAuditLog(database);
  const old = Date.now() - 40 * 86_400_000;
  const fetched = { ...blankEvent, action: "fetch.zip", decision: "allowed", module: "corp.example/m" } as const;
  const times = [old, Date.now() - 3_600_000, Date.now() - 1000];
  for (const [i, time] of times.entries())
    await log.write({ ...fetched, time, version: `v1.${i}.0`, subject: "bob\n\u001b[31m", token: `t${i}` });
  database.close();
  const versions = async (...args: string[]) => (await events(...args)).map(({ version }) => version);
  assert.deepEqual(await versions("--module", "corp.example/m"), ["v1.1.0", "v1.2.0"]);
  assert.deepEqual(await versions("--module", "corp.example/m@v1.0.0", "--since", "60d"), ["v1.0.0"]);
  assert.deepEqual(await versions("--who", "t2"), ["v1.2.0"]);
  assert.deepEqual(await versions("--since", "10m"), ["v1.2.0"]);
  assert.deepEqual(await versions("--since", new Date(old - 1000).toISOString(), "--until", "10m"), [
    "v1.0.0",
    "v1.1.0",
  ]);
  const { stdout } = await cli("audit");
  assert.equal(stdout.trim().split("\n").length, 2);
  assert.ok(!stdout.includes("\u001b"));
});

test("wrong usage is told with 2, a log that cannot be read with 1", async (t) => {
  const { data, cli } = cliOn(t);
  for (const args of [["--since", "yesterday"], ["--until", "5"], ["word"], ["--nothing"]])
    assert.equal((await cli("audit", ...args)).code, 2, args.join(" "));
  await cli("audit");
  if (process.getuid?.() === 0) return;
  chmodSync(join(data, "audit.sqlite"), 0);
  assert.equal((await cli("audit")).code, 1);
});
