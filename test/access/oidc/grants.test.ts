import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { matchGlob } from "../../../lambda/access/oidc/claim-glob.ts";
import { claimTexts } from "../../../lambda/access/oidc/claims.ts";
import { type ClaimRule, grantByClaims, grantBySubject } from "../../../lambda/access/oidc/grants.ts";
import { faultOfTemplates, fillTemplates } from "../../../lambda/access/oidc/module-templates.ts";
import { shownSubject, subjectOf } from "../../../lambda/access/oidc/token-subject.ts";
import { parseConfig } from "../../../lambda/config/config.ts";
import { matchPrefixPatterns } from "../../../lambda/golang/module.ts";

test("a star stands for any text and crosses slashes; nothing else is special", () => {
  const rows: readonly (readonly [glob: string, text: string, fits: boolean])[] = [
    ["refs/heads/main", "refs/heads/main", true],
    ["refs/heads/main", "refs/heads/main2", false],
    ["refs/heads/*", "refs/heads/feature/x", true],
    ["*", "", true],
    ["*", "a\nb", true],
    ["a*b*c", "abc", true],
    ["a*b*c", "a-b-b-c", true],
    ["a*b*c", "acb", false],
    // What is before the star and what is behind it do not share a letter.
    ["aba*aba", "aba", false],
    ["aba*aba", "abaaba", true],
    ["*x*", "yyxyy", true],
    ["*xy*y", "xy", false],
    ["**", "anything", true],
    ["corp/?", "corp/x", false],
    ["corp/[a-z]", "corp/a", false],
    ["corp.*", "corpX", false],
    ["corp/*", "Corp/x", false],
    ["", "", true],
  ];
  for (const [glob, text, fits] of rows) assert.equal(matchGlob(glob, text), fits, `${glob} ${text}`);
});

test("globs agree with the regular expressions that they are", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "/", "*"), maxLength: 8 });
  const texts = fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength: 12 });
  fc.assert(
    fc.property(letters, texts, (glob, text) => {
      const expression = new RegExp(`^${glob.replaceAll("*", ".*")}$`, "s");
      assert.equal(matchGlob(glob, text), expression.test(text));
    }),
    { numRuns: 5000 },
  );
});

test("a glob of many stars over a long text takes no longer than it is long", () => {
  const [glob, text] = [`${"a*".repeat(500)}b`, "a".repeat(30_000)];
  assert.equal(matchGlob(glob, text), false);
  assert.equal(matchGlob(`${"*a".repeat(500)}*b*`, text), false);
});

test("the texts of a claim: one, or those of a list, and claims within others", () => {
  const claims = {
    sub: "s",
    groups: ["go", 7, true, null, ["x"], { a: 1 }],
    run_attempt: 1,
    verified: false,
    nothing: null,
    "https://sts.amazonaws.com/": { aws_account: "123", principal_tags: { team: "pay" } },
    "a.b": "whole",
    a: { b: "within", c: "deep" },
  };
  const rows: readonly (readonly [name: string, texts: readonly string[]])[] = [
    ["sub", ["s"]],
    ["groups", ["go", "7", "true"]],
    ["run_attempt", ["1"]],
    ["verified", ["false"]],
    ["nothing", []],
    ["https://sts.amazonaws.com/.aws_account", ["123"]],
    ["https://sts.amazonaws.com/.principal_tags.team", ["pay"]],
    ["https://sts.amazonaws.com/", []],
    ["a.b", ["whole"]],
    ["a.c", ["deep"]],
    ["toString", []],
    ["a.constructor", []],
    ["__proto__", []],
    ["sub.length", []],
  ];
  for (const [name, texts] of rows) assert.deepEqual(claimTexts(claims, name), texts, name);
});

const rule = (match: Record<string, string | string[]>, more: Partial<ClaimRule> = {}): ClaimRule => ({
  match: Object.fromEntries(Object.entries(match).map(([name, globs]) => [name, [globs].flat()])),
  role: "viewer",
  modules: [],
  minutes: 5,
  ...more,
});

test("the first rule that fits decides, by all of its claims; none says which claims were looked at", () => {
  const rules = [
    rule({ repository: "corp/*", ref: ["refs/heads/main", "refs/tags/v*"] }, { role: "publisher" }),
    rule({ repository: "corp/*" }, { modules: ["corp.example/{repository}"] }),
    rule({ groups: "go" }, { role: "operator" }),
  ];
  const rows: readonly (readonly [claims: Record<string, unknown>, got: unknown])[] = [
    [{ repository: "corp/a", ref: "refs/tags/v1" }, "publisher 0"],
    [{ repository: "corp/a", ref: "refs/heads/x" }, "viewer 1 corp.example/corp/a"],
    [{ repository: "corp/a" }, "viewer 1 corp.example/corp/a"],
    [{ groups: ["x", "go"] }, "operator 2"],
    [{ groups: [] }, "repository ref groups event_name"],
    [{ repository: "evil/corp" }, "repository ref groups event_name"],
    [{}, "repository ref groups event_name"],
  ];
  for (const [claims, got] of rows) {
    const found = grantByClaims(rules, claims);
    const text = "looked" in found ? found.looked.join(" ") : [found.role, found.rule, ...found.modules].join(" ");
    assert.equal(text, got, JSON.stringify(claims));
  }
});

test("a job for a pull request gets nothing but by a rule that says so", () => {
  const open = [rule({ repository: "*" }), rule({ repository: "corp/*", event_name: "*" })];
  const asked = [...open, rule({ repository: "corp/*", event_name: ["push", "pull_request"] })];
  const fits = (rules: readonly ClaimRule[], event_name: unknown) =>
    !("looked" in grantByClaims(rules, { repository: "corp/a", event_name }));
  for (const event of ["pull_request", "pull_request_target", "pull_request_review", ["push", "pull_request"]])
    assert.equal(fits(open, event), false, String(event));
  assert.deepEqual([fits(asked, "pull_request"), fits(asked, "pull_request_target")], [true, false]);
  assert.deepEqual([fits(open, "push"), fits(open, "workflow_dispatch")], [true, true]);
});

test("what a claim says can make a pattern longer, and never wider", () => {
  const templates = ["github.com/{repository}", "@pay", "corp.example/{team}-tools/{team}"];
  assert.deepEqual(fillTemplates(templates, { repository: "Corp/tools.go", team: "a~b_c" }), [
    "github.com/Corp/tools.go",
    "@pay",
    "corp.example/a~b_c-tools/a~b_c",
  ]);
  const hostile = [
    ...["*", "corp/*", "a?", "[a]", "a]", "\\a", "a,b", "a,*", "corp,@pay", "@pay", "a@v1", "{team}", "a b", "a\nb"],
    ...[
      "",
      "/",
      "a/",
      "/a",
      "a//b",
      ".",
      "..",
      "a/..",
      "../b",
      "a/../b",
      "./a",
      "-a",
      "a\u0000",
      "ä",
      "a+b",
      "$&",
      "a%2f",
    ],
    "x".repeat(301),
  ];
  for (const value of [...hostile, undefined, null, {}, [], ["a", "b"]])
    assert.throws(
      () => fillTemplates(["github.com/{repository}"], { repository: value }),
      { code: "claim-refused" },
      String(value),
    );
  assert.throws(
    () => fillTemplates(["x.example/{repository}"], { repository: "*" }),
    (error: Error) => !error.message.includes("*"),
  );
});

test("whatever a claim says, the pattern covers nothing outside of what is written before it", () => {
  const anything = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.string({ unit: fc.constantFrom(..."a*?[],@/.\\-{}~"), maxLength: 8 }),
  );
  fc.assert(
    fc.property(anything, (value) => {
      let filled: string;
      try {
        filled = fillTemplates(["github.com/corp/{name}"], { name: value }).join(",");
      } catch {
        return;
      }
      for (const path of ["github.com/evil/x", "github.com/corp", "corp.example/x", "github.com/corpx/a"])
        assert.equal(matchPrefixPatterns(filled, path), false, `${value} ${path}`);
      assert.ok(matchPrefixPatterns(filled, `github.com/corp/${value}`), value);
    }),
    { numRuns: 5000 },
  );
});

test("a placeholder in the configuration has a name and chooses no tenant", () => {
  for (const wrong of ["a.example/{}", "a.example/{x", "a.example/x}", "@{team}", "@{x}pay", "{x", "no-host/{x}"])
    assert.notEqual(faultOfTemplates([wrong]), undefined, wrong);
  for (const right of ["a.example/{x}", "{module}", "a.example/{https://x.example/.y}/z", "@pay", "a.example/*/{x}"])
    assert.equal(faultOfTemplates([right]), undefined, right);
});

test("a subject is a repository, a project, an address that is theirs, or sub; or what is named", () => {
  const rows: readonly (readonly [claims: Record<string, unknown>, subject: string | undefined, named?: string])[] = [
    [{ repository: "corp/a", sub: "repo:corp/a:ref:x", actor: "x" }, "corp/a"],
    [{ project_path: "g/p", user_email: "a@b", sub: "x" }, "g/p"],
    [{ email: "a@corp.example", email_verified: true, sub: "1" }, "a@corp.example"],
    [{ email: "a@corp.example", email_verified: "true", sub: "1" }, "a@corp.example"],
    // Anybody can write an address that is not theirs, and a name of their own choice.
    [{ email: "alice", email_verified: false, sub: "1" }, "1"],
    [{ email: "alice", sub: "1", preferred_username: "alice", name: "alice" }, "1"],
    [{ preferred_username: "alice", sub: "1" }, "alice", "preferred_username"],
    [{ sub: "1" }, undefined, "preferred_username"],
    [{ sub: ["1", "2"] }, undefined],
    [{}, undefined],
  ];
  for (const [claims, subject, named] of rows) {
    if (subject === undefined) assert.throws(() => subjectOf(claims, named), { code: "claim-refused" });
    else assert.equal(subjectOf(claims, named), subject);
  }
  const long = shownSubject(`arn:aws:iam::123456789012:role/${"x".repeat(200)}`);
  assert.match(long, /^arn:aws:iam::123456789012:role\/x+#[\w-]{22}$/);
  assert.notEqual(long, shownSubject(`arn:aws:iam::123456789012:role/${"x".repeat(201)}`));
  assert.match(shownSubject("älice\n"), /^\?lice\?#[\w-]{22}$/);
});

test("a certificate's rule fits its subject, and no subject whose characters are escaped", () => {
  const rules = [{ subject: "CN=*.ci.corp.example,O=Corp", role: "viewer", modules: [], minutes: 5 }] as const;
  const fits = (subject: string) => "rule" in grantBySubject(rules, subject);
  assert.equal(fits("CN=build-1.ci.corp.example,O=Corp"), true);
  for (const wrong of [
    "CN=build-1.ci.corp.example,O=Corp,C=DE",
    "CN=x.ci.corp.example\\,O=Corp",
    'CN="x.ci.corp.example,O=Corp',
    "",
  ])
    assert.equal(fits(wrong), false, wrong);
  assert.equal("rule" in grantBySubject([{ ...rules[0], subject: "*O=Corp" }], "CN=x\\,O=Corp"), false);
});

test("the configuration says what of its rules cannot be meant", () => {
  const github = "https://token.actions.githubusercontent.com";
  const issuer = (more: object, rules: readonly object[] = [{ match: { sub: "x" } }]) => ({
    oidc: [{ issuer: "https://login.corp.example", audience: "modfront", rules, ...more }],
  });
  const match = (of: string, claims: object) => issuer({ issuer: of }, [{ match: claims }]);
  const wrong: readonly (readonly [config: object, message: RegExp])[] = [
    [issuer({ issuer: "http://login.corp.example" }), /oidc\.0\.issuer: expected an https URL/],
    [issuer({ issuer: "https://login.corp.example/?x" }), /oidc\.0\.issuer: expected an https URL/],
    [issuer({ audience: "" }), /oidc\.0\.audience/],
    [issuer({}, []), /oidc\.0\.rules: expected at least one rule/],
    [issuer({}, [{ match: {} }]), /oidc\.0\.rules\.0\.match: expected at least one claim/],
    [issuer({}, [{ match: { x: [] } }]), /oidc\.0\.rules\.0\.match\.x/],
    [issuer({}, [{ match: { sub: "x" }, role: "king" }]), /oidc\.0\.rules\.0\.role/],
    [issuer({}, [{ match: { sub: "x" }, minutes: 0 }]), /oidc\.0\.rules\.0\.minutes/],
    [issuer({}, [{ match: { sub: "x" }, modules: "corp.example/..." }]), /write corp\.example/],
    [issuer({}, [{ match: { sub: "x" }, modules: "corp.example/{" }]), /a claim is written \{name\}/],
    [
      issuer({}, [{ match: { sub: "x" }, modules: "@pay" }]),
      /oidc\.0\.rules\.0\.modules: @pay: there is no such tenant/,
    ],
    [match(github, { sub: "repo:corp/a:*" }), /GitHub's sub has no one form/],
    [match(github, { ref: "refs/heads/main" }), /this issuer signs for everybody: match one of repository,/],
    [match(github, { repository: "*/tools" }), /this issuer signs for everybody/],
    [match(github, { repository: ["corp/*", "*"] }), /this issuer signs for everybody/],
    [match("https://gitlab.com", { ref_protected: "true" }), /this issuer signs for everybody/],
    [match("https://accounts.google.com", { email_verified: "true" }), /this issuer signs for everybody/],
    [match("https://accounts.google.com", { email: "*@corp.example" }), /match one of hd, sub,/],
    [{ mtls: { rules: [{ subject: "CN=x", modules: "a.example/{x}" }] } }, /a certificate has no claims/],
    [{ mtls: { rules: [{ subject: "" }] } }, /mtls\.rules\.0\.subject/],
  ];
  for (const [config, message] of wrong) assert.throws(() => parseConfig(JSON.stringify(config)), message);
  const right = [
    issuer({ issuer: "http://127.0.0.1:8090" }),
    match(github, { repository_owner_id: "1" }),
    match(github, { job_workflow_ref: "corp/.github/*" }),
    match("https://accounts.google.com", { email: "*@corp.example", hd: "corp.example" }),
    match("https://gitlab.com", { email: "*@corp.example" }),
    match("https://login.corp.example", { groups: "*" }),
  ];
  for (const config of right) parseConfig(JSON.stringify(config));
});
