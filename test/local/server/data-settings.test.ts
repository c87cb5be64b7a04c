import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readDataSettings } from "../../../lambda/local/server/data-settings.ts";
import { dataFolder } from "../../support/data-folder.ts";

test("a verb reads folder and configuration as npm start does, and nothing that only a server needs", (t) => {
  const file = join(dataFolder(t), "config.json");
  writeFileSync(file, '{"private":"corp.example"}');
  const rows: readonly (readonly [given: object, environment: Record<string, string>, data: string, own: string[]])[] =
    [
      [{}, {}, ".modfront", []],
      [{}, { MODFRONT_DATA: "", MODFRONT_CONFIG: "" }, ".modfront", []],
      [{}, { MODFRONT_DATA: "env", MODFRONT_CONFIG: file }, "env", ["corp.example"]],
      [{ data: "--x=y", config: file }, { MODFRONT_DATA: "env", MODFRONT_CONFIG: "/none" }, "--x=y", ["corp.example"]],
      [{}, { MODFRONT_PORT: "no port" }, ".modfront", []],
    ];
  for (const [given, environment, data, own] of rows) {
    const settings = readDataSettings(given, environment);
    assert.deepEqual([settings.data, settings.config.private], [data, own]);
  }
  assert.throws(() => readDataSettings({ config: `${file}.none` }, {}), { code: "config" });
});
