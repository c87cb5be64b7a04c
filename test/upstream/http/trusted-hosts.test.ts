import assert from "node:assert/strict";
import { test } from "node:test";
import { parseChain } from "../../../lambda/proxy/sources/upstream-rules.ts";
import { TrustedHosts } from "../../../lambda/upstream/http/trusted-hosts.ts";

const config = {
  upstreams: [],
  private: [],
  allowHosts: ["inside.example", "0:0::1"],
  sumdb: { url: "https://sum.example/base" },
  git: { rewrite: [{ to: "http://10.0.0.5:3000/git/" }] },
  credentials: [
    { match: "git.example/team" },
    { match: "127.0.0.1:8080" },
    { match: "ghe.example", api: "https://api.example" },
  ],
};
const rules = [
  ["proxied.example", "https://proxy.example,http://other.example:8081|off"],
  ["corp.example/*,*.team.example/x", "https://own.example,direct"],
  ["host.example", "direct"],
  ["*", "direct"],
] as const;
const hosts = new TrustedHosts(
  config,
  rules.map(([patterns, chain]) => ({ patterns: [patterns], chain: parseChain(chain) })),
);

// Named: wherever it resolves to, also over plain http. Allowed: wherever it resolves to, but shown nothing over plain http.
const rows: readonly (readonly [url: string, expected: "named" | "allowed" | "neither"])[] = [
  ["https://proxy.example/x", "named"],
  ["http://proxy.example/x", "neither"],
  ["http://other.example:8081/", "named"],
  ["https://other.example/", "neither"],
  ["https://own.example/", "named"],
  // A module that a rule leads to its own repository is named by its pattern; with a wildcard it is anybody's.
  ["https://corp.example/x?go-get=1", "named"],
  ["http://corp.example/x", "neither"],
  ["https://host.example/", "named"],
  ["https://proxied.example/", "neither"],
  ["https://x.team.example/", "neither"],
  ["https://team.example/", "neither"],
  ["https://sum.example/", "named"],
  ["http://10.0.0.5:3000/git/x", "named"],
  ["https://10.0.0.5:3000/git/x", "named"],
  ["http://10.0.0.5/", "neither"],
  ["https://git.example/other", "named"],
  ["http://git.example/other", "neither"],
  ["http://127.0.0.1:8080/", "named"],
  ["https://api.example/", "named"],
  ["http://inside.example:99/", "allowed"],
  ["https://[::1]/", "allowed"],
];

for (const [url, expected] of rows) {
  test(`${url} is ${expected}`, () => {
    const to = new URL(url);
    assert.equal(hosts.isNamed(to) ? "named" : hosts.has(to) ? "allowed" : "neither", expected);
  });
}
