import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "../../../lambda/config/config.ts";
import { UrlRewrites } from "../../../lambda/upstream/git/url-rewrites.ts";

const rewrites = new UrlRewrites([
  { from: "ssh://git@corp.example/", to: "https://corp.example/" },
  { from: "git@corp.example:", to: "https://corp.example/" },
  { from: "https://corp.example/", to: "http://10.0.0.5:3000/git/" },
  { from: "https://corp.example/team/", to: "https://team.example/" },
]);

const rows: readonly (readonly [url: string, expected: string])[] = [
  ["https://corp.example/a/b.git", "http://10.0.0.5:3000/git/a/b.git"],
  ["https://corp.example/team/b", "https://team.example/b"],
  // Once, as git does: not the outcome again.
  ["ssh://git@corp.example/team/b", "https://corp.example/team/b"],
  ["git@corp.example:team/b.git", "https://corp.example/team/b.git"],
  ["https://corp.example/a?go-get=1", "http://10.0.0.5:3000/git/a?go-get=1"],
  ["HTTPS://Corp.Example/a", "http://10.0.0.5:3000/git/a"],
  ["https://corp.example:443/a", "http://10.0.0.5:3000/git/a"],
  ["https://corp.example/x/../team/b", "https://team.example/b"],
  ["https://corp.example/../../b", "http://10.0.0.5:3000/git/b"],
  ["https://corp.example.evil/a", "https://corp.example.evil/a"],
  ["https://other.example/https://corp.example/", "https://other.example/https://corp.example/"],
  ["svn://corp.example/a", "svn://corp.example/a"],
];

for (const [url, expected] of rows) test(`${url} is ${expected}`, () => assert.equal(rewrites.rewrite(url), expected));

const narrow = new UrlRewrites([{ from: "ssh://git@corp.example/", to: "http://10.0.0.5/team/" }]);
for (const rest of ["../other/x", "a/../../other", "a/%2e%2e/%2E./other", "..\\other"]) {
  test(`nothing leaves what it is rewritten to: ${rest}`, () =>
    assert.throws(() => narrow.rewrite(`ssh://git@corp.example/${rest}`), { code: "refused-address" }));
}

const wrong: readonly (readonly [rule: object, message: RegExp])[] = [
  [{ from: "https://corp.example" }, /git\.rewrite\.0\.from: expected the beginning of a URL, with \/ or : at its end/],
  [{ from: "" }, /git\.rewrite\.0\.from/],
  [{ to: "ssh://x/" }, /git\.rewrite\.0\.to: expected an http or https URL/],
  [{ to: "https://x" }, /git\.rewrite\.0\.to: expected a URL with \/ at its end/],
  [{ to: "https://me:hunter2@x/" }, /git\.rewrite\.0\.to: expected .*without a user/],
];
for (const [rule, message] of wrong) {
  test(`no rewrite: ${JSON.stringify(rule)}`, () => {
    const whole = { from: "https://a/", to: "https://b/", ...rule };
    assert.throws(() => parseConfig(JSON.stringify({ git: { rewrite: [whole] } })), { code: "config", message });
  });
}

test("what others are rewritten to is known in capitals too, and ssh in git's short spelling is no other host", () => {
  const led = new UrlRewrites([{ from: "https://go.example/", to: "https://git.example/corp/" }]);
  assert.equal(led.isAlias(new URL("https://git.example/Corp/lib")), true);
  const same = new UrlRewrites([{ from: "git@git.example:", to: "https://git.example/" }]);
  assert.equal(same.isAlias(new URL("https://git.example/team/lib")), false);
});
