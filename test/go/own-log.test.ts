import assert from "node:assert/strict";
import { cpSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { hashGoMod, hashZip } from "../../lambda/golang/dirhash.ts";
import { makeDataFolder } from "../support/data-folder.ts";
import { FrontDoor, script } from "../support/front-door.ts";
import { GoMachine, type GoRun, skipWithoutGo } from "../support/go-command.ts";
import { type ModuleFixture, moduleFixture, zipOf } from "../support/module-fixture.ts";
import { startProduct } from "../support/product.ts";
import { rawZip } from "../support/raw-zip.ts";
import { ScriptedUpstream } from "../support/scripted-upstream.ts";
import { temporaryFile } from "../support/zip-file.ts";

// The real go command with nothing set but GOPROXY and GOSUMDB=<our line>: all kinds of modules, public and private, are
// verified by our own log, on empty machines, also while no upstream is there.

const pseudo = "v0.0.0-20240102030405-0123456789ab";
const toolchain = "v0.0.1-go1.99.0.linux-amd64";

function module(path: string, version: string, goMod = `module ${path}\n`): ModuleFixture {
  const mod = Buffer.from(goMod);
  const info = Buffer.from(JSON.stringify({ Version: version, Time: "2024-01-02T03:04:05Z" }));
  const m = { name: `${path}@${version}/m.go`, content: Buffer.from("package m\n\nconst Here = true\n") };
  const zip = version.endsWith("+incompatible") ? rawZip([m]) : zipOf({ path, version, mod }, [m]);
  return { path, version, info, mod, zip };
}

const modules = {
  public: module("example.com/m", "v1.0.0"),
  major: module("example.com/m/v2", "v2.3.4"),
  upper: module("example.com/Upper/Case", "v1.0.0-RC.1"),
  incompatible: module("example.com/old", "v3.0.0+incompatible"),
  pseudo: module("example.com/pseudo", pseudo),
  secret: module("corp.example/team/secret", "v1.0.0"),
  secretMajor: module("corp.example/team/secret/v2", "v2.0.0"),
};
const chain = module("golang.org/toolchain", toolchain);

async function doorWith(all: readonly ModuleFixture[]): Promise<FrontDoor> {
  const door = await FrontDoor.start();
  for (const each of all) {
    const isPrivate = each.path.startsWith("corp.example");
    script(isPrivate ? door.corp : door.open, each);
    if (isPrivate) continue;
    const zip = await hashZip(temporaryFile(each.zip));
    await door.database.addRecord(each.path, each.version, zip, hashGoMod(each.mod));
  }
  return door;
}

async function line(door: FrontDoor): Promise<string> {
  return (await (await fetch(`${door.url}/-/gosumdb`)).text()).trim();
}

function machine(proxy: string, GOSUMDB: string): GoMachine {
  const imports = Object.values(modules).map(({ path }, i) => `import m${i} "${path}"\n`);
  const uses = Object.keys(modules).map((_, i) => `\t_ = m${i}.Here\n`);
  const requires = Object.values(modules).map(({ path, version }) => `require ${path} ${version}\n`);
  return new GoMachine(proxy, { GOSUMDB })
    .write("go.mod", `module example.com/main\n\ngo 1.25\n\n${requires.join("")}`)
    .write("main.go", `package main\n\n${imports.join("")}\nfunc main() {\n${uses.join("")}}\n`);
}

function done(run: GoRun): void {
  assert.equal(run.code, 0, run.stderr);
}

describe("GOSUMDB=<our line>, with the real go command", { skip: skipWithoutGo }, () => {
  test("one build of all kinds of modules, again without upstreams, and by files with its go.sum", async () => {
    await using door = await doorWith([...Object.values(modules), chain]);
    const gosumdb = await line(door);
    assert.match(gosumdb, /^[0-9a-f]{8}\.modfront\+[0-9a-f]{8}\+[\w+/=]{44}$/);
    const download = ["mod", "download", "-json", `golang.org/toolchain@${toolchain}`] as const;
    using first = machine(door.url, gosumdb);
    done(await first.go("build", "."));
    done(await first.go("mod", "verify"));
    done(await first.go(...download));
    const sums = readFileSync(join(first.folder, "go.sum"), "utf8");
    for (const { path, version } of Object.values(modules)) assert.ok(sums.includes(`${path} ${version} h1:`), path);
    // Private names reach neither the public upstream nor its database.
    assert.ok(!door.open.requests.some(({ target }) => target.includes("corp.example")));

    await Promise.all([door.open.close(), door.corp.close()]);
    using second = machine(door.url, gosumdb);
    done(await second.go("build", "."));
    done(await second.go("mod", "verify"));
    done(await second.go(...download));
    assert.equal(readFileSync(join(second.folder, "go.sum"), "utf8"), sums);

    // A tree of files has no records of our log: there go.sum has to know what it needs.
    const files = pathToFileURL(join(door.data, "mod")).href;
    using third = machine(files, gosumdb);
    cpSync(join(first.folder, "go.sum"), join(third.folder, "go.sum"));
    done(await third.go("build", "."));
    done(await third.go("mod", "verify"));
  });

  test("what is only looked up is logged without its zip, and what has no record is not found", async () => {
    await using door = await doorWith([modules.public, modules.secret]);
    const gosumdb = await line(door);
    const [name] = gosumdb.split("+");
    const lookup = (module: string) => fetch(`${door.url}/sumdb/${name}/lookup/${module}`);
    const known = await lookup("example.com/m@v1.0.0");
    assert.match(
      await known.text(),
      /^\d+\nexample\.com\/m v1\.0\.0 h1:.*\nexample\.com\/m v1\.0\.0\/go\.mod h1:.*\n\n/,
    );
    assert.equal(door.open.count("/example.com/m/@v/v1.0.0.zip"), 0);
    // A private one comes in whole.
    assert.equal((await lookup("corp.example/team/secret@v1.0.0")).status, 200);
    assert.equal(door.corp.count("/corp.example/team/secret/@v/v1.0.0.zip"), 1);
    for (const nowhere of ["example.com/m@v1.0.1", "corp.example/team/secret@v1.0.1"])
      assert.equal((await lookup(nowhere)).status, 404, nowhere);
  });

  test("a moved tag and a second upstream with other bytes are security errors that name both hashes, with the files gone", async () => {
    const folder = makeDataFolder();
    await using corp = await ScriptedUpstream.start();
    await using other = await ScriptedUpstream.start();
    script(corp, modules.secret);
    script(other, moduleFixture(modules.secret.path, "v1.0.0", "package m // moved\n"));
    let gosumdb = "";
    /** Downloads on an empty machine through a new process on the same data folder, whose files of the module are gone. */
    const download = async (chain: string) => {
      rmSync(join(folder.path, "mod", modules.secret.path), { recursive: true, force: true });
      const upstreams = [{ patterns: "corp.example", chain }];
      const config = { upstreams, private: "corp.example", sumdb: { name: "off" } };
      const product = await startProduct({ data: folder.path, config });
      try {
        gosumdb = (await (await fetch(`${product.url}/-/gosumdb`)).text()).trim();
        using go = new GoMachine(product.url, { GOSUMDB: gosumdb }).write("go.mod", "module example.com/main\n");
        return await go.go("mod", "download", `${modules.secret.path}@v1.0.0`);
      } finally {
        await product.stop();
      }
    };
    try {
      done(await download(corp.url));
      const line = gosumdb;
      const moved = await download(other.url);
      assert.equal(moved.code, 1);
      assert.match(moved.stderr, /SECURITY ERROR: the zip of .* it was h1:\S{43}= and is now h1:\S{43}=/);
      // The true one is let in again, by the same log.
      done(await download(corp.url));
      assert.equal(gosumdb, line);
    } finally {
      folder.remove();
    }
  });
});
