import assert from "node:assert/strict";
import { test } from "node:test";
import { isInScope, parseScope } from "../../../lambda/upstream/credentials/url-scope.ts";

const rows: readonly (readonly [scope: string, url: string, expected: boolean])[] = [
  ["git.example", "https://git.example/a/b", true],
  ["GIT.example", "https://git.EXAMPLE/", true],
  ["git.example", "https://git.example.evil/a", false],
  ["git.example", "https://evil.git.example/a", false],
  // Behind another port may be anything.
  ["git.example", "https://git.example:8443/a", false],
  ["git.example:8443", "https://git.example:8443/a", true],
  ["git.example:443", "https://git.example/a", true],
  ["[::1]:80", "http://[::1]:80/a", false],
  ["[::1]:8080", "http://[0:0::1]:8080/a", true],
  ["git.example/team", "https://git.example/team", true],
  ["git.example/team/", "https://git.example/team/a", true],
  ["git.example/team", "https://git.example/teams/a", false],
  ["git.example/team", "https://git.example/Team/a", false],
  ["git.example/team", "https://git.example/other/../team/a", true],
  ["git.example/team", "https://git.example/team/../other", false],
  ["git.example/team", "https://git.example/team%2Fa", false],
  ["git.example/team/repo", "https://git.example/team/repo.git/info/refs", true],
  ["git.example/team", "https://git.example/team.git/a", true],
  ["git.example/team/repo.git", "https://git.example/team/repo", false],
  ["git.example/team", "https://git.example/?/team", false],
];

for (const [scope, url, expected] of rows) {
  test(`${scope} ${expected ? "has" : "does not have"} ${url}`, () => {
    const parsed = parseScope(scope) ?? assert.fail("no scope");
    assert.equal(isInScope(new URL(url), parsed), expected);
  });
}

const wrong = [
  "",
  "/team",
  "https://git.example",
  "user@git.example",
  "git.example/a b",
  "git.example/../x",
  "git.example//x",
];
for (const text of [...wrong, "git.example?x", "git.example/%2e", "git.example:99999", "a:b:c", "git\\x", "[::1"]) {
  test(`${JSON.stringify(text)} is no scope`, () => assert.equal(parseScope(text), undefined));
}
