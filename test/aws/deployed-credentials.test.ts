import assert from "node:assert/strict";
import { test } from "node:test";
import { openDeployedCredentials } from "../../lambda/aws/deployed-credentials.ts";
import type { CredentialRule } from "../../lambda/upstream/credentials/configured-credentials.ts";

/** What a deployment shows, with the names of the secrets that were read so far. */
function opened(rules: readonly CredentialRule[], secrets: Record<string, string>, byHost: Record<string, string>) {
  const read: string[] = [];
  const clock = { now: 0 };
  const { open } = openDeployedCredentials({
    rules,
    byHost: { ...byHost },
    readByHost: async () => {
      read.push("by host");
      return byHost;
    },
    readAwsSecret: async (id) => {
      read.push(id);
      return secrets[id] ?? Promise.reject(new Error("ResourceNotFoundException"));
    },
    now: () => clock.now,
    elapsed: () => clock.now,
  });
  const credentials = open(() => assert.fail("no API is asked"));
  const authorize = (url: string) => credentials.authorize(new URL(url));
  const shown = async (url: string) => {
    const header = (await authorize(url))?.header;
    return header?.startsWith("Basic ") ? Buffer.from(header.slice(6), "base64").toString() : header;
  };
  return { authorize, shown, read, clock };
}

const rules: readonly CredentialRule[] = [
  { match: "a.example/team", kind: "bearer", secret: { aws: "team" } },
  { match: "b.example", kind: "basic", user: "oauth2", secret: { aws: "b" } },
];
const secrets = { team: "t0ken", b: "b-token" };
const byHost = {
  "a.example": "user:pass:word",
  "b.example": "old:old",
  "c.example:8443": "tok",
  "d e": "x:y",
  "e.example": "tok:",
};

const rows: readonly (readonly [url: string, expected: string | undefined])[] = [
  ["https://a.example/x", "user:pass:word"],
  ["https://a.example/team/x", "Bearer t0ken"],
  ["https://b.example/", "oauth2:b-token"],
  ["https://c.example:8443/", ":tok"],
  ["https://e.example/", "tok:"],
  ["https://c.example/", undefined],
  ["https://a.example.evil/", undefined],
];

for (const [url, expected] of rows) {
  test(`${url} is shown ${expected ?? "nothing"}`, async () =>
    assert.equal(await opened(rules, secrets, byHost).shown(url), expected));
}

test("secrets are read when they are needed, once, and again when they were refused", async () => {
  const changing: Record<string, string> = { ...byHost };
  const { authorize, shown, read, clock } = opened(rules, secrets, changing);
  assert.deepEqual(read, []);
  for (const _ of [1, 2]) await shown("https://b.example/x");
  const own = (await authorize("https://a.example/x")) ?? assert.fail();
  assert.deepEqual(read, ["b"]);
  changing["a.example"] = "user:new";
  clock.now += 10_000;
  assert.equal(await own.renew(), true);
  assert.equal(await shown("https://a.example/x"), "user:new");
  assert.deepEqual(read, ["b", "by host"]);
});

test("a secret that is not there is said by its key", async () => {
  await assert.rejects(opened(rules, {}, {}).authorize("https://b.example/"), {
    code: "no-credentials",
    message: "cannot be asked: configuration key credentials.1.secret: the secret cannot be read",
  });
});

test("a function reads no files and no variables", async () => {
  const file = [{ match: "a.example", kind: "basic", secret: { file: "/etc/passwd" } }] as const;
  await assert.rejects(
    opened(file, {}, {}).authorize("https://a.example/"),
    /reads secrets from AWS Secrets Manager alone/,
  );
});
