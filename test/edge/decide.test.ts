import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decide } from "../../lambda/edge/decide.ts";
import { encodePath } from "../../lambda/edge/routed-path.ts";
import { fitsPattern, patterns } from "../../lambda/edge/routes.ts";
import { openContext } from "../support/tokens.ts";

/** Everything is open: these are the tests of paths; test/edge/access.test.ts has those of people. */
function ask(path: string, method = "GET") {
  return decide({ method, path, credentials: undefined }, openContext);
}

/** The parts of a forward that a row names, or the status of an answer. */
function outcome(target: string, method?: string): string | number {
  const decision = ask(target, method);
  if (decision.kind === "answer") return decision.status;
  const { route, path, module = "", version = "" } = decision.routed;
  return [route, path, module, version].join(" ").trimEnd();
}

test("every spelling of a path becomes the one that x/mod writes", () => {
  const upper = "/github.com/!azure/x";
  const rows: readonly (readonly [target: string, forward: string])[] = [
    [`${upper}/@v/list`, `list ${upper}/@v/list github.com/Azure/x`],
    ["/github.com/%21azure/x/@v/list", `list ${upper}/@v/list github.com/Azure/x`], // what the go command sends
    [`${upper}/@v%2Flist`, "400"],
    [`${upper}/%40v/list`, `list ${upper}/@v/list github.com/Azure/x`],
    [`${upper}/@v/li%73t`, `list ${upper}/@v/list github.com/Azure/x`],
    [`${upper}/@latest`, `latest ${upper}/@latest github.com/Azure/x`],
    [`${upper}/@v/v1.0.0.info`, `info ${upper}/@v/v1.0.0.info github.com/Azure/x v1.0.0`],
    [`${upper}/@v/v1.0.0%2Emod`, `mod ${upper}/@v/v1.0.0.mod github.com/Azure/x v1.0.0`],
    ["/a.b/@v/v2.0.0+incompatible.zip", "zip /a.b/@v/v2.0.0+incompatible.zip a.b v2.0.0+incompatible"],
    ["/a.b/@v/v2.0.0%2bincompatible.zip", "zip /a.b/@v/v2.0.0+incompatible.zip a.b v2.0.0+incompatible"],
    ["/a.b/@v/v1.0.0-!r!c1.zip", "zip /a.b/@v/v1.0.0-!r!c1.zip a.b v1.0.0-RC1"],
    ["/a.b/@v/main.info", "info /a.b/@v/main.info a.b main"],
    ["/a.b/@v/list.info", "info /a.b/@v/list.info a.b list"], // a branch called list
    ["/a.b/@v/100%25.info", "info /a.b/@v/100%.info a.b 100%"], // and a percent sign
    ["/a.b/@v/a%252fb.info", "info /a.b/@v/a%2fb.info a.b a%2fb"], // which is not decoded again
    ["/a.b/@v/a%20b%23c.info", "info /a.b/@v/a b#c.info a.b a b#c"], // x/mod's file-path rule allows these in a query
    ["/a.b/@v/%C3%A9.info", "info /a.b/@v/é.info a.b é"],
    ["/a.b/c.zip/@v/list", "list /a.b/c.zip/@v/list a.b/c.zip"],
    ["/sumdb/sum.golang.org/supported", "sumdb /sumdb/sum.golang.org/supported"],
    ["/sumdb/sum.golang.org/tile/8/0/x001/234.p/5", "sumdb /sumdb/sum.golang.org/tile/8/0/x001/234.p/5"],
    ["/sumdb/s.org/lookup/a.b/!c@v1.0.0", "sumdb /sumdb/s.org/lookup/a.b/!c@v1.0.0 a.b/C v1.0.0"],
    ["/sumdb/s.org/lookup/a.b@v1.zip", "sumdb /sumdb/s.org/lookup/a.b@v1.zip a.b v1.zip"],
    ["/", "site /"],
    ["/-/page", "site /"],
    ["/-/live", "site /-/live"],
    ["/%2d/ready", "site /-/ready"],
  ];
  for (const [target, forward] of rows) assert.equal(`${outcome(target)}`, forward, target);
});

test("what no module path can be is refused without asking anyone", () => {
  const rows: readonly (readonly [target: string, status: number])[] = [
    ["/github.com/Azure/x/@v/list", 400],
    ["/github.com/%41zure/x/@v/list", 400],
    ["/a.b/@v/V1.0.0.info", 400],
    ["/a.b/!/@v/list", 400],
    ["/a.b/!A/@v/list", 400],
    ["/a.b/x!/@v/list", 400],
    ["/a.b/%2521azure/@v/list", 400],
    ["/a.b/100%25/@v/main.info", 400],
    ["/a.b/@v/100%25.mod", 400],
    ["/a.b/@v/100%25.zip", 400],
    ["/a.b/@v/100%25.info/list", 400],
    ["/a.b%25.info/@v/list", 400],
    ["/a.b/@v/a%2fb.info", 400],
    ["/a.b/@v/a%3Fb.info", 400],
    ["/sumdb/s.org/lookup/a.b%25@v1", 400],
    ["/-/100%25", 400],
    ["/a.b%2fc/@v/list", 400],
    ["/a.b/%3Fc/@v/list", 400],
    ["/a.b/%00/@v/list", 400],
    ["/a.b/%1f/@v/list", 400],
    ["/a.b/%7F/@v/list", 400],
    ["/a.b/%C2%80/@v/list", 400], // a control character of two bytes
    ["/a.b/%FF/@v/list", 400],
    ["/a.b/%C0%AF/@v/list", 400], // an overlong slash
    ["/a.b/%ED%A0%80/@v/list", 400], // half a surrogate pair
    ["/a.b/%/@v/list", 400],
    ["/a.b/%4/@v/list", 400],
    ["/a.b/%zz/@v/list", 400],
    ["/a.b/\u00e9/@v/list", 400],
    ["/a.b//@v/list", 400],
    ["//a.b/@v/list", 400],
    ["/a.b/./@v/list", 400],
    ["/a.b/../@v/list", 400],
    ["/a.b/%2e%2E/@v/list", 400],
    ["/a.b/.%2e/@v/list", 400],
    ["/a.b/@v/..", 400],
    ["/a.b\\c/@v/list", 400],
    ["/a.b/%5C/@v/list", 400],
    ["/a.b/ /@v/list", 400],
    ["/a.b/@v/list/", 400],
    ["", 400],
    ["*", 400],
    ["http://host/a.b/@v/list", 400],
    ["/sumdb/s.org/lookup/a.b", 400],
    ["/sumdb/s.org/lookup/a.b@v1/lookup/c.d@v1", 400],
    ["/sumdb/s.org/lookup/a.B@v1", 400],
    ["/sumdb", 404],
    ["/a.b", 404],
    ["/a.b/@v/", 400],
    ["/a.b/@v", 404],
    ["/@v/list", 404],
    ["/a.b/@v/.info", 404],
    ["/a.b/@v/v1.0.0", 404],
    ["/a.b/@v/v1.0.0.ziphash", 404],
    ["/a.b/@v/a/b.info", 404],
    ["/a.b/@latest/x", 404],
    ["/-/", 400],
    ["/favicon.ico", 404],
  ];
  for (const [target, status] of rows) assert.equal(outcome(target), status, JSON.stringify(target));
});

test("elements of more than 255 bytes and keys of more than 1,024 are refused", () => {
  const module = (length: number) =>
    `a.b/${"c".repeat(200)}/${"d".repeat(200)}/${"e".repeat(200)}/${"f".repeat(length)}`;
  const rows: readonly (readonly [target: string, accepted: boolean])[] = [
    [`/${"a".repeat(255)}/@v/list`, true],
    [`/${"a".repeat(256)}/@v/list`, false],
    [`/a.b/@v/${"v".repeat(250)}.info`, true],
    [`/a.b/@v/${"v".repeat(251)}.info`, false],
    [`/a.b/@v/${"%C3%A9".repeat(125)}.info`, true], // 250 bytes, 125 letters
    [`/a.b/@v/${"%C3%A9".repeat(126)}.info`, false],
    [`/a.b/@v/${"%F0%9F%98%80".repeat(63)}.info`, false], // 252 bytes and the file type
  ];
  for (const [target, accepted] of rows) {
    assert.equal(outcome(target) !== 400, accepted, `${target.length} ${target.slice(-20)}`);
  }
  const key = `${module(200)}/`;
  const longest = `/${key}${"g".repeat(1024 - key.length - "/@v/list".length)}/@v/list`;
  assert.equal(longest.length, 1025);
  assert.equal(ask(longest).kind, "forward");
  assert.equal(outcome(longest.replace("/ggg", "/gggg")), 400);
  const spelt = longest.replace(/[a-z]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
  assert.equal(outcome(spelt), outcome(longest));
  assert.equal(outcome(`/${"x".repeat(100_000)}`), 400);
});

test("other methods than the row's are answered 405 with Allow, on a path that exists", () => {
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "get", ""]) {
    const answer = ask("/a.b/@v/list", method);
    assert.deepEqual(answer, {
      kind: "answer",
      status: 405,
      headers: {
        "content-type": "text/plain; charset=utf-8",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        allow: "GET, HEAD",
      },
      body: "this address is only read\n",
    });
  }
  assert.equal(outcome("/a.b/@v/list", "HEAD"), outcome("/a.b/@v/list"));
  assert.equal(outcome("/a.B/@v/list", "POST"), 400);
});

test("a spelling for which CloudFront chose another behaviour is marked, and only that", () => {
  const rows: readonly (readonly [target: string, misrouted: boolean])[] = [
    ["/github.com/%21azure/x/@v/list", false],
    ["/a.b/@v/v2.0.0%2bincompatible.zip", false],
    ["/a.b/%40v/list", true],
    ["/a.b/%40v/v1.0.0.zip", false], // *.zip all the same
    ["/a.b/@v/v1.0.0.z%69p", true],
    ["/a.b/%40latest", true],
    ["/%73umdb/s.org/lookup/a.b@v1.zip", true],
    ["/%2d/live", true],
    ["/-/liv%65", false],
  ];
  for (const [target, misrouted] of rows) {
    const decision = ask(target);
    assert.equal(decision.kind === "forward" && decision.misrouted, misrouted, target);
  }
});

test("CloudFront tries the behaviours in the order that keeps lookups out of the file types", () => {
  const order = Object.values(patterns);
  assert.deepEqual(order, ["/-/*", "/sumdb/*", "*/@v/list", "*/@latest", "*.info", "*.mod", "*.zip"]);
  const chosen = (path: string) => order.find((pattern) => fitsPattern(pattern, path));
  assert.equal(chosen("/sumdb/s.org/lookup/a.b@v1.zip"), "/sumdb/*");
  assert.equal(chosen("/a.b/@v/v1.0.0.zip"), "*.zip");
  assert.equal(chosen("/a.b"), undefined);
  assert.equal(chosen("/"), undefined);
});

test("a canonical path, encoded as a URI, is received as itself", () => {
  const query = fc.string({
    unit: fc.constantFrom(..."abz019.-_~+!#$&()=@[]^{} ,é世".split("")),
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(query, (text) => {
      const first = ask(encodePath(`/a.b/@v/${text}.info`));
      if (first.kind === "answer") return;
      const uri = encodePath(first.routed.path);
      assert.doesNotMatch(uri, /[+#?\s]/);
      assert.deepEqual(ask(uri), first);
    }),
  );
});
