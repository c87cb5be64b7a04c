import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { after, describe, test } from "node:test";
import { hasGit, scratch } from "../support/git-repository.ts";
import { type Outcome, PublishedRows } from "../support/published-row.ts";
import { folderRows } from "./rows/folders.ts";
import { historyRows, retractionRows } from "./rows/histories.ts";
import { majorRows } from "./rows/majors.ts";
import { tagRows } from "./rows/tags.ts";
import { attributeRows, zipRows } from "./rows/zips.ts";

// What `modfront publish --tag` makes of the oracle's repositories, and what `direct` makes of them, which
// test/git/direct.git.ts holds against go itself.

const rows = [...tagRows, ...majorRows, ...folderRows, ...historyRows, ...retractionRows, ...zipRows, ...attributeRows];
const wanted = process.env.GIT_ROWS ?? "";
const heavy = process.env.GIT_HEAVY === "1";
const chosen = rows.filter(({ rule, heavy: isHeavy }) => rule.includes(wanted) && (heavy || isHeavy !== true));

const folder = scratch("publish");
const published = await PublishedRows.open(folder);
const counts = new Map<Outcome, number>();
after(async () => {
  await published[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
  console.log([...counts].map(([outcome, count]) => `${count} ${outcome}`).join(", "));
});

describe("publishing a tag is what direct makes of it", { skip: hasGit ? false : "git is not installed" }, () => {
  for (const row of chosen) {
    test(row.rule, { timeout: 900_000 }, async () => {
      for (const outcome of await published.compare(row)) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    });
  }
  test("and nearly all of them say something", () => {
    if (wanted === "") assert.ok((counts.get("same") ?? 0) > 80 && (counts.get("refused") ?? 0) > 20);
  });
});
