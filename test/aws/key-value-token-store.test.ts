import assert from "node:assert/strict";
import { test } from "node:test";
import type { CloudFrontKeyValueStoreClient } from "@aws-sdk/client-cloudfront-keyvaluestore";
import type { PutSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { createToken, listTokens, rotateKey } from "../../lambda/access/tokens.ts";
import { WholeTokenStore } from "../../lambda/access/whole-token-store.ts";
import { parseIdentityKeys } from "../../lambda/aws/identity-keys.ts";
import { openKeyValues } from "../../lambda/aws/key-value-store.ts";
import { KeyValueTokenStore } from "../../lambda/aws/key-value-token-store.ts";
import { readTokens } from "../../lambda/edge/access-settings.ts";
import { tokenStoreContract } from "../contract/token-store.ts";
import { FakeKeyValues } from "../support/fake-key-values.ts";
import { keyValuesOf } from "../support/tokens.ts";

const now = 1_800_000_000;
const request = { subject: "s", role: "viewer", modules: "", days: 1 };
const deployedKey = "d".repeat(43);

/** The store as the deployment leaves it, and each text of the secret since. */
function deployed() {
  const keyValues = new FakeKeyValues();
  keyValues.values.set("tokens", JSON.stringify({ keys: [], identityKey: deployedKey, revoked: "" }));
  keyValues.values.set("access", "{}");
  const secrets: string[] = [];
  const waits: [milliseconds: number, identityKey: string | undefined][] = [];
  const open = () =>
    new WholeTokenStore(
      new KeyValueTokenStore({
        keyValues: keyValues.client,
        storeArn: "arn:aws:cloudfront::000000000000:key-value-store/modfront",
        secrets: { send: async (put: PutSecretValueCommand) => void secrets.push(put.input.SecretString ?? "") },
        edgeSecret: "modfront/edge",
        now: () => now,
        sleep: async (milliseconds) => void waits.push([milliseconds, tokensOf(keyValues)?.identityKey]),
      }),
    );
  return { keyValues, secrets, waits, open };
}

const tokensOf = ({ values }: FakeKeyValues) => readTokens(values.get("tokens"));

tokenStoreContract("KeyValueTokenStore", async () => {
  const { keyValues, open } = deployed();
  return { store: open(), other: open(), edge: async () => ({ ...keyValuesOf(keyValues.values), text: () => "" }) };
});

test("making a token changes neither the edge's key nor its secret, and leaves access as it is", async () => {
  const { keyValues, secrets, open } = deployed();
  const { token } = await createToken(open(), request, now);
  assert.equal(tokensOf(keyValues)?.identityKey, deployedKey);
  assert.equal(keyValues.values.get("access"), "{}");
  assert.deepEqual(secrets, []);
  for (const value of keyValues.values.values()) assert.ok(!value.includes(token.slice(-43)));
});

test("the functions know a new identity key before the edge signs with it, and the old one for as long as it may", async () => {
  const { keyValues, secrets, waits, open } = deployed();
  await rotateKey(open(), { dropOld: false });
  const second = tokensOf(keyValues)?.identityKey;
  assert.deepEqual(secrets.splice(0).map(parseIdentityKeys), [[second, deployedKey]]);

  await rotateKey(open(), { dropOld: true });
  const third = tokensOf(keyValues)?.identityKey;
  assert.notEqual(third, second);
  assert.deepEqual(secrets.splice(0).map(parseIdentityKeys), [[third, second], [third]]);
  assert.deepEqual(waits, [[11_000, deployedKey]], "only where the key before goes on is there time to wait");
});

test("many tokens are read page by page, and dropping their key removes them in pieces that one write takes", async () => {
  const { keyValues, open } = deployed();
  for (let i = 0; i < 101; i++) await createToken(open(), { ...request, subject: `s${i}` }, now);
  assert.equal((await listTokens(open(), now, { limit: 200 })).items.length, 101);
  assert.equal(keyValues.values.size, 103);
  await rotateKey(open(), { dropOld: true });
  assert.equal(keyValues.values.size, 63);
  assert.deepEqual((await listTokens(open(), now)).items, [], "what is left over has ended");
  for (let i = 0; i < 2; i++) await rotateKey(open(), { dropOld: false });
  assert.equal(keyValues.values.size, 2);
});

test("a damaged value is never taken for an empty one, and no text of AWS reaches a person", async () => {
  const { keyValues, open } = deployed();
  keyValues.values.set("tokens", "{}");
  await assert.rejects(createToken(open(), request, now), { code: "tokens-unreadable" });
  const broken = new KeyValueTokenStore({
    keyValues: { send: async () => Promise.reject(new Error("the text of AWS")) } as never,
    storeArn: "",
    secrets: { send: async () => {} },
    edgeSecret: "",
    now: () => now,
    sleep: async () => {},
  });
  await assert.rejects(broken.read(), { code: "tokens-unavailable", message: /^[^A].*credentials allowed/ });
});

test("key values are in us-east-1 whatever the region of who asks, and where it has none", async (t) => {
  const before = process.env.AWS_REGION;
  t.after(() => {
    if (before === undefined) delete process.env.AWS_REGION;
    else process.env.AWS_REGION = before;
  });
  for (const region of [undefined, "eu-west-1"]) {
    if (region === undefined) delete process.env.AWS_REGION;
    else process.env.AWS_REGION = region;
    assert.equal(await (openKeyValues() as CloudFrontKeyValueStoreClient).config.region(), "us-east-1");
  }
});
