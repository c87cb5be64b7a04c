import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject, sign as signBytes } from "node:crypto";
import { test } from "node:test";
import { type GetPublicKeyCommand, KMSClient, type SignCommand } from "@aws-sdk/client-kms";
import { KmsSigner, readKmsKey } from "../../lambda/aws/kms-signer.ts";
import { newVerifier, open, sign } from "../../lambda/golang/note.ts";

const arn = "arn:aws:kms:eu-west-1:111122223333:key/one";
const message = Buffer.from("go.sum database tree\n1\nhash\n");

interface Answers {
  readonly key?: (der: Buffer) => unknown;
  readonly sign?: (message: Uint8Array, key: KeyObject) => unknown;
}

/** KMS with a key pair of its own, which answers in its place where the row says so. */
function kms(answers: Answers = {}) {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const der = publicKey.export({ format: "der", type: "spki" });
  const sent: unknown[] = [];
  const send = async ({ input }: GetPublicKeyCommand | SignCommand) => {
    sent.push(input);
    const answer =
      "Message" in input
        ? (answers.sign?.(input.Message as Uint8Array, privateKey) ?? {
            Signature: signBytes(undefined, input.Message as Uint8Array, privateKey),
          })
        : (answers.key?.(der) ?? { KeyId: arn, PublicKey: new Uint8Array(der), KeyUsage: "SIGN_VERIFY" });
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { client: { send } as unknown as KMSClient, sent };
}

test("signs RAW with the very key that the name led to, and what comes out is a note of the log", async () => {
  const { client, sent } = kms();
  const signer = new KmsSigner(client, await readKmsKey(client, "alias/modfront-signing"), "log.corp.example");
  const note = await sign({ text: message.toString() }, signer);
  assert.equal(open(note, [newVerifier(signer.verifierKey)]).text, message.toString());
  assert.match(signer.verifierKey, /^log\.corp\.example\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/);
  assert.deepEqual(sent, [
    { KeyId: "alias/modfront-signing" },
    { KeyId: arn, Message: message, MessageType: "RAW", SigningAlgorithm: "ED25519_SHA_512" },
  ]);
});

const noKeys: readonly (readonly [what: string, key: (der: Buffer) => unknown])[] = [
  ["of another kind", () => rsa()],
  ["that is cut short", (der) => ({ KeyId: arn, PublicKey: der.subarray(0, -1), KeyUsage: "SIGN_VERIFY" })],
  ["that agrees on secrets", (der) => ({ KeyId: arn, PublicKey: der, KeyUsage: "KEY_AGREEMENT" })],
  ["without a name of its own", (der) => ({ PublicKey: der, KeyUsage: "SIGN_VERIFY" })],
  ["that cannot be read", () => new Error("AccessDeniedException")],
];

function rsa() {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
  return { KeyId: arn, PublicKey: publicKey.export({ format: "der", type: "spki" }), KeyUsage: "SIGN_VERIFY" };
}

for (const [what, key] of noKeys) {
  test(`a key ${what} signs no log`, async () => {
    await assert.rejects(readKmsKey(kms({ key }).client, "alias/x"), { code: "store-failed" });
  });
}

const noSignatures: readonly (readonly [what: string, code: string, answer: NonNullable<Answers["sign"]>])[] = [
  ["nothing", "internal", () => ({})],
  ["no byte", "internal", () => ({ Signature: new Uint8Array() })],
  ["half a signature", "internal", (text, key) => ({ Signature: signBytes(undefined, text, key).subarray(0, 32) })],
  ["a signature of something else", "internal", (_, key) => ({ Signature: signBytes(undefined, arn64(), key) })],
  [
    "one of another key",
    "internal",
    (text) => ({ Signature: signBytes(undefined, text, generateKeyPairSync("ed25519").privateKey) }),
  ],
  ["that it is busy, after all tries", "store-failed", () => named("ThrottlingException")],
  ["that the key is disabled", "store-failed", () => named("DisabledException")],
  ["nothing in time", "store-failed", () => named("AbortError")],
];

function arn64(): Uint8Array {
  return Buffer.from(arn);
}

function named(name: string): Error {
  return Object.assign(new Error(name), { name });
}

for (const [what, code, answer] of noSignatures) {
  test(`nothing is signed where KMS answers ${what}`, async () => {
    const { client } = kms({ sign: answer });
    const signer = new KmsSigner(client, await readKmsKey(client, "alias/x"), "log.corp.example");
    await assert.rejects(sign({ text: message.toString() }, signer), { code });
  });
}

test("what KMS would not take in one piece is not sent", async () => {
  const { client, sent } = kms();
  const signer = new KmsSigner(client, await readKmsKey(client, "alias/x"), "log.corp.example");
  await assert.rejects(signer.sign(new Uint8Array(4097)), { code: "internal" });
  assert.equal(sent.length, 1);
});

test("a throttled call is tried again by the client, and every call has an end to its patience", async () => {
  const { publicKey } = generateKeyPairSync("ed25519");
  const der = publicKey.export({ format: "der", type: "spki" });
  const answers = [
    { statusCode: 400, body: { __type: "ThrottlingException" } },
    { statusCode: 200, body: { KeyId: arn, KeyUsage: "SIGN_VERIFY", PublicKey: der.toString("base64") } },
  ];
  let tries = 0;
  const handle = async (_request: unknown, { abortSignal }: { readonly abortSignal?: AbortSignal } = {}) => {
    assert.ok(abortSignal !== undefined && !abortSignal.aborted);
    const { statusCode, body } = answers[tries++] ?? { statusCode: 500, body: {} };
    const headers = { "content-type": "application/x-amz-json-1.1" };
    return { response: { statusCode, headers, body: new Blob([JSON.stringify(body)]).stream() } };
  };
  const options = { region: "eu-west-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } };
  const client = new KMSClient({ ...options, requestHandler: { handle } as never });
  const key = await readKmsKey(client, "alias/x");
  assert.deepEqual([tries, Buffer.from(key.publicKey)], [2, der.subarray(-32)]);
});
