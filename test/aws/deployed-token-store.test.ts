import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { CloudFrontKeyValueStoreClient } from "@aws-sdk/client-cloudfront-keyvaluestore";
import type { PutSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import type { DeployedAccess } from "../../lambda/access/deployed-values.ts";
import { hmac } from "../../lambda/access/hmac.ts";
import { createToken, listTokens, revokeToken, rotateKey } from "../../lambda/access/tokens.ts";
import { DeployedTokenStore } from "../../lambda/aws/deployed-token-store.ts";
import { DynamoTokenRecords } from "../../lambda/aws/dynamo-token-records.ts";
import { parseIdentityKeys } from "../../lambda/aws/identity-keys.ts";
import { openKeyValues } from "../../lambda/aws/key-value-store.ts";
import { readTokens } from "../../lambda/edge/access-settings.ts";
import { verifyToken } from "../../lambda/edge/token.ts";
import { tokenStoreContract } from "../contract/token-store.ts";
import { deployAccess, deployedKey, nobodys, openTokens } from "../support/deployed-tokens.ts";
import { FakeKeyValues } from "../support/fake-key-values.ts";
import { FakeTokenTable } from "../support/fake-token-table.ts";
import { keyValuesOf } from "../support/tokens.ts";

const now = 1_800_000_000;
const request = { subject: "s", role: "viewer", modules: "", days: 1 };

async function deploy(keyValues: FakeKeyValues, table: FakeTokenTable, access: DeployedAccess, step?: "prepare") {
  await deployAccess(keyValues, new DynamoTokenRecords(table.client, "modfront"), access, now, step);
}

function opener(keyValues: FakeKeyValues, table: FakeTokenTable) {
  const secrets: string[] = [];
  const waits: [milliseconds: number, identityKey: string | undefined][] = [];
  const open = () =>
    openTokens(keyValues, new DynamoTokenRecords(table.client, "modfront"), {
      secrets: { send: async (put: PutSecretValueCommand) => void secrets.push(put.input.SecretString ?? "") },
      sleep: async (milliseconds) => void waits.push([milliseconds, tokensOf(keyValues)?.identityKey]),
    });
  return { keyValues, table, secrets, waits, open };
}

/** The store as a deployment leaves it, and each text of the secret since. */
async function deployed() {
  const [keyValues, table] = [new FakeKeyValues(), new FakeTokenTable()];
  await deploy(keyValues, table, nobodys);
  return opener(keyValues, table);
}

const tokensOf = ({ values }: FakeKeyValues) => readTokens(values.get("tokens"));

tokenStoreContract("DeployedTokenStore", async () => {
  const { keyValues, open } = await deployed();
  return { store: open(), other: open(), edge: async () => keyValuesOf(keyValues.values) };
});

test("making a token changes neither the edge's key nor its secret, and no value but the signing keys, once", async () => {
  const { keyValues, secrets, open } = await deployed();
  await createToken(open(), request, now);
  const before = new Map(keyValues.values);
  const { token } = await createToken(open(), request, now);
  assert.deepEqual(keyValues.values, before);
  assert.equal(tokensOf(keyValues)?.identityKey, deployedKey);
  assert.deepEqual(secrets, []);
  for (const value of keyValues.values.values()) assert.ok(!value.includes(token.slice(-43)));
});

test("the functions know a new identity key before the edge signs with it, and the old one for as long as it may", async () => {
  const { keyValues, secrets, waits, open } = await deployed();
  await rotateKey(open(), { dropOld: false });
  const second = tokensOf(keyValues)?.identityKey;
  assert.deepEqual(secrets.splice(0).map(parseIdentityKeys), [[second, deployedKey]]);

  await rotateKey(open(), { dropOld: true });
  const third = tokensOf(keyValues)?.identityKey;
  assert.notEqual(third, second);
  assert.deepEqual(secrets.splice(0).map(parseIdentityKeys), [[third, second], [third]]);
  assert.deepEqual(waits, [[11_000, deployedKey]], "only where the key before goes on is there time to wait");
});

test("a token is refused even if the table cannot say so, and revoking it again says so", async () => {
  const { keyValues, table, open } = await deployed();
  const { token, record } = await createToken(open(), request, now);
  const mute = new DynamoTokenRecords(table.client, "modfront");
  mute.noteRevoked = async () => Promise.reject(new Error("the text of AWS"));
  const store = openTokens(keyValues, mute);
  await assert.rejects(revokeToken(store, record.id, now), { code: "tokens-unavailable" });
  assert.equal(verifyToken(token, keyValuesOf(keyValues.values), now, hmac), "revoked");
  assert.equal((await listTokens(open(), now)).items[0]?.revoked, undefined);
  await revokeToken(open(), record.id, now + 1);
  assert.equal((await listTokens(open(), now)).items[0]?.revoked, now + 1);
});

test("a damaged value is never taken for an empty one, and no text of AWS reaches a person", async () => {
  const { keyValues, open } = await deployed();
  keyValues.values.set("tokens", "{}");
  await assert.rejects(createToken(open(), request, now), { code: "tokens-unreadable" });
  const broken = new DeployedTokenStore({
    keyValues: { send: async () => Promise.reject(new Error("the text of AWS")) } as never,
    storeArn: "",
    records: new DynamoTokenRecords({ send: async () => Promise.reject(new Error("the text of AWS")) } as never, ""),
    secrets: { send: async () => {} },
    edgeSecret: "",
    sleep: async () => {},
  });
  const fault = { code: "tokens-unavailable", message: /^[^A].*credentials allowed/ };
  await assert.rejects(broken.readKeys(), fault);
  await assert.rejects(broken.list(1), fault);
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

interface Fixture {
  readonly access: { readonly anonymous: "public"; readonly private: string };
  readonly tokens: readonly { readonly id: string; readonly token: string; readonly expected: string }[];
  readonly keyValues: Readonly<Record<string, string>>;
}

const fixture: Fixture = JSON.parse(
  readFileSync(join(import.meta.dirname, "../access/testdata/deployment-0.1.json"), "utf8"),
);
const sameAccess: DeployedAccess = { ...fixture.access, private: fixture.access.private.split(","), tenants: {} };
const expected = fixture.tokens.map((token) => token.expected);

function ofVersionBefore(): FakeKeyValues {
  const keyValues = new FakeKeyValues();
  for (const [key, value] of Object.entries(fixture.keyValues)) keyValues.values.set(key, value);
  return keyValues;
}

/** What the edge makes of each token of the fixture. */
function judged({ values }: FakeKeyValues): readonly string[] {
  return fixture.tokens.map(({ token }) => {
    const claims = verifyToken(token, keyValuesOf(values), now, hmac);
    return typeof claims === "string" ? claims : "valid";
  });
}

/** What the edge of version 0.1 made of them: by this one value, which must have been sound. */
function judgedBefore({ values }: FakeKeyValues): readonly string[] {
  const { revoked = "", keys = [] } = tokensOf({ values } as FakeKeyValues) ?? {};
  assert.ok(keys.length > 0);
  return fixture.tokens.map(({ id }) => (` ${revoked} `.includes(` ${id} `) ? "revoked" : "valid"));
}

test("a deployment of version 0.1 goes on: its tokens are valid, revoked and listed as before", async () => {
  const [keyValues, table] = [ofVersionBefore(), new FakeTokenTable()];
  const { open } = opener(keyValues, table);
  await assert.rejects(listTokens(open(), now), { code: "tokens-unreadable", message: /run cdk deploy first$/ });
  await deploy(keyValues, table, sameAccess, "prepare");
  assert.deepEqual(judged(keyValues), expected);
  assert.deepEqual(judgedBefore(keyValues), expected, "the code of before is still at work");
  assert.equal(keyValues.values.get("access"), fixture.keyValues.access);
  await deploy(keyValues, table, sameAccess);
  assert.deepEqual(judged(keyValues), expected);
  assert.deepEqual(
    [...keyValues.values.keys()].filter((key) => key.startsWith("token/")),
    [],
  );
  const { items } = await listTokens(open(), now, { limit: 1000 });
  assert.deepEqual(new Set(items.map(({ id }) => id)), new Set(fixture.tokens.map(({ id }) => id)));
  assert.equal(items.filter(({ revoked }) => revoked !== undefined).length, 60);
  const { token } = await createToken(open(), request, now);
  assert.equal(typeof verifyToken(token, keyValuesOf(keyValues.values), now, hmac), "object");
});

test("an upgrade that dies at any write refuses every revoked token and lets the others in, and is repeated safely", async () => {
  let ended = false;
  for (let dieAt = 1; !ended; dieAt++) {
    const [keyValues, table] = [ofVersionBefore(), new FakeTokenTable()];
    const dying = new FakeKeyValues(keyValues.values);
    let updates = 0;
    const isPrepared = () => keyValues.values.has("r 1023") && keyValues.values.has("p 255");
    dying.beforeUpdate = () => {
      if (++updates === dieAt) throw new Error("died");
    };
    ended = await deploy(dying, table, sameAccess).then(
      () => true,
      () => false,
    );
    // Which code is at work: the new one comes when everything is prepared, the old one goes only then.
    if (isPrepared()) assert.deepEqual(judged(keyValues), expected, `new code, died at ${dieAt}`);
    else assert.deepEqual(judgedBefore(keyValues), expected, `old code, died at ${dieAt}`);
    await deploy(keyValues, table, sameAccess);
    assert.deepEqual(judged(keyValues), expected, `died at ${dieAt}, and again`);
    assert.equal(table.rows.size, fixture.tokens.length);
  }
});
