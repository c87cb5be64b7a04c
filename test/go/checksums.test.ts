import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { hashGoMod, hashZip } from "../../lambda/golang/dirhash.ts";
import { indexFile, openIndexDatabase } from "../../lambda/local/data/index-database.ts";
import { SqliteClaimStore } from "../../lambda/local/data/sqlite-claim-store.ts";
import { FrontDoor, script } from "../support/front-door.ts";
import { GoMachine, type GoRun, skipWithoutGo } from "../support/go-command.ts";
import { type ModuleFixture, moduleFixture } from "../support/module-fixture.ts";
import { temporaryFile } from "../support/zip-file.ts";

// The real go command, GOSUMDB on, against a checksum database of our own: what is private stays off the wire, and an
// empty machine verifies what is stored though the log has grown in the meantime and nobody is there to ask.

const secret = moduleFixture("corp.example/team/m");
const open = moduleFixture("example.com/m");

/** A fresh machine that knows the database's key. */
function machine(door: FrontDoor, proxy = door.url, environment: Readonly<Record<string, string>> = {}): GoMachine {
  const settings = { GOSUMDB: door.database.vkey, ...environment };
  return new GoMachine(proxy, settings).write("go.mod", "module example.com/main\n\ngo 1.25\n");
}

function download(go: GoMachine, ...modules: readonly ModuleFixture[]): Promise<GoRun> {
  return go.go("mod", "download", "-json", ...modules.map(({ path, version }) => `${path}@${version}`));
}

async function privateAndPublic(): Promise<FrontDoor> {
  const door = await FrontDoor.start();
  await door.publish(open);
  script(door.corp, secret);
  door.corp.on("/corp.example/team/m/@v/list", { body: "v1.0.0\n" });
  return door;
}

describe("private modules with the real go command", { skip: skipWithoutGo }, () => {
  test("their names reach neither the public upstream nor the checksum database", async () => {
    await using door = await privateAndPublic();
    using go = machine(door, door.url, { GONOSUMDB: "corp.example" });
    const get = await go.go("get", "corp.example/team/m@latest", "example.com/m@v1.0.0");
    assert.equal(get.code, 0, get.stderr);
    const update = await go.go("list", "-m", "-u", "corp.example/team/m");
    assert.equal(update.stdout, "corp.example/team/m v1.0.0\n", update.stderr);
    // Nor does what does not exist, nor what go looks for on the way up from a package to its module.
    assert.equal((await go.go("get", "corp.example/team/m/sub/package")).code, 1);
    assert.equal((await go.go("get", "corp.example/nothing@v1.0.0")).code, 1);

    assert.ok(door.open.count("/sumdb/sum.example.com/lookup/example.com/m@v1.0.0") === 1);
    const said = door.open.requests.map(({ target, headers }) => `${target} ${JSON.stringify(headers)}`);
    assert.deepEqual(
      said.filter((each) => /corp/i.test(each.replaceAll(door.corp.url, ""))),
      [],
    );
    assert.deepEqual(
      door.corp.requests.filter(({ path }) => !path.startsWith("/corp.example/")),
      [],
    );
  });

  test("a machine that has not been told is told, by us and not by the database", async () => {
    await using door = await privateAndPublic();
    using go = machine(door);
    const run = await go.go("get", "corp.example/team/m@latest");
    assert.equal(run.code, 1);
    assert.match(run.stderr, /\/sumdb\/sum\.example\.com\/lookup\/corp\.example\/team\/m@v1\.0\.0: 403 Forbidden\n/);
    assert.match(run.stderr, /corp\.example\/team\/m is private .*: set GOSUMDB to the line of \/-\/gosumdb/);
    assert.deepEqual(
      door.open.requests.map(({ path }) => path),
      [],
    );
  });
});

describe("a tag of a private module that was moved, with the real go command", { skip: skipWithoutGo }, () => {
  test("is a security error that names both hashes, though our files of it are gone", async () => {
    await using door = await privateAndPublic();
    // What it was when it first came in; the files of it were taken away since.
    const database = openIndexDatabase(join(door.data, indexFile));
    const goMod = hashGoMod(secret.mod);
    const zip = await hashZip(temporaryFile(secret.zip));
    await new SqliteClaimStore(database).claim(secret, { zip, goMod, info: "00".repeat(32) });
    database.close();
    script(door.corp, moduleFixture(secret.path, secret.version, "package m // moved\n"));
    using go = machine(door, door.url, { GONOSUMDB: "corp.example" });
    const run = await go.go("mod", "download", `${secret.path}@${secret.version}`);
    assert.equal(run.code, 1);
    assert.match(
      run.stderr,
      /403 Forbidden\n\tserver response: SECURITY ERROR: the zip of corp\.example\/team\/m@v1\.0\.0 is not the one that came in first: it was h1:\S{43}= and is now h1:\S{43}=; a version never changes/,
    );
  });
});

describe("verifying what is stored with the real go command", { skip: skipWithoutGo }, () => {
  test("a log that grows past its first tiles, then nobody to ask: by the server and by file://", async () => {
    await using door = await FrontDoor.start();
    const modules = ["a", "b", "c"].map((name) => moduleFixture(`example.com/${name}`));
    for (const [i, module] of modules.entries()) {
      await door.publish(module);
      using go = machine(door);
      assert.equal((await download(go, module)).code, 0);
      // Records of others between ours: within a tile, over its end.
      await door.database.add("example.com/others", [5, 300, 0][i] ?? 0, 1000 * i);
    }
    await door.open.close();

    for (const proxy of [door.url, `file://${door.data}/mod`]) {
      for (const order of [modules, modules.toReversed()]) {
        using go = machine(door, proxy);
        for (const module of order) {
          const run = await download(go, module);
          assert.equal(run.code, 0, `${proxy}: ${run.stdout}${run.stderr}`);
        }
      }
    }
  });

  test("an upstream that was never there is an outage in one line, and no reason to look elsewhere", async () => {
    await using door = await FrontDoor.start();
    await door.open.close();
    // go asks the next proxy after a 404 only: this one would have to be asked.
    using go = machine(door, `${door.url},${door.corp.url}`);
    for (const wanted of ["example.com/m@v1.0.0", "example.com/m@latest"]) {
      const run = await go.go("get", wanted);
      assert.equal(run.code, 1);
      assert.match(
        run.stderr,
        /^go: .*: 502 Bad Gateway\n\tserver response: upstream http:\/\/127\.0\.0\.1:\d+ [^\n]+\n$/,
      );
    }
    assert.deepEqual(
      door.corp.requests.map(({ path }) => path),
      [],
    );
  });

  test("a zip that the database disowns is refused with a security error, and nothing of it is kept", async () => {
    await using door = await FrontDoor.start();
    await door.publish(open);
    script(door.open, { ...open, zip: moduleFixture("example.com/m", "v1.0.0", "package evil\n").zip });
    using go = machine(door);
    const run = await go.go("get", "example.com/m@v1.0.0");
    assert.equal(run.code, 1);
    assert.match(
      run.stderr,
      /403 Forbidden\n\tserver response: SECURITY ERROR: the zip of example\.com\/m@v1\.0\.0 differs/,
    );
    script(door.open, open);
    assert.equal((await download(go, open)).code, 0);
  });
});
