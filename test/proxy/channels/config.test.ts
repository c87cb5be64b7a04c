import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "../../../lambda/config/config.ts";

function read(channels: unknown) {
  return parseConfig(JSON.stringify({ channels })).channels;
}

test("a channel has upstreams, a share, a header and rewrites, each of which can be left out", () => {
  const canary = {
    upstreams: [{ patterns: "example.com", chain: "https://next.example|direct" }],
    share: 0.1,
    header: { name: "X-Canary", value: "yes" },
    rewrite: [{ from: "go.dev/v1", to: "corp.example/V1" }],
  };
  assert.deepEqual(read({ canary, b: {} }), {
    canary: {
      ...canary,
      upstreams: [{ patterns: ["example.com"], chain: "https://next.example|direct" }],
      header: { name: "x-canary", value: "yes" },
    },
    b: {},
  });
  assert.deepEqual(Object.keys(read({ a: { share: 0.1 }, b: { share: 0.2 }, c: { share: 0.7 } })), ["a", "b", "c"]);
});

test("what is wrong is named by its path", () => {
  const rule = (from: string, to: string) => ({ a: { rewrite: [{ from, to }] } });
  const rows: readonly (readonly [channels: unknown, message: RegExp])[] = [
    [{ Canary: {} }, /configuration key channels\.Canary: the name of a channel/],
    [{ default: {} }, /channels\.default: what is in no channel is called default/],
    [{ "a/b": {} }, /channels\.a\/b: the name of a channel/],
    [{ ["a".repeat(33)]: {} }, /the name of a channel is 1 to 32/],
    [{ a: { shares: 1 } }, /channels\.a\.shares: unknown, expected one of upstreams, policy, share, header, rewrite/],
    [{ a: { share: 1.1 } }, /channels\.a\.share: /],
    [{ a: { share: 0 } }, /channels\.a\.share: /],
    [{ a: { share: 0.6 }, b: { share: 0.5 } }, /channels: the shares are more than 1 together/],
    [{ a: { header: { name: "x-a" } } }, /channels\.a\.header\.value: /],
    [{ a: { header: { name: "x a", value: "1" } } }, /channels\.a\.header\.name: expected the name of a header/],
    [{ a: { header: { name: "Authorization", value: "1" } } }, /channels\.a\.header\.name: this header is not free/],
    [{ a: { header: { name: "X-Modfront-Channel", value: "1" } } }, /header\.name: this header is not free/],
    [{ a: { header: { name: "cookie", value: "1" } } }, /header\.name: this header is not free/],
    [{ a: { header: { name: "x-a", value: "a b" } } }, /channels\.a\.header\.value: expected 1 to 100 printable/],
    [{ a: { upstreams: [{ patterns: "*", chain: "https:/x" }] } }, /channels\.a\.upstreams\.0\.chain: entry 1 of/],
    [{ a: { upstreams: [{ patterns: "@no", chain: "off" }] } }, /channels\.a\.upstreams\.0\.patterns: /],
    [{ a: { policy: { deny: [{ modules: "a.b" }] } } }, /channels\.a\.policy\.deny\.0\.reason: /],
    [{ a: { policy: { deny: [{ modules: "@no", reason: "r" }] } } }, /channels\.a\.policy\.deny\.0\.modules: /],
    [rule("", "a.b"), /channels\.a\.rewrite\.0\.from: expected the beginning of a module path/],
    [rule("a.b/", "a.b"), /rewrite\.0\.from: expected the beginning/],
    [rule("a.b", "sumdb"), /channels\.a\.rewrite\.0\.to: expected the beginning/],
    [rule("a.b", "../x"), /rewrite\.0\.to: expected the beginning/],
  ];
  for (const [channels, message] of rows) assert.throws(() => read(channels), message, JSON.stringify(channels));
});
