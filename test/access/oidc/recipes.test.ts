import assert from "node:assert/strict";
import { test } from "node:test";
import { grantByClaims } from "../../../lambda/access/oidc/grants.ts";
import { subjectOf } from "../../../lambda/access/oidc/token-subject.ts";
import { aws, entra, githubActions, gitlab, google, okta } from "../../support/provider-claims.ts";
import { blocks, recipe } from "../../support/recipes.ts";

// The entries of docs/sso.md, with the claims that each provider really has.

/** The entry of `oidc` that a section of the page shows. */
function entryOf(section: string) {
  const [entry] = recipe(section).oidc;
  assert.ok(entry !== undefined, section);
  return entry;
}

type Claims = Readonly<Record<string, unknown>>;

/** What somebody gets, and as whom: `"viewer github.com/corp as corp/tools"`; else `"nothing"`. */
function outcome(section: string, claims: Claims): string {
  const { rules, subject } = entryOf(section);
  const found = grantByClaims(rules, claims);
  if ("looked" in found) return "nothing";
  return `${found.role} ${found.modules.join()} as ${subjectOf(claims, subject)}`;
}

const sts = aws["https://sts.amazonaws.com/"] as Claims;

const rows: readonly (readonly [section: string, claims: Claims, outcome: string])[] = [
  ["GitHub Actions", githubActions, "viewer github.com/corp as corp/tools"],
  ["GitHub Actions", { ...githubActions, event_name: "workflow_dispatch" }, "viewer github.com/corp as corp/tools"],
  ["GitHub Actions", { ...githubActions, event_name: "pull_request", ref: "refs/pull/7/merge" }, "nothing"],
  ["GitHub Actions", { ...githubActions, event_name: "pull_request_target" }, "nothing"],
  // The name can be taken by somebody else, the number cannot.
  ["GitHub Actions", { ...githubActions, repository_owner_id: "7" }, "nothing"],
  ["GitHub Actions", { ...githubActions, repository_owner_id: "12345678" }, "nothing"],
  ["GitLab", gitlab, "viewer gitlab.com/corp as corp/team/tools"],
  ["GitLab", { ...gitlab, namespace_path: "corp", project_path: "corp/x" }, "viewer gitlab.com/corp as corp/x"],
  ["GitLab", { ...gitlab, ref_protected: "false" }, "nothing"],
  ["GitLab", { ...gitlab, namespace_path: "corporation/x" }, "nothing"],
  ["GitLab", { ...gitlab, namespace_path: "fork/corp" }, "nothing"],
  ["AWS workloads", aws, "viewer github.com/corp as arn:aws:iam::123456789012:role/build-linux"],
  ["AWS workloads", { ...aws, sub: "arn:aws:iam::123456789012:role/admin" }, "nothing"],
  ["AWS workloads", { ...aws, "https://sts.amazonaws.com/": { ...sts, aws_account: "999999999999" } }, "nothing"],
  ["Okta", okta, "viewer github.com/corp as 00u1gopher"],
  ["Okta", { ...okta, email_verified: true }, "viewer github.com/corp as gopher@corp.example"],
  [
    "Okta",
    { ...okta, groups: ["Everyone", "engineering", "go-publishers"] },
    "publisher github.com/corp as 00u1gopher",
  ],
  ["Okta", { ...okta, groups: ["Everyone"] }, "nothing"],
  ["Okta", { ...okta, groups: undefined }, "nothing"],
  ["Entra", entra, "viewer github.com/corp as 00000000-0000-0000-66f3-3332eca7ea81"],
  ["Entra", { ...entra, groups: ["bbbbbbbb-bbbb-cccc-dddd-eeeeeeeeeeee"] }, "nothing"],
  // With many groups there is an address of them in their place.
  ["Entra", { ...entra, groups: undefined, _claim_names: { groups: "src1" } }, "nothing"],
  ["Google", google, "viewer github.com/corp as gopher@corp.example"],
  ["Google", { ...google, email_verified: false }, "nothing"],
  ["Google", { ...google, hd: "evil.example" }, "nothing"],
  ["Google", { ...google, hd: undefined, email: "corp.example@gmail.com" }, "nothing"],
];

test("what docs/sso.md has for each provider gives its tokens what it says, and nothing to others", () => {
  for (const [section, claims, expected] of rows)
    assert.equal(outcome(section, claims), expected, JSON.stringify(claims));
  const headings = [...blocks("json")].filter(([, [text = ""]]) => text.includes('"oidc"'));
  assert.equal(new Set(rows.map(([section]) => section)).size, headings.length);
});

test("the issuer and the audience of each are those of its tokens", () => {
  const tokens = {
    "GitHub Actions": githubActions,
    GitLab: gitlab,
    "AWS workloads": aws,
    Okta: okta,
    Entra: entra,
    Google: google,
  };
  for (const [section, claims] of Object.entries(tokens)) {
    const { issuer, audience } = entryOf(section);
    assert.deepEqual([issuer, audience], [claims.iss, claims.aud], section);
  }
});
