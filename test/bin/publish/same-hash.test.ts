import assert from "node:assert/strict";
import { test } from "node:test";
import { folderRows } from "../../git/rows/folders.ts";
import { majorRows } from "../../git/rows/majors.ts";
import { tagRows } from "../../git/rows/tags.ts";
import { attributeRows, zipRows } from "../../git/rows/zips.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { hasGit } from "../../support/git-repository.ts";
import { PublishedRows } from "../../support/published-row.ts";

// A few of the rows that npm run test:git compares in full.

const rows = [...tagRows, ...majorRows, ...folderRows, ...zipRows, ...attributeRows];
const sample: Readonly<Record<string, readonly string[]>> = {
  "annotated tags": ["same"],
  "the root's LICENSE is added": ["same"],
  "a vendor folder since go 1.24": ["same"],
  "links are left out": ["same"],
  ident: ["same"],
  "attributes above the module's folder": ["same"],
  "a go.mod whose line ends change": ["go.mod that changes"],
  "a tag on a blob": ["refused", "refused", "same"],
  "a name with a colon": ["refused"],
};

test("what publish makes of a tag is what direct makes of it", {
  skip: hasGit ? false : "git is not installed",
}, async (t) => {
  await using published = await PublishedRows.open(dataFolder(t));
  for (const [rule, expected] of Object.entries(sample)) {
    const row = rows.find((each) => each.rule === rule);
    assert.ok(row !== undefined, rule);
    assert.deepEqual(await published.compare(row), expected, rule);
  }
});
