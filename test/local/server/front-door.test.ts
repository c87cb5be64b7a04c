import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Asked, FrontDoor, script } from "../../support/front-door.ts";
import { moduleFixture } from "../../support/module-fixture.ts";

// docs/protocol.md "Paths" and "Bodies and headers": a row is a request, and its answer's status, headers and body together.

/** `200` and the headers of a kind of answer, in alphabetical order, then the body. */
function ok(
  kind: readonly [type: string, cache: string, ranges?: "ranges"],
  tag: string,
  body: string,
  length?: number,
) {
  const [type, cache, ranges] = kind;
  return [
    "200",
    ...(ranges ? ["accept-ranges: bytes"] : []),
    `cache-control: ${cache}`,
    `content-length: ${length ?? Buffer.byteLength(body)}`,
    `content-type: ${type}`,
    `etag: "${tag}"`,
    "x-content-type-options: nosniff",
    "",
    body,
  ].join("\n");
}

const live = [
  "200",
  "cache-control: no-store",
  "content-length: 3",
  "content-type: text/plain; charset=utf-8",
  "x-content-type-options: nosniff",
  "",
  "ok\n",
].join("\n");

/** An error: its line and how long caches may keep it. */
function refused(status: number, line: string, cache = "no-store", ...allow: readonly string[]): string {
  const length = `content-length: ${Buffer.byteLength(line) + 1}`;
  const type = "content-type: text/plain; charset=utf-8";
  return [
    status,
    ...allow,
    `cache-control: ${cache}`,
    length,
    type,
    "x-content-type-options: nosniff",
    "",
    `${line}\n`,
  ].join("\n");
}

const forever = "public, max-age=31536000, immutable";
const own = "max-age=31536000, immutable";
const shortly = "max-age=60, stale-while-revalidate=30, stale-if-error=86400";
const text = "text/plain; charset=utf-8";
const file = { info: ["application/json", forever, "ranges"], mod: [text, forever, "ranges"] } as const;
const zip = ["application/zip", forever, "ranges"] as const;

const info = '{"Version":"v1.0.0","Time":"2024-01-02T03:04:05Z"}';
/** What an upstream says of a branch: another time than the pseudo-version's, and a field nobody knows. */
const masterInfo =
  '{"Version":"v1.0.1-0.20240102030405-0123456789ab","Time":"2020-01-01T00:00:00Z","Origin":{"VCS":"git","Hash":"abc","x":1}}';
const goMod = "module github.com/Pub/m\n";
const tags = {
  info: "ys9Cz89j4r-9yOh3yT_-Y5",
  mod: "c7Yuzs3xC4cneofS8PsGc6",
  zip: "FPoT3MVnGMMIM0beFWY4bX",
  list: "HavgX6Z3ISMaanjRQUkVZa",
  query: "PyIrz1ApILoJvMm96lLMt3",
  nothing: "47DEQpj8HBSa-_TImW-5JC",
};
const whole = {
  info: ok(file.info, tags.info, info),
  mod: ok(file.mod, tags.mod, goMod),
  zip: ok(zip, tags.zip, "<4569 bytes 14fa13dcc56718c3>", 4569),
  list: ok([text, shortly], tags.list, "v1.0.0-rc.1\nv1.0.0\nv1.1.0\n"),
};
const at = "/github.com/!pub/m/@v";

const malformed = refused(400, "the path is malformed, or has a character that no module path has");
const elements = refused(400, "the path has an empty, . or .. element");
const capitals = refused(400, "upper-case letters are written as ! and the lower-case letter");
const nowhere = refused(404, "this is not a path of the module proxy protocol");
const readOnly = refused(405, "this address is only read", "no-store", "allow: GET, HEAD");

type Row = readonly [asked: string | Asked, answer: string];

const bodies: readonly Row[] = [
  [`${at}/v1.0.0.info`, whole.info],
  [`${at}/v1.0.0.mod`, whole.mod],
  [`${at}/v1.0.0.zip`, whole.zip],
  [`${at}/list`, whole.list],
  [
    "/github.com/!pub/m/@latest",
    ok(["application/json", shortly], "uku8stxaitL7L9aOhwXCsx", info.replace("0.0", "1.0")),
  ],
  // Caches between us and the viewer must not keep what only this viewer may see.
  ["/corp.example/m/@v/v1.0.0.mod", ok([text, own, "ranges"], "tMw34pi_x36xbGVw4UqD3n", "module corp.example/m\n")],
  [
    "/corp.example/m/@v/v1.0.0.zip",
    ok(["application/zip", own, "ranges"], "yo2mTRIphj3FnFn0HPHzvo", "<4555 bytes ca8da64d1229863d>", 4555),
  ],
  // A query is written anew: Time is the pseudo-version's own, Origin keeps its known fields.
  [
    "/corp.example/m/@v/master.info",
    ok(
      ["application/json", shortly],
      tags.query,
      '{"Version":"v1.0.1-0.20240102030405-0123456789ab","Time":"2024-01-02T03:04:05Z","Origin":{"VCS":"git","Hash":"abc"}}',
    ),
  ],
  ["/sumdb/sum.example.com/supported", ok([text, "public, max-age=3600"], tags.nothing, "")],
];

const paths: readonly Row[] = [
  ["/github.com/%21pub/m/%40v/v1%2E0.0.info", whole.info],
  ["/github.com/%21%70ub/m/@v/li%73t", whole.list],
  [`${at}/list?x=y&wait=3`, whole.list],
  [`${at}/v1.0.0.mod?`, whole.mod],
  // A second level is not decoded, and nothing that could become another path is.
  ["/github.com/%2521pub/m/@v/list", malformed],
  ["/github.com%2F!pub/m/@v/list", malformed],
  [`${at}/list%3F`, malformed],
  ["/github.com/!pub/m%00/@v/list", malformed],
  ["/github.com/!pub/m%/@v/list", malformed],
  ["/github.com/!pub/m%ff/@v/list", malformed],
  ["/a\\b/@v/list", malformed],
  ["*", malformed],
  ["http://other.example/github.com/!pub/m/@v/list", malformed],
  ["//github.com/!pub/m/@v/list", elements],
  ["/github.com/!pub/../!pub/m/@v/list", elements],
  ["/github.com/%2e%2e/m/@v/list", elements],
  ["/github.com/!pub/m/@v/list/", elements],
  ["/github.com/Pub/m/@v/list", capitals],
  ["/github.com/!Pub/m/@v/list", capitals],
  ["/github.com/!pub!/m/@v/list", capitals],
  [`${at}/v1.0.0-RC.info`, capitals],
  [`${at}/${"v".repeat(252)}.info`, refused(400, "a path element is longer than 255 bytes")],
  [
    `/${"a".repeat(200)}${`/${"a".repeat(200)}`.repeat(5)}/@v/list`,
    refused(400, "the path is longer than 1,024 bytes"),
  ],
  [`${at}/a*b.info`, refused(400, 'malformed version "a*b": invalid character "*"')],
  ["/pub/m/@v/list", refused(400, 'malformed module path "pub/m": missing dot in first path element')],
  [`${at}/v1.0.mod`, refused(404, "not a canonical version: v1.0", "max-age=5")],
  [`${at}/master.zip`, refused(404, "not a canonical version: master", "max-age=5")],
  [`${at}/v2.0.0.zip`, refused(404, "not a canonical version: v2.0.0", "max-age=5")],
  [`${at}/v1.0.0.ziphash`, nowhere],
  [`${at}/`, elements],
  ["/favicon.ico", nowhere],
  ["/-/nothing", nowhere],
  ["/sumdb/other.example.com/supported", refused(404, "this proxy does not know that checksum database", "max-age=5")],
];

const methods: readonly Row[] = [
  [{ method: "HEAD", path: `${at}/v1.0.0.info` }, ok(file.info, tags.info, "", info.length)],
  [{ method: "HEAD", path: `${at}/v1.0.0.zip` }, ok(zip, tags.zip, "", 4569)],
  // Range is for GET alone (RFC 9110, 14.2).
  [{ method: "HEAD", path: `${at}/v1.0.0.zip`, headers: { range: "bytes=0-1" } }, ok(zip, tags.zip, "", 4569)],
  [{ method: "HEAD", path: `${at}/list` }, ok([text, shortly], tags.list, "", 26)],
  [
    { method: "HEAD", path: `${at}/master.zip` },
    `${refused(404, "not a canonical version: master", "max-age=5").split("\n\n")[0]}\n\n`,
  ],
  [{ method: "POST", path: `${at}/list` }, readOnly],
  [{ method: "PUT", path: `${at}/v1.0.0.zip` }, readOnly],
  [{ method: "DELETE", path: "/" }, readOnly],
  [{ method: "OPTIONS", path: "/sumdb/sum.example.com/supported" }, readOnly],
];

/** The answer with a part of the body. */
function part(answer: string, range: string, length: number, body: string): string {
  const head = answer.split("\n\n")[0] ?? "";
  return `${head
    .replace("200", "206")
    .replace(/content-length: \d+/, `content-length: ${length}\ncontent-range: bytes ${range}`)}\n\n${body}`;
}

/** The answer for who has the body already. */
function unchanged(answer: string): string {
  const head = answer.split("\n\n")[0] ?? "";
  return `${head.replace("200", "304").replace(/content-length: \d+\n/, "")}\n\n`;
}

const unsatisfiable = (size: number) =>
  refused(416, `the range begins behind the end: there are ${size} bytes`, "no-store").replace(
    /^content-type/m,
    `content-range: bytes */${size}\ncontent-type`,
  );

const conditions: readonly (readonly [path: string, headers: Record<string, string>, answer: string])[] = [
  [`${at}/v1.0.0.mod`, { range: "bytes=0-5" }, part(whole.mod, "0-5/24", 6, "module")],
  [`${at}/v1.0.0.mod`, { range: "bytes=20-" }, part(whole.mod, "20-23/24", 4, "b/m\n")],
  [`${at}/v1.0.0.mod`, { range: "bytes=-4" }, part(whole.mod, "20-23/24", 4, "b/m\n")],
  [`${at}/v1.0.0.mod`, { range: "bytes=7-999" }, part(whole.mod, "7-23/24", 17, goMod.slice(7))],
  [`${at}/v1.0.0.zip`, { range: "bytes=0-1" }, part(whole.zip, "0-1/4569", 2, "PK")],
  [`${at}/v1.0.0.mod`, { range: "bytes=24-" }, unsatisfiable(24)],
  [`${at}/v1.0.0.mod`, { range: "bytes=-0" }, unsatisfiable(24)],
  // What is no range that we know is no range (RFC 9110, 14.2).
  [`${at}/v1.0.0.mod`, { range: "bytes=5-2" }, whole.mod],
  [`${at}/v1.0.0.mod`, { range: "bytes=0-1,3-4" }, whole.mod],
  [`${at}/v1.0.0.mod`, { range: "lines=1-2" }, whole.mod],
  [`${at}/v1.0.0.mod`, { range: "bytes=0-5", "if-range": `"${tags.mod}"` }, part(whole.mod, "0-5/24", 6, "module")],
  [`${at}/v1.0.0.mod`, { range: "bytes=0-5", "if-range": `"${tags.info}"` }, whole.mod],
  [`${at}/v1.0.0.mod`, { range: "bytes=0-5", "if-range": `W/"${tags.mod}"` }, whole.mod],
  [`${at}/v1.0.0.mod`, { "if-none-match": `"${tags.mod}"` }, unchanged(whole.mod)],
  [`${at}/v1.0.0.mod`, { "if-none-match": `"x", W/"${tags.mod}"` }, unchanged(whole.mod)],
  [`${at}/v1.0.0.zip`, { "if-none-match": "*" }, unchanged(whole.zip)],
  [`${at}/v1.0.0.mod`, { "if-none-match": `"${tags.info}"` }, whole.mod],
  [`${at}/v1.0.0.mod`, { "if-none-match": `"${tags.mod}"`, range: "bytes=0-5" }, unchanged(whole.mod)],
  [`${at}/list`, { "if-none-match": `"${tags.list}"` }, unchanged(whole.list)],
  // What has no tag nobody has already.
  ["/-/live", { "if-none-match": "*" }, live],
  ["/-/live", { "if-none-match": "" }, live],
  ["/-/live", { range: "bytes=0-1", "if-range": "" }, live],
];

describe("the front door", () => {
  let door: FrontDoor;

  before(async () => {
    door = await FrontDoor.start();
    await door.publish(moduleFixture("github.com/Pub/m"));
    await door.publish(moduleFixture("github.com/Pub/m", "v1.1.0"));
    script(door.corp, moduleFixture("corp.example/m"));
    const junk = "junk\nv2.0.0\nv0.0.0-20240101000000-0123456789ab\n<p>\nV1.5.0\nv1.5\nv1.6.0+build\n";
    door.open.on(`${at}/list`, { body: `v1.0.0\n${junk}v1.0.0\r\nv1.0.0-rc.1\nv1.1.0 2024-01-01T00:00:00Z\n` });
    door.corp.on("/corp.example/m/@v/master.info", { body: masterInfo });
  });

  after(() => door[Symbol.asyncDispose]());

  const rows = [...bodies, ...paths, ...methods];
  for (const [asked, answer] of rows) {
    const { method = "GET", path } = typeof asked === "string" ? { path: asked } : asked;
    test(`${method} ${path.length > 99 ? `${path.slice(0, 99)}…` : path}`, async () =>
      assert.equal(await door.ask(asked), answer));
  }

  for (const [path, headers, answer] of conditions) {
    test(`${JSON.stringify(headers)} of ${path.slice(at.length)}`, async () => {
      assert.equal(await door.ask({ path, headers }), answer);
    });
  }

  test("no request of these made anybody ask for what was refused", () => {
    const asked = [...door.open.requests, ...door.corp.requests].map(({ path }) => path);
    assert.deepEqual(
      asked.filter((path) => !/\/(v1\.[01]\.0\.(info|mod|zip)|list|master\.info)$|^\/sumdb\//.test(path)),
      [],
    );
    assert.deepEqual(door.warnings, []);
  });
});
