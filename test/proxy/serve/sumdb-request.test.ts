import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePath } from "../../../lambda/proxy/serve/received-path.ts";
import { parseSumdbRequest, type SumdbRequest } from "../../../lambda/proxy/serve/sumdb-request.ts";

const theirs = { name: "sum.example.com", isOurs: false };
const ours = { name: "0123abcd.modfront", isOurs: true };
const parse = (path: string, database = theirs) =>
  parseSumdbRequest(parsePath(`/sumdb/${database.name}/${path}`), [theirs, ours]);
const lookup = (path: string, version: string) =>
  ({ kind: "lookup", policy: "lookup", module: { path, version } }) as const;
const tile = (path: string, policy: "fullTile" | "partialTile" | "records") =>
  ({ kind: "tile", policy, path }) as const;

/** Without saying of which database. */
type Asked = SumdbRequest extends infer Each ? (Each extends SumdbRequest ? Omit<Each, "database"> : never) : never;

const requests: readonly (readonly [path: string, request: Asked])[] = [
  ["supported", { kind: "supported" }],
  ["latest", { kind: "head", policy: "head" }],
  ["lookup/example.com/m@v1.0.0", lookup("example.com/m", "v1.0.0")],
  ["lookup/github.com/!azure/x@v1.0.0-!r!c", lookup("github.com/Azure/x", "v1.0.0-RC")],
  ["lookup/example.com/m@v2.0.0+incompatible", lookup("example.com/m", "v2.0.0+incompatible")],
  [
    "lookup/golang.org/toolchain@v0.0.1-go1.26.0.linux-amd64",
    lookup("golang.org/toolchain", "v0.0.1-go1.26.0.linux-amd64"),
  ],
  ["tile/8/0/000", tile("tile/8/0/000", "fullTile")],
  ["tile/8/0/x001/234", tile("tile/8/0/x001/234", "fullTile")],
  ["tile/8/2/000.p/255", tile("tile/8/2/000.p/255", "partialTile")],
  ["tile/8/data/000.p/7", tile("tile/8/data/000.p/7", "partialTile")],
];

test("what a path asks for, and how long caches may keep it", () => {
  for (const [path, request] of requests)
    assert.deepEqual(parse(path), { database: theirs, ...request } as SumdbRequest, path);
});

test("of our own log the records are for nobody's cache, and everything else is the same", () => {
  for (const [path, request] of requests) {
    const policy = path.startsWith("tile/8/data/") ? { policy: "records" } : {};
    assert.deepEqual(parse(path, ours), { database: ours, ...request, ...policy } as SumdbRequest, path);
  }
});

test("another database is not found, nor any where none is configured", () => {
  for (const target of [
    "/sumdb/sum.golang.org/latest",
    "/sumdb/sum.example.com.evil.example/latest",
    "/sumdb/sum.example.com",
    "/sumdb/SUM.EXAMPLE.COM/latest",
    "/sumdb/undefined/latest",
  ]) {
    assert.throws(() => parseSumdbRequest(parsePath(target), [theirs, ours]), { code: "not-found" }, target);
    assert.throws(() => parseSumdbRequest(parsePath(target), []), { code: "not-found" }, target);
  }
});

test("other paths and heights are not found", () => {
  for (const path of ["lookup", "tile", "LATEST", "x", "tile/9/0/000", "tile/1/0/000"]) {
    assert.throws(() => parse(path), { code: "not-found" }, path);
  }
});

const malformed: readonly string[] = [
  "",
  "/latest",
  "supported/",
  "latest/",
  "lookup/",
  "lookup/@",
  "lookup/example.com/m",
  // Without its last letter it is a module path, and as a whole a version.
  "lookup/a.bb",
  "lookup/example.com/m@",
  "lookup/@v1.0.0",
  "lookup/example.com/m@v1.0.0@v1.0.0",
  "lookup/example.com/m@v1.0.0@",
  "lookup/example.com/m@v1.0.0/go.mod",
  "lookup/example.com/m@v1",
  "lookup/example.com/m@latest",
  "lookup/example.com/m@v1.0.0+meta",
  "lookup/example.com/M@v1.0.0",
  "lookup/example.com/m@v1.0.0-RC",
  "lookup/example.com/../m@v1.0.0",
  "lookup/nodot@v1.0.0",
  "lookup/example.com/m\n@v1.0.0",
  "tile/",
  "tile/8/0/0",
  "tile/8/00/000",
  "tile/8/0/../000",
  "tile/8/-1/000",
  "tile/8/64/0000",
  "tile/8/0/000.p/0",
  "tile/8/0/000.p/256",
  "tile/8/0/000.p/007",
  "tile/8/0/x001",
  "tile/8/0/x001/x234",
  "tile/31/0/000",
  `tile/8/0/${"x999/".repeat(8)}999`,
];

test("malformed paths, module paths, versions and tiles are bad requests", () => {
  for (const path of malformed) assert.throws(() => parse(path), { code: "bad-request" }, path);
});
