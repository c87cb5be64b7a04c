// The claims of ID tokens as each provider writes them, values made up. Whatever a test needs otherwise it writes over them.

type Claims = Readonly<Record<string, unknown>>;

/** github/actions-oidc-debugger's README shows all of a token's; docs.github.com, "OpenID Connect reference", has the same names. */
export const githubActions: Claims = {
  ...{ iss: "https://token.actions.githubusercontent.com", aud: "https://go.corp.example" },
  ...{ jti: "4a576b35-ff09-41c5-af2c-ca62dd89b76a", sub: "repo:corp@1234567/tools@7654321:ref:refs/heads/main" },
  ...{ actor: "gopher", actor_id: "23362539", base_ref: "", head_ref: "", event_name: "push" },
  ...{ enterprise: "corp", enterprise_id: "11468", environment: "release" },
  job_workflow_ref: "corp/tools/.github/workflows/build.yml@refs/heads/main",
  job_workflow_sha: "7f93a73b8273af5d35fcd70661704c1cadc57054",
  ...{ ref: "refs/heads/main", ref_protected: "true", ref_type: "branch" },
  ...{ repository: "corp/tools", repository_id: "7654321", repository_visibility: "private" },
  ...{ repository_owner: "corp", repository_owner_id: "1234567" },
  ...{ run_attempt: "1", run_id: "16054321", run_number: "7", runner_environment: "github-hosted" },
  sha: "7f93a73b8273af5d35fcd70661704c1cadc57054",
  workflow: "Build",
  workflow_ref: "corp/tools/.github/workflows/build.yml@refs/heads/main",
  workflow_sha: "7f93a73b8273af5d35fcd70661704c1cadc57054",
};

/** docs.gitlab.com, "OpenID Connect (OIDC) Authentication Using ID Tokens", and the sample of gitlab-org/gitlab!116867: `runner_id` is a number. */
export const gitlab: Claims = {
  ...{ iss: "https://gitlab.com", aud: "https://go.corp.example", jti: "63ab75f4-2606-4f0e-a500-86f90ab13a85" },
  sub: "project_path:corp/team/tools:ref_type:branch:ref:main",
  ...{ namespace_id: "12885807", namespace_path: "corp/team", project_id: "53804090", project_path: "corp/team/tools" },
  ...{ user_id: "1", user_login: "gopher", user_email: "gopher@corp.example", user_access_level: "developer" },
  ...{ pipeline_id: "455", pipeline_source: "push", job_id: "1123" },
  ...{ ref: "main", ref_type: "branch", ref_path: "refs/heads/main", ref_protected: "true" },
  ...{ runner_id: 1, runner_environment: "gitlab-hosted", sha: "714a629c0b401fdce83e847fc9589983fc6f46bc" },
  ...{ project_visibility: "private", ci_config_sha: "714a629c0b401fdce83e847fc9589983fc6f46bc" },
  ci_config_ref_uri: "gitlab.com/corp/team/tools//.gitlab-ci.yml@refs/heads/main",
};

/** IAM User Guide, "Understanding token claims" of outbound identity federation. */
export const aws: Claims = {
  iss: "https://0a1b2c3d-0000-4000-8000-123456789012.tokens.sts.global.api.aws",
  ...{ aud: "https://go.corp.example", sub: "arn:aws:iam::123456789012:role/build-linux" },
  jti: "xyz123-def456-ghi789-jkl012",
  "https://sts.amazonaws.com/": {
    ...{ aws_account: "123456789012", source_region: "us-east-1", org_id: "o-abc1234567" },
    ou_path: "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/ou-ab12-22222222/",
    principal_tags: { environment: "production", team: "data-engineering" },
    lambda_source_function_arn: "arn:aws:lambda:us-east-1:123456789012:function:process-data",
    // Whoever asks for the token writes these.
    request_tags: { "job-id": "job-2024-001", aws_account: "999999999999" },
  },
};

/** A token of an Okta org that was shown in rabbitmq-users (groups.google.com), with the groups claim that an application may add. */
export const okta: Claims = {
  ...{ iss: "https://corp.okta.com", aud: "0oa1example2client3id", ver: 1 },
  ...{ sub: "00u1gopher", name: "Go Pher", email: "gopher@corp.example", preferred_username: "gopher@corp.example" },
  ...{ jti: "ID.radCQMOQUmyvcTBmmIL0J6BaS60apUEiC7-vI7pOmkw", amr: ["pwd"], idp: "00o1corp" },
  ...{ auth_time: 1688145909, at_hash: "fPlsvVszI29LU2UhDyJ9vg", groups: ["Everyone", "engineering"] },
};

/** learn.microsoft.com, "ID token claims reference" (v2.0), with the groups claim that a registration may add. */
export const entra: Claims = {
  iss: "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0",
  ...{ aud: "66666666-7777-8888-9999-000000000000", ver: "2.0", tid: "11111111-2222-3333-4444-555555555555" },
  ...{ oid: "00000000-0000-0000-66f3-3332eca7ea81", sub: "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ" },
  ...{ name: "Go Pher", preferred_username: "gopher@corp.example", uti: "fqiBqXLPj0eQa82S-IYFAA", rh: "0.AX8A." },
  groups: ["aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "bbbbbbbb-bbbb-cccc-dddd-eeeeeeeeeeee"],
};

/** developers.google.com, "OpenID Connect", an ID token's payload; `email_verified` is a boolean. */
export const google: Claims = {
  ...{ iss: "https://accounts.google.com", azp: "123456789012-abc.apps.googleusercontent.com" },
  ...{ aud: "123456789012-abc.apps.googleusercontent.com", sub: "10769150350006150715113082367" },
  ...{ at_hash: "HK6E_P6Dh8Y93mRNtsDB1Q", hd: "corp.example", email: "gopher@corp.example", email_verified: true },
};
