import assert from "node:assert/strict";
import { test } from "node:test";
import { type LogFormat, type LoggedRequest, requestLog } from "../../../lambda/local/server/request-log.ts";

const plain: LoggedRequest = { method: "GET", path: "/a.b/@v/list", status: 200, milliseconds: 1.26, error: undefined };

function logged(format: LogFormat, request: Partial<LoggedRequest>): string {
  const lines: string[] = [];
  requestLog(
    format,
    (line) => lines.push(line),
    () => new Date("2024-01-02T03:04:05.678Z"),
  )?.({ ...plain, ...request });
  return lines.join("");
}

const texts: readonly (readonly [request: Partial<LoggedRequest>, line: string])[] = [
  [{}, "03:04:05.678 200 GET /a.b/@v/list 1.3ms\n"],
  [{ milliseconds: 0 }, "03:04:05.678 200 GET /a.b/@v/list 0.0ms\n"],
  [{ status: 404, error: "no such version" }, "03:04:05.678 404 GET /a.b/@v/list 1.3ms  no such version\n"],
  // One request is one line, and moves no cursor, whatever it is called and answered.
  [{ path: "/a\n12:00:00.000 200 GET /b" }, "03:04:05.678 200 GET /a?12:00:00.000 200 GET /b 1.3ms\n"],
  [{ path: "/\u001b[2J\u0000\u007f\u009b" }, "03:04:05.678 200 GET /?[2J??? 1.3ms\n"],
  [{ error: "one\r\ntwo" }, "03:04:05.678 200 GET /a.b/@v/list 1.3ms  one??two\n"],
  // Who has a token to revoke may name it instead of its id.
  [
    { path: `/-/api/tokens/mf_${"aB-_9".repeat(9)}.${"c_-D".repeat(9)}/x` },
    "03:04:05.678 200 GET /-/api/tokens/mf_/x 1.3ms\n",
  ],
  [{ path: `/${"a".repeat(5_000)}` }, `03:04:05.678 200 GET /${"a".repeat(1_199)} 1.3ms\n`],
];

test("text is one line for a person at a terminal", () => {
  for (const [request, line] of texts) assert.equal(logged("text", request), line);
});

test("JSON is one line with all that is known", () => {
  const first =
    '{"time":"2024-01-02T03:04:05.678Z","method":"GET","path":"/a.b/@v/list","status":200,"milliseconds":1.26';
  assert.equal(logged("json", {}), `${first}}\n`);
  assert.equal(logged("json", { error: "why\nso" }), `${first},"error":"why\\nso"}\n`);
});

/** Of a client that takes us for a forward proxy. */
const targets: readonly (readonly [path: string, logged: string])[] = [
  ["http://user:secret@example.com/x", "http://example.com/x"],
  ["HTTPS://secret@example.com", "HTTPS://example.com"],
  ["http://user:sec@ret@example.com/a@b", "http://example.com/a@b"],
  ["http://example.com/a@b", "http://example.com/a@b"],
  ["http://user:pa/ss@h/", "http://h/"],
  ["http://user:pa/s@s@h.example/", "http://h.example/"],
  ["http://user:p@ss/w@h/", "http://h/"],
  ["//user:pw@h/", "//h/"],
  ["//user:pw@h.example/", "//h.example/"],
  ["//user:p/w@h/", "//h/"],
  ["http://example.com:8080/m/@v/list", "http://example.com:8080/m/@v/list"],
  ["http://[::1]:8080/m/@v/list", "http://[::1]:8080/m/@v/list"],
  ["/example.com/m/@v/list", "/example.com/m/@v/list"],
  ["/example.com//m/@v/list", "/example.com//m/@v/list"],
];

test("credentials in a target are not logged, in neither format", () => {
  for (const [path, shown] of targets) {
    assert.equal(logged("text", { path }), `03:04:05.678 200 GET ${shown} 1.3ms\n`);
    assert.equal(JSON.parse(logged("json", { path })).path, shown);
  }
});

test("no line is longer than a hostile client may make it", () => {
  const long = { path: `/${'"'.repeat(15_000)}`, error: "\u0001".repeat(15_000) };
  for (const format of ["text", "json"] as const) assert.ok(logged(format, long).length < 10_000, format);
});

test("off is no log at all", () => {
  assert.equal(
    requestLog("off", assert.fail, () => new Date()),
    undefined,
  );
});
