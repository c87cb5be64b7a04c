import assert from "node:assert/strict";
import { test } from "node:test";
import {
  fileKey,
  internalPrefix,
  type PolicyName,
  parseFileKey,
  parseSumdbKey,
  policies,
  policyOf,
  stagedKey,
  sumdbKey,
  tilePolicy,
} from "../../../lambda/proxy/store/layout.ts";

const keys: readonly (readonly [key: string, path: string, version: string, kind: "info" | "mod" | "zip"])[] = [
  ["github.com/!azure/x/@v/v1.0.0.zip", "github.com/Azure/x", "v1.0.0", "zip"],
  ["a.example/@v/v1.0.0-!r!c.1.mod", "a.example", "v1.0.0-RC.1", "mod"],
  ["a.example/x.zip/v2/@v/v2.0.0-0.info", "a.example/x.zip/v2", "v2.0.0-0", "info"],
  ["a.example/x/@v/v2.0.0+incompatible.mod", "a.example/x", "v2.0.0+incompatible", "mod"],
];

for (const [key, path, version, kind] of keys) {
  test(`${key} is the key of a file, and the file's key`, () => {
    assert.deepEqual(parseFileKey(key), { module: { path, version }, kind });
    assert.equal(fileKey({ path, version }, kind), key);
  });
}

const others: readonly string[] = [
  "",
  "github.com/Azure/x/@v/v1.0.0.zip", // an upper-case letter is escaped
  "github.com/!azure/x/@v/v1.zip", // a query
  "github.com/!azure/x/@v/v2.0.0.zip", // without /v2 in the path
  "github.com/!azure/x/@v/v1.0.0.zip.tmp",
  "github.com/!azure/x/@v/a/v1.0.0.zip",
  "github.com/!azure/x/@v/list",
  "/@v/v1.0.0.mod",
  "a.example/!/@v/v1.0.0.mod",
  "a.example/..//@v/v1.0.0.mod",
  sumdbKey("sum.golang.org", "tile/8/0/000"),
  sumdbKey("sum.golang.org", "lookup/a.example@v1.0.0"),
  stagedKey("00"),
  `${internalPrefix}preheat/go.mod`,
];

for (const key of others) {
  test(`${JSON.stringify(key)} is the key of no file`, () => assert.equal(parseFileKey(key), undefined));
}

test("a key of a checksum database tells its name and path, no other key does", () => {
  for (const [name, path] of [
    ["sum.golang.org", "tile/8/0/000"],
    ["sum.golang.org", "lookup/github.com/!azure/x@v1.0.0"],
    ["log.example", "latest"],
  ] as const)
    assert.deepEqual(parseSumdbKey(sumdbKey(name, path)), { name, path });
  for (const key of ["sumdb", "sumdb/", "sumdb/x", "sumdb/x/", "sumdb//latest", "x/sumdb/a/b", "sumdbs/a/b"])
    assert.equal(parseSumdbKey(key), undefined, key);
});

test("what is of a private module differs in one thing: it does not say that it is public", () => {
  for (const name of Object.keys(policies) as PolicyName[]) {
    assert.equal(policyOf(name, false), policies[name]);
    const ofOne = ["info", "mod", "zip", "lookup"].includes(name);
    const { contentType, cacheControl } = policies[name];
    const kept = ofOne ? cacheControl.replace("public, ", "") : cacheControl;
    assert.deepEqual(policyOf(name, true), { contentType, cacheControl: kept });
    if (ofOne) assert.match(cacheControl, /^public, max-age=/);
  }
});

test("only a tile of full width is for ever", () => {
  for (const [h, w, name] of [
    [8, 256, "fullTile"],
    [8, 255, "partialTile"],
    [8, 1, "partialTile"],
    [1, 2, "fullTile"],
  ] as const)
    assert.equal(tilePolicy({ h, w }), name);
});
