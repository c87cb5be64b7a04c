import assert from "node:assert/strict";
import { test } from "node:test";
import { readReport } from "../../../bin/publish/api-report.ts";

// What gorelease prints, word for word.

const incompatible = `# x.example/m
## incompatible changes
B: removed
## compatible changes
C: added

# summary
Inferred base version: v1.0.0
v1.1.0 is not a valid semantic version for this release.
There are incompatible changes.
`;

const compatible = `# summary
Inferred base version: v1.0.0
v1.1.0 is a valid semantic version for this release.
`;

const first = `# summary
Inferred base version: none
v1.1.0 is a valid semantic version for this release.
`;

const broken = `# x.example/m
## errors in release version:
a.go:3:1: undefined: B
## incompatible changes
B: removed

# summary
Inferred base version: v1.0.0
v1.1.0 is not a valid semantic version for this release.
Errors were found in one or more packages.
`;

test("a report says which version was compared, and what its API is to that of this one", () => {
  const rows: readonly (readonly [text: string, base: string, verdict: string])[] = [
    [incompatible, "v1.0.0", "incompatible"],
    [compatible, "v1.0.0", "compatible"],
    [first, "none", "compatible"],
    [broken, "v1.0.0", "unknown"],
  ];
  for (const [text, base, verdict] of rows) {
    const report = { state: "compared", base, verdict, text };
    assert.deepEqual(readReport("v1.1.0", text, "go: downloading x v1.0.0\n"), report);
  }
});

test("what was not compared is neither, but not run", () => {
  const rows: readonly (readonly [stdout: string, stderr: string, why: string])[] = [
    ["", "go: downloading x v1.0.0\ngorelease: preparing to load packages\n", "gorelease: preparing to load packages"],
    ["", "", "gorelease says nothing"],
    [first.replace("v1.1.0", "v9.9.9"), "x\u001b[2J\n\n", "x?[2J"],
    ["v1.1.0 is a valid semantic version for this release.\n", "\ty\n", "y"],
  ];
  for (const [stdout, stderr, why] of rows) {
    assert.deepEqual(readReport("v1.1.0", stdout, stderr), { state: "not-run", why }, stdout);
  }
});
