import assert from "node:assert/strict";
import { test } from "node:test";
import { type ModuleRequest, parseModuleRequest } from "../../../lambda/proxy/serve/module-request.ts";
import { parsePath } from "../../../lambda/proxy/serve/received-path.ts";

const parse = (target: string) => parseModuleRequest(parsePath(target));
const file = (kind: "info" | "mod" | "zip", path: string, version: string) => ({ kind, module: { path, version } });
const query = (text: string): ModuleRequest => ({ kind: "query", path: "example.com/m", query: text });

const requests: readonly (readonly [target: string, request: ModuleRequest])[] = [
  ["/example.com/m/@v/list", { kind: "list", path: "example.com/m" }],
  ["/example.com/m/@latest", { kind: "latest", path: "example.com/m" }],
  ["/a.b/@v/list", { kind: "list", path: "a.b" }],
  ["/github.com/!azure/x/@v/list", { kind: "list", path: "github.com/Azure/x" }],
  ["/example.com/m/@v/v1.2.3.info", file("info", "example.com/m", "v1.2.3")],
  ["/example.com/m/@v/v1.2.3.mod", file("mod", "example.com/m", "v1.2.3")],
  ["/example.com/m/@v/v1.2.3.zip", file("zip", "example.com/m", "v1.2.3")],
  ["/example.com/m/@v/v1.0.0-!r!c.1.mod", file("mod", "example.com/m", "v1.0.0-RC.1")],
  ["/example.com/m/v2/@v/v2.0.0.mod", file("mod", "example.com/m/v2", "v2.0.0")],
  ["/example.com/m/@v/v2.0.0+incompatible.zip", file("zip", "example.com/m", "v2.0.0+incompatible")],
  ["/gopkg.in/m.v2/@v/v2.0.0.mod", file("mod", "gopkg.in/m.v2", "v2.0.0")],
  [
    "/example.com/m/@v/v0.0.0-20240102030405-0123456789ab.mod",
    file("mod", "example.com/m", "v0.0.0-20240102030405-0123456789ab"),
  ],
  // `.info` of everything that is no canonical version of the path's major is a query.
  ["/example.com/m/@v/main.info", query("main")],
  ["/example.com/m/@v/!feature.info", query("Feature")],
  ["/example.com/m/@v/latest.info", query("latest")],
  ["/example.com/m/@v/list.info", query("list")],
  ["/example.com/m/@v/v1.info", query("v1")],
  ["/example.com/m/@v/v1.0.info", query("v1.0")],
  ["/example.com/m/@v/v01.0.0.info", query("v01.0.0")],
  ["/example.com/m/@v/v1.0.0+meta.info", query("v1.0.0+meta")],
  ["/example.com/m/@v/v2.0.0.info", query("v2.0.0")],
  ["/example.com/m/@v/v1.0.0.zip.info", query("v1.0.0.zip")],
  ["/example.com/m/@v/!v1.0.0.info", query("V1.0.0")],
];

test("what a path asks for", () => {
  for (const [target, request] of requests) assert.deepEqual(parse(target), request, target);
});

const absent: readonly string[] = [
  "",
  "/",
  "/example.com/m",
  "/@latest",
  "/@v/list",
  "/-/m/@v/list",
  "/example.com/m/@v/@v/list",
  "/example.com/m/@v/x/@latest",
  "/example.com/m/@latestx",
  "/example.com/m/@vlist",
  "/example.com/m/@v/v1.0.0",
  "/example.com/m/@v/.info",
  "/example.com/m/@v/v1.0.0.INFO",
  "/example.com/m/@v/v1.0.0.ziphash",
  "/example.com/m/@v/v1.0.0/.info",
  // No file but .info is there of what is not canonical.
  "/example.com/m/@v/main.zip",
  "/example.com/m/@v/latest.mod",
  "/example.com/m/@v/v1.mod",
  "/example.com/m/@v/v1.0.0+meta.zip",
  "/example.com/m/@v/v2.0.0.mod",
  "/example.com/m/v2/@v/v1.0.0.zip",
  "/example.com/m/@v/v1.0.0.info.mod",
];

test("what there cannot be is not found", () => {
  for (const target of absent) assert.throws(() => parse(target), { code: "not-found" }, target);
});

const malformed: readonly string[] = [
  // Module paths.
  "//@latest",
  "/example.com/m/@latest/",
  "/example.com/m/@v/",
  "/example.com/m/@v/list/",
  "/nodot/@v/list",
  "/Example.com/m/@v/list",
  "/!example.com/m/@v/list",
  "/example.com/M/@v/list",
  "/example.com/m!/@v/list",
  "/example.com/!!m/@v/list",
  "/example.com/../m/@v/list",
  "/example.com/./m/@latest",
  "/example.com//m/@v/list",
  "//example.com/m/@v/list",
  "/example.com/m//@v/list",
  "/example.com/.m/@v/list",
  "/example.com/m./@v/list",
  "/example.com/con/@v/list",
  "/example.com/m~1/@v/list",
  "/example.com/m/v1/@v/list",
  "/gopkg.in/m/@v/list",
  "/example.com/%40/@v/list",
  "/example.com/m?/@v/list",
  "/example.com/é/@v/list",
  "/example.com/m\0/@v/list",
  "/example.com/m\n/@latest",
  "/example.com\\m/@v/list",
  // Versions, which are one element of a file's path.
  "/example.com/m/@v/...info",
  "/example.com/m/@v/...zip",
  "/example.com/m/@v/con.info",
  "/example.com/m/@v/a\\b.info",
  "/example.com/m/@v/a:b.info",
  "/example.com/m/@v/V1.0.0.info",
  "/example.com/m/@v/v1.0.0-RC.mod",
  "/example.com/m/@v/v1.0.0!.mod",
  "/example.com/m/@v/v1.0.0\n.info",
  "/example.com/m/@v/v1.0.0\0.zip",
  "/example.com/m/@v/é.info",
];

test("what is malformed is a bad request", () => {
  for (const target of malformed) assert.throws(() => parse(target), { code: "bad-request" }, target);
});

test("a long hostile path is refused like a short one", () => {
  for (const part of ["/@v", "/@v/", "@latest/", ".info", "!", "a/", "v1.0.0.", "\n"]) {
    const target = `/example.com/${part.repeat(100_000)}`;
    assert.throws(() => parse(target), { name: "CodedError" });
    assert.throws(() => parse(`${target}/@v/x`), { name: "CodedError" });
  }
});
