import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTag, parseVersion } from "../../../bin/publish/named-version.ts";

test("a version that may be published is canonical, and not go's own to make", () => {
  for (const version of ["v0.0.0", "v1.2.3", "v1.2.3-rc.1", "v12.0.0", "v1.0.0-0.5"]) {
    assert.equal(parseVersion(version), version);
  }
  const wrong = [
    ...[
      "",
      "1.2.3",
      "v1",
      "v1.2",
      "v01.2.3",
      "v1.2.3+meta",
      "v2.0.0+incompatible",
      "latest",
      "main",
      "v1.2.3 ",
      "v1.2.3\n",
    ],
    ...["--help", "--upload-pack=x", "v0.0.0-20200101000000-abcdefabcdef", "v1.2.4-0.20200101000000-abcdefabcdef"],
  ];
  for (const version of wrong) assert.throws(() => parseVersion(version), { code: "usage" }, version);
});

test("a tag is a version or its whole name, by the folder that one is in", () => {
  // What --tag is, in which folder; the tag, its version, and the folder of the module.
  const rows: readonly (readonly [text: string, directory: string, tag: string, version: string, of: string])[] = [
    ["v1.2.3", "", "v1.2.3", "v1.2.3", ""],
    ["v1.2.3", "sub", "sub/v1.2.3", "v1.2.3", "sub"],
    ["v1.2.3", "sub/v2", "sub/v2/v1.2.3", "v1.2.3", "sub/v2"],
    ["v2.2.3", "sub/v2", "sub/v2.2.3", "v2.2.3", "sub"],
    ["v2.2.3", "v2", "v2.2.3", "v2.2.3", ""],
    ["v1.2.3", "v1", "v1/v1.2.3", "v1.2.3", "v1"],
    ["sub/v1.2.3", "", "sub/v1.2.3", "v1.2.3", "sub"],
    ["sub/v1.2.3", "sub", "sub/v1.2.3", "v1.2.3", "sub"],
    ["sub/v2.2.3", "sub/v2", "sub/v2.2.3", "v2.2.3", "sub"],
    ["sub/v2/v2.2.3", "sub/v2", "sub/v2/v2.2.3", "v2.2.3", "sub/v2"],
    ["--upload-pack=x/v1.2.3", "", "--upload-pack=x/v1.2.3", "v1.2.3", "--upload-pack=x"],
  ];
  for (const [text, folder, tag, version, directory] of rows) {
    assert.deepEqual(parseTag(text, folder), { tag, version, directory }, `${text} in ${folder}`);
  }
  const wrong = [
    ["sub/v1.2.3", "other"],
    ["/v1.2.3", ""],
    ["refs/tags/latest", ""],
    ["--upload-pack=x", ""],
    ["a\nb/v1.2.3", ""],
    ["sub/v1.2", ""],
    ["sub//v1.2.3", "sub"],
  ];
  for (const [text = "", folder = ""] of wrong) {
    assert.throws(() => parseTag(text, folder), { code: "usage" }, `${text} in ${folder}`);
  }
});
