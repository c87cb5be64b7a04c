import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CreateAliasCommand } from "@aws-sdk/client-kms";
import { KmsSigner, readKmsKey } from "../../lambda/aws/kms-signer.ts";
import { newVerifier, open, sign } from "../../lambda/golang/note.ts";
import { CallWatch, kmsClient, makeSigningKey } from "../support/aws-clients.ts";
import { type Ministack, startMinistack } from "../support/ministack.ts";

// A key as the storage stack makes it, asked for by its alias.

let aws: Ministack;

before(async () => {
  aws = await startMinistack();
});

after(async () => {
  await aws.stop();
});

test("KMS signs what note opens, with one call for the key and one for each signature", async () => {
  const watch = new CallWatch();
  const kms = kmsClient(aws, watch);
  const AliasName = "alias/modfront-signing";
  await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: await makeSigningKey(kms) }));
  watch.take();

  const signer = new KmsSigner(kms, await readKmsKey(kms, AliasName), "sum.corp.example");
  for (const failpoint of ["lost-request", "lost-answer"] as const) {
    watch.breakNext("SignCommand", failpoint);
    const note = await sign({ text: `go.sum database tree\n${failpoint}\n` }, signer);
    assert.equal(open(note, [newVerifier(signer.verifierKey)]).text, `go.sum database tree\n${failpoint}\n`);
  }
  assert.deepEqual(watch.take(), { GetPublicKeyCommand: 1, SignCommand: 2 });
});
