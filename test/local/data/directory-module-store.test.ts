import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DirectoryModuleStore } from "../../../lambda/local/data/directory-module-store.ts";
import { temporaryName } from "../../../lambda/runtime/temporary-files.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { readOnlyView, smallDisk } from "../../support/mounts.ts";
import { skipWithoutGo } from "../../support/xmod.ts";

// What only the directory promises; that it keeps the contract of ModuleStore is shown by contracts.test.ts.

const key = "a.example/x/@v/v1.0.0.mod";

test("names that could leave the folder, or be stored nowhere else, are refused", async (t) => {
  const store = await DirectoryModuleStore.open(dataFolder(t), 0);
  const long = "é".repeat(127);
  const element = "e".repeat(255);
  const longest = [element, element, element, "e".repeat(127), "e".repeat(128)].join("/");
  const rows = [
    "",
    "/",
    "/etc/passwd",
    "..",
    "a/../../b",
    "a/..",
    "./a",
    "a//b",
    "a/",
    "a\\..\\b",
    "a\0b",
    "a\nb",
    "a\u007f",
    `${long}${long}`,
    "\ud800",
    "\udc00a",
    `${longest}e`,
  ];
  const internal = { code: "internal" };
  for (const row of rows) {
    await assert.rejects(store.create(row, Buffer.from("")), internal, JSON.stringify(row));
    await assert.rejects(store.read(row), internal, JSON.stringify(row));
    await assert.rejects(store.size(row), internal, JSON.stringify(row));
    assert.throws(() => store.path(row), internal, JSON.stringify(row));
  }
  for (const row of [`${long}a`, longest, "...", "a/..b", "-"]) {
    assert.equal(await store.create(row, Buffer.from("")), true, row);
  }
  for (const prefix of ["../", "a/../", "/", "//"]) {
    await assert.rejects(async () => {
      for await (const found of store.keys(prefix)) assert.fail(found);
    }, internal);
  }
});

test("a file where a folder is needed, and the other way round, is store-failed and touches nothing", async (t) => {
  const data = dataFolder(t);
  const store = await DirectoryModuleStore.open(data, 0);
  await store.create("a/b", Buffer.from("file"));
  await store.create("c/d/e", Buffer.from("file"));
  const failed = (error: Error & { code?: unknown }) => error.code === "store-failed" && !error.message.includes(data);
  for (const below of ["a/b/c", "a/b/c/d"]) {
    await assert.rejects(store.create(below, Buffer.from("")), failed, below);
    assert.equal(await store.read(below), undefined);
    assert.equal(await store.size(below), undefined);
  }
  for (const folder of ["c", "c/d"]) {
    await assert.rejects(store.create(folder, Buffer.from("")), failed, folder);
    assert.equal(await store.read(folder), undefined);
    assert.equal(await store.size(folder), undefined);
  }
  assert.equal(Buffer.from((await store.read("a/b")) ?? []).toString(), "file");
  assert.deepEqual(readdirSync(join(data, "tmp")), []);
});

test("a source on the same disk is linked, not copied, unless it is a symbolic link", async (t) => {
  const data = dataFolder(t);
  const store = await DirectoryModuleStore.open(data, 0);
  const path = join(data, "tmp", temporaryName());
  writeFileSync(path, "zip");
  symlinkSync(path, `${path}-symlink`);
  await store.create("linked", { path });
  await store.create("copied", { path: `${path}-symlink` });
  assert.equal(statSync(store.path("linked")).ino, statSync(path).ino);
  assert.notEqual(statSync(store.path("copied")).ino, statSync(path).ino);
  assert.equal(Buffer.from((await store.read("copied")) ?? []).toString(), "zip");
});

test("opening sweeps what dead processes left, and nothing else", async (t) => {
  const data = dataFolder(t);
  await DirectoryModuleStore.open(data, 0);
  const [host, , self] = temporaryName().split("-");
  const dead = spawnSync(process.execPath, ["-e", ""]).pid;
  const now = Date.UTC(2026, 0, 2);
  const rows: readonly (readonly [name: string, swept: boolean])[] = [
    [`${host}-${dead}-aaaaaaaaaaaa-2`, true],
    [`${host}-${process.pid}-aaaaaaaaaaaa-2`, true], // an earlier process with our number: in a container, always
    [`${host}-${process.pid}-${self}-1`, false],
    [`${host}-${process.ppid}-aaaaaaaaaaaa-1`, true], // untouched for a day: the number was given to someone else
    [`${host}-${process.ppid}-aaaaaaaaaaaa-2`, false],
    [`00000000-${dead}-aaaaaaaaaaaa-old`, false],
    [`00000000-${dead}-aaaaaaaaaaaa-1`, true], // of another host, untouched for a day
    [`00000000-${dead}-aaaaaaaaaaaa-2`, false], // of another host, in use for all we know
    ["somebody's notes", false],
  ];
  for (const [name] of rows) {
    writeFileSync(join(data, "tmp", name), "");
    const age = name.endsWith("-2") ? 3_600_000 : 86_400_001;
    utimesSync(join(data, "tmp", name), (now - age) / 1000, (now - age) / 1000);
  }
  const folder = `${host}-${dead}-aaaaaaaaaaaa-3`;
  mkdirSync(join(data, "tmp", folder));
  writeFileSync(join(data, "tmp", folder, "index.sqlite"), "");
  await DirectoryModuleStore.open(data, now);
  const kept = rows.filter(([, swept]) => !swept).map(([name]) => name);
  assert.deepEqual(readdirSync(join(data, "tmp")).sort(), kept.sort());
});

test("names that others put into the folder are not listed", async (t) => {
  const data = dataFolder(t);
  const store = await DirectoryModuleStore.open(data, 0);
  await store.create(key, Buffer.from(""));
  for (const name of ["a\\b", "line\nend"]) writeFileSync(join(data, "mod", name), "");
  symlinkSync("/", join(data, "mod", "root"));
  const keys: string[] = [];
  for await (const each of store.keys("")) keys.push(each);
  assert.deepEqual(keys, [key]);
});

test("a full disk is store-failed in words, and leaves neither part of a file nor a temporary one", async (t) => {
  const data = smallDisk(t, 1 << 20);
  if (data === undefined) return;
  const store = await DirectoryModuleStore.open(data, 0);
  const source = join(dataFolder(t), "source");
  writeFileSync(source, Buffer.alloc(2 << 20));
  const full = { code: "store-failed", message: "the disk of the data folder is full" };
  await assert.rejects(store.create(key, Buffer.alloc(2 << 20)), full);
  await assert.rejects(store.create(key, { path: source }), full);
  assert.equal(await store.size(key), undefined);
  assert.deepEqual(readdirSync(join(data, "tmp")), []);
  assert.equal(await store.create(key, Buffer.alloc(1 << 19)), true, "it works again when there is room");
});

test("a source on another disk is copied", async (t) => {
  const disk = smallDisk(t, 1 << 20);
  if (disk === undefined) return;
  const store = await DirectoryModuleStore.open(dataFolder(t), 0);
  writeFileSync(join(disk, "source"), "from there");
  assert.equal(await store.create(key, { path: join(disk, "source") }), true);
  assert.equal(Buffer.from((await store.read(key)) ?? []).toString(), "from there");
});

test("a read-only disk is read, and refuses writes in words", async (t) => {
  const data = dataFolder(t);
  const store = await DirectoryModuleStore.open(data, 0);
  await store.create(key, Buffer.from("stored"));
  const at = readOnlyView(t, data);
  if (at === undefined) return;
  const readOnly = await DirectoryModuleStore.open(at, 0);
  assert.equal(Buffer.from((await readOnly.read(key)) ?? []).toString(), "stored");
  await assert.rejects(readOnly.create("b/new", Buffer.from("")), (error: Error & { code?: unknown }) => {
    assert.deepEqual([error.code, /read-only/.test(error.message)], ["store-failed", true]);
    return !error.message.includes(at);
  });
  assert.equal(await store.size("b/new"), undefined);
});

test("a data folder that cannot be made is store-failed", async (t) => {
  const file = join(dataFolder(t), "file");
  writeFileSync(file, "");
  await assert.rejects(DirectoryModuleStore.open(join(file, "data"), 0), { code: "store-failed" });
});

test("the folder is a GOPROXY for go itself", { skip: skipWithoutGo }, async (t) => {
  const data = dataFolder(t);
  const store = await DirectoryModuleStore.open(data, 0);
  const stem = "example.com/!upper/@v/v1.0.0";
  await store.create(`${stem}.info`, Buffer.from('{"Version":"v1.0.0","Time":"2024-01-02T03:04:05Z"}'));
  await store.create(`${stem}.mod`, Buffer.from("module example.com/Upper\n"));
  const run = spawnSync("go", ["mod", "download", "-json", "example.com/Upper@v1.0.0"], {
    cwd: dataFolder(t),
    encoding: "utf8",
    env: {
      ...process.env,
      GOPROXY: `file://${join(data, "mod")}`,
      GOSUMDB: "off",
      GOFLAGS: "-modcacherw",
      GOMODCACHE: dataFolder(t),
    },
  });
  const answer = JSON.parse(run.stdout) as Readonly<Record<string, string>>;
  // go.mod and info come from the folder; the zip, which is not stored, is what it misses.
  assert.match(answer.Info ?? "", /v1\.0\.0\.info$/);
  assert.match(answer.GoMod ?? "", /v1\.0\.0\.mod$/);
  assert.match(answer.Error ?? "", /v1\.0\.0\.zip/);
});
