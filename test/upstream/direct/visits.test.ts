import assert from "node:assert/strict";
import { test } from "node:test";
import { parseChain } from "../../../lambda/proxy/sources/upstream-rules.ts";
import { Visits } from "../../../lambda/upstream/direct/visits.ts";
import { UrlRewrites } from "../../../lambda/upstream/git/url-rewrites.ts";
import { TrustedHosts } from "../../../lambda/upstream/http/trusted-hosts.ts";

const rewrite = [
  { from: "https://mirror.example/", to: "https://inside.example/" },
  { from: "https://plain.example/", to: "http://10.0.0.5:3000/" },
  { from: "ssh://git@token.example/", to: "https://token.example/" },
];
const hosts = new TrustedHosts(
  {
    upstreams: [],
    private: [],
    allowHosts: ["allowed.example"],
    git: { rewrite },
    credentials: [{ match: "token.example" }],
  },
  [
    { patterns: ["own.example/*"], chain: parseChain("https://proxy.example,direct") },
    { patterns: ["*"], chain: parseChain("direct") },
  ],
);
const visits = new Visits({
  hosts,
  rewrites: new UrlRewrites(rewrite),
  isPrivate: (module) => module.startsWith("private.example/"),
  client: {
    isTrusted: () => assert.fail("the client's own trust was asked for"),
    send: () => assert.fail("something was sent"),
  },
});

const inside = ["https://inside.example/", "https://own.example/", "https://token.example/", "http://10.0.0.5:3000/"];

/** The hosts inside that a module may be led to from a place, and whether it is shown credentials there. */
const rows: readonly (readonly [module: string, place: string, trusted: readonly string[], shown: boolean])[] = [
  ["private.example/x", "https://stranger.example/x", inside, true],
  ["stranger.example/x", "https://stranger.example/x", [], true],
  ["stranger.example/x", "https://mirror.example/x", [], false],
  ["stranger.example/x", "https://own.example/x", [], false],
  ["stranger.example/x", "https://token.example/x", [], false],
  ["stranger.example/x", "http://10.0.0.5:3000/x", [], false],
  // Its own host is inside: by a rule, or by a rewrite.
  ["own.example/x", "https://own.example/x", ["https://own.example/"], true],
  ["own.example/x", "https://own.example/other", ["https://own.example/"], false],
  ["own.example/x", "https://mirror.example/x", ["https://own.example/"], false],
  ["mirror.example/x", "https://mirror.example/x", ["https://inside.example/"], true],
  ["mirror.example/x", "https://mirror.example/other", ["https://inside.example/"], false],
  ["mirror.example/x", "https://plain.example/x", ["https://inside.example/"], false],
  ["plain.example/x", "https://plain.example/x", ["http://10.0.0.5:3000/"], true],
  // The name of what is rewritten to, or of a host with credentials, in place of the private name of what is there.
  ["inside.example/x", "https://inside.example/x", [], false],
  ["token.example/x", "https://token.example/x", [], true],
  ["10.0.0.5/x", "http://10.0.0.5:3000/x", [], false],
];

for (const [module, place, trusted, shown] of rows) {
  test(`${module} at ${place}`, () => {
    const { client, isTrusted, anonymous } = visits.to(place, module);
    for (const trusts of [isTrusted, client.isTrusted]) {
      assert.deepEqual(
        inside.filter((url) => trusts(new URL(url))),
        trusted,
      );
      assert.ok(trusts(new URL("https://allowed.example:8443/")));
      assert.ok(!trusts(new URL("http://10.0.0.6/")) && !trusts(new URL("https://stranger.example/")));
    }
    assert.equal(!anonymous, shown);
  });
}

test("what is known is kept apart for all who trust other hosts", () => {
  const of = (module: string) => visits.to("https://mirror.example/x", module).forWhom;
  const names = ["private.example/x", "stranger.example/x", "own.example/x", "mirror.example/x"].map(of);
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.every((name) => !name.includes(" ")));
  assert.equal(of("stranger.example/x"), of("other.example/y"));
});
