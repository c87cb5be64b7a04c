import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { indexFile } from "../../lambda/local/data/index-database.ts";
import { runCli } from "../support/cli.ts";
import { dataFolder } from "../support/data-folder.ts";
import { FrontDoor, script } from "../support/front-door.ts";
import { filePath, moduleFixture, zipOf } from "../support/module-fixture.ts";

// `modfront log key` and `log check` with a running modfront and its own log.

test("the key of a data folder is the one that its server says, before it ever started and by its address", async (t) => {
  await using door = await FrontDoor.start();
  const said = (await (await fetch(`${door.url}/-/gosumdb`)).text()).trim();
  for (const place of [
    ["--data", door.data],
    ["--url", door.url],
  ])
    assert.equal((await runCli(["log", "key", ...place])).stdout, `GOSUMDB=${said}\n`);
  const json = await runCli(["log", "key", "--json", "--data", door.data]);
  assert.deepEqual(JSON.parse(json.stdout), { gosumdb: said });
  const data = dataFolder(t);
  const config = join(data, "modfront.config.json");
  writeFileSync(config, JSON.stringify({ log: { name: "sums.corp.example" } }));
  const named = await runCli(["log", "key", "--data", join(data, "new"), "--config", config]);
  assert.match(named.stdout, /^GOSUMDB=sums\.corp\.example\+[0-9a-f]{8}\+[\w+/=]{44}\n$/);
  const two = await runCli(["log", "key", "--data", data, "--url", door.url]);
  assert.deepEqual([two.code, two.stderr], [2, "modfront: --url, --stack and --data each name a place: which one?\n"]);
});

test("a log is right while it is what was served, and a row or a file that was changed by hand is found", async (t) => {
  await using door = await FrontDoor.start();
  const [open, onlyMod, secret] = [
    moduleFixture("example.com/m"),
    moduleFixture("example.com/n"),
    moduleFixture("corp.example/s"),
  ];
  for (const module of [open, onlyMod]) await door.publish(module);
  script(door.corp, secret);
  const [name] = (await (await fetch(`${door.url}/-/gosumdb`)).text()).split("+");
  for (const { path } of [open, onlyMod, secret])
    assert.equal(await door.status(`/sumdb/${name}/lookup/${path}@v1.0.0`), 200);
  assert.equal(await door.status(filePath(open, "zip")), 200);
  const asked = door.open.requests.length;
  const environment = { HOME: dataFolder(t) };
  const check = (...flags: readonly string[]) =>
    runCli(["log", "check", door.url, "--files", "--lookups", ...flags], { environment });
  const first = JSON.parse((await check("--json")).stdout);
  assert.deepEqual(
    [first.size, first.records, first.files, first.lookups, first.faults],
    [3, 3, { right: 2, absent: 1, unreadable: 0 }, { right: 3, unreadable: 0 }, 0],
  );
  assert.equal(door.open.requests.length, asked, "what is not stored is not fetched for a check");

  // By hand: another zip in the place of the stored one, and a number that leads to another record.
  const other = zipOf(secret, [{ name: "corp.example/s@v1.0.0/x.go", content: Buffer.from("package m\n") }]);
  writeFileSync(join(door.data, "mod", filePath(secret, "zip")), other);
  const index = new DatabaseSync(join(door.data, indexFile));
  index.exec("UPDATE log_number SET number = 0 WHERE module = 'example.com/n'");
  index.close();
  await door.restart();
  const { code, stdout } = await check();
  assert.equal(code, 1);
  assert.match(stdout, /^FAIL {2}the zip of corp\.example\/s@v1\.0\.0 is h1:\S+, and the log says h1:\S+$/m);
  assert.match(stdout, /^FAIL {2}example\.com\/n@v1\.0\.0: .*lookup\/example\.com\/n@v1\.0\.0 was answered 503/m);
});

test("log check shows a token to nobody over plain http, but on this machine", async (t) => {
  const environment = { HOME: dataFolder(t), MODFRONT_TOKEN: "mf_secret" };
  const { code, stderr } = await runCli(["log", "check", "http://modfront.invalid"], { environment });
  assert.deepEqual([code, stderr], [2, "modfront: a token goes over https only, but on this machine\n"]);
});
