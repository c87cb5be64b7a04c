import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "../../../lambda/config/config.ts";
import type { CredentialRule } from "../../../lambda/upstream/credentials/configured-credentials.ts";
import { overTls } from "../../../lambda/upstream/credentials/credentials.ts";
import { NetrcCredentials } from "../../../lambda/upstream/credentials/netrc.ts";
import { openCredentials, openSecrets } from "../../../lambda/upstream/credentials/open-credentials.ts";

/** Credentials by rules whose secrets are in `env`, on a clock that stands. */
function opened(rules: readonly CredentialRule[], env: Record<string, string>, netrc = "", now = () => 0) {
  const read = async (reference: object) => env[(reference as { env: string }).env] ?? Promise.reject(new Error("no"));
  const secrets = openSecrets(rules, read, now);
  const noApi = () => assert.fail("no API is asked");
  const behind = new NetrcCredentials(async () => netrc, now);
  return openCredentials({ rules, secrets, behind, now })(noApi);
}

const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;

const rules: readonly CredentialRule[] = [
  { match: "git.example", kind: "basic", secret: { env: "PAIR" } },
  { match: "git.example/team", kind: "basic", user: "oauth2", secret: { env: "TOKEN" } },
  { match: "git.example/team/deep", kind: "bearer", secret: { env: "TOKEN" } },
  { match: "git.example/team", kind: "basic", user: "second", secret: { env: "TOKEN" } },
  { match: "token.example", kind: "basic", secret: { env: "TOKEN" } },
  { match: "odd.example", kind: "bearer", secret: { env: "PAIR" } },
];
const env = { PAIR: "me:pass:word\r\n", TOKEN: "t0ken" };
const netrc = "machine git.example login net password rc\nmachine n.example login net password rc";

const rows: readonly (readonly [url: string, expected: string | undefined])[] = [
  ["https://git.example/x", basic("me:pass:word")],
  ["https://git.example/team/x", basic("oauth2:t0ken")],
  ["https://git.example/team/deep/x.git/info/refs?service=git-upload-pack", "Bearer t0ken"],
  ["https://git.example/team/deeper", basic("oauth2:t0ken")],
  ["https://token.example/", basic("git:t0ken")],
  ["https://n.example/a", basic("net:rc")],
  ["https://n.example:444/a", undefined],
  ["https://other.example/git.example", undefined],
];

for (const [url, expected] of rows) {
  test(`${url} is shown ${expected ?? "nothing"}`, async () => {
    assert.equal((await opened(rules, env, netrc).authorize(new URL(url)))?.header, expected);
  });
}

test("a secret that cannot be read, or is none, is said by its key alone", async () => {
  const lines = [
    ["https://git.example/x", {}, "cannot be asked: configuration key credentials.0.secret: the secret cannot be read"],
    [
      "https://git.example/x",
      { PAIR: "\n" },
      "cannot be asked: configuration key credentials.0.secret: env PAIR is empty",
    ],
    [
      "https://odd.example/x",
      { PAIR: "with\u0000control" },
      "cannot be asked: configuration key credentials.5.secret: holds something that is not a token",
    ],
  ] as const;
  for (const [url, secrets, message] of lines)
    await assert.rejects(opened(rules, secrets).authorize(new URL(url)), { code: "no-credentials", message });
});

test("a secret that was refused is read again, at most every ten seconds, and kept where it cannot be", async () => {
  const changing: Record<string, string> = { ...env };
  let now = 0;
  const credentials = opened(rules, changing, "", () => now);
  const shown = async () => (await credentials.authorize(new URL("https://token.example/x"))) ?? assert.fail();
  const first = await shown();
  changing.TOKEN = "rotated";
  assert.equal(await first.renew(), false, "it was read a moment ago");
  now += 10_000;
  assert.equal(await first.renew(), true);
  assert.equal((await shown()).header, basic("git:rotated"));
  now += 10_000;
  assert.equal(await first.renew(), false, "it has not changed");
  delete changing.TOKEN;
  now += 10_000;
  assert.equal(await first.renew(), false, "it cannot be read");
  assert.equal((await shown()).header, basic("git:rotated"));
});

test("nothing goes over plain http to a host that nobody named", async () => {
  const credentials = overTls(opened(rules, env), (url) => url.port === "8080");
  assert.equal(await credentials.authorize(new URL("http://git.example/x")), undefined);
  assert.ok(await credentials.authorize(new URL("https://git.example/x")));
});

const wrong: readonly (readonly [rule: object, message: RegExp])[] = [
  [{ match: "https://a" }, /credentials\.0\.match: expected a host or host\/path/],
  [{ kind: "digest" }, /credentials\.0\.kind/],
  [{ secret: "hunter2" }, /credentials\.0\.secret: expected \{ "env": NAME \}/],
  [{ secret: { env: "A", file: "b" } }, /credentials\.0\.secret/],
  [{ secret: { env: "A=hunter2" } }, /credentials\.0\.secret/],
  [{ user: "a:hunter2" }, /credentials\.0\.user: expected a name without colon/],
  [{ kind: "github-app" }, /credentials\.0\.user: expected the id of the App/],
  [{ kind: "bearer", user: "x" }, /credentials\.0\.user: expected none/],
  [{ api: "https://x" }, /credentials\.0\.api: expected none/],
  [{ password: "hunter2" }, /credentials\.0\.password: unknown/],
];
for (const [rule, message] of wrong) {
  test(`no credentials: ${JSON.stringify(rule)}`, () => {
    const whole = { match: "a.example", kind: "basic", secret: { env: "A" }, ...rule };
    assert.throws(
      () => parseConfig(JSON.stringify({ credentials: [whole] })),
      (error: Error) => message.test(error.message) && !error.message.includes("hunter2"),
    );
  });
}
