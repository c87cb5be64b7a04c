import assert from "node:assert/strict";
import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { closeDataFolder } from "../../../lambda/local/data/private-folder.ts";
import { dataFolder } from "../../support/data-folder.ts";

const skip = process.getuid === undefined ? "modes are POSIX's" : false;

interface Row {
  readonly what: string;
  readonly make: (folder: string) => void;
  readonly closed: boolean;
  readonly mode: number;
}

const open = (folder: string, mode = 0o755) => {
  mkdirSync(folder);
  chmodSync(folder, mode);
};

const rows: readonly Row[] = [
  { what: "none yet", make: () => {}, closed: false, mode: 0o700 },
  { what: "an empty one that all may read", make: open, closed: true, mode: 0o700 },
  { what: "one that is closed", make: (folder) => open(folder, 0o700), closed: false, mode: 0o700 },
  {
    what: "one in use, open to its group",
    make: (folder) => {
      open(folder, 0o750);
      for (const name of ["mod", "tmp"]) mkdirSync(join(folder, name));
      for (const name of ["index.sqlite", "index.sqlite-wal", "access.json", "tokens.sqlite"])
        writeFileSync(join(folder, name), "");
    },
    closed: true,
    mode: 0o700,
  },
  {
    what: "one with other things in it, such as a home",
    make: (folder) => {
      open(folder);
      writeFileSync(join(folder, "notes"), "");
    },
    closed: false,
    mode: 0o755,
  },
  { what: "everybody's, such as /tmp", make: (folder) => open(folder, 0o1777), closed: false, mode: 0o1777 },
];

for (const { what, make, closed, mode } of rows) {
  test(`a data folder is its owner's alone: ${what}`, { skip }, async (t: TestContext) => {
    const folder = join(dataFolder(t), "data");
    make(folder);
    assert.equal(await closeDataFolder(folder), closed);
    assert.equal(statSync(folder).mode & 0o7777, mode);
  });
}
