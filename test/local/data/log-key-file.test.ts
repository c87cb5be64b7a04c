import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { newVerifier, open, sign } from "../../../lambda/golang/note.ts";
import { logKeyFile, logSigner, openLogKey } from "../../../lambda/local/data/log-key-file.ts";
import { defaultLogName } from "../../../lambda/proxy/log/log-name.ts";
import { dataFolder } from "../../support/data-folder.ts";

test("the key is made once, for its owner alone, and signs notes that its verifier key opens", async (t) => {
  const data = dataFolder(t);
  const key = await openLogKey(data);
  const path = join(data, logKeyFile);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.match(readFileSync(path, "utf8"), /^-----BEGIN PRIVATE KEY-----\n/);
  assert.deepEqual(readdirSync(join(data, "tmp")), []);
  assert.deepEqual((await openLogKey(data)).publicKey, key.publicKey);
  const name = defaultLogName(key.publicKey);
  assert.match(name, /^[0-9a-f]{8}\.modfront$/);
  assert.match(defaultLogName(key.publicKey, "go.corp.example"), /^[0-9a-f]{8}\.go\.corp\.example$/);
  for (const each of [name, "sum.corp.example"]) {
    const signer = logSigner(key, each);
    assert.equal(signer.name, each);
    const note = await sign({ text: "text\n" }, signer);
    assert.equal(open(note, [newVerifier(signer.verifierKey)]).text, "text\n");
  }
});

test("of many who make it at the same moment all have the same, and nothing else is left", async (t) => {
  const data = dataFolder(t);
  const keys = await Promise.all(Array.from({ length: 16 }, () => openLogKey(data)));
  assert.equal(new Set(keys.map(({ publicKey }) => Buffer.from(publicKey).toString("hex"))).size, 1);
  assert.deepEqual([readdirSync(data).sort(), readdirSync(join(data, "tmp"))], [[logKeyFile, "tmp"], []]);
});

test("a key that others may read, or that is none, is refused in a line that says nothing of it", async (t) => {
  const data = dataFolder(t);
  await openLogKey(data);
  const path = join(data, logKeyFile);
  const whole = readFileSync(path, "utf8");
  const secret = createPrivateKey(whole).export({ format: "der", type: "pkcs8" }).subarray(-32).toString("base64");
  for (const mode of [0o640, 0o604, 0o644, 0o601]) {
    chmodSync(path, mode);
    await assert.rejects(openLogKey(data), {
      code: "log-key",
      message: /^others may read the key of the log: chmod 600/,
    });
  }
  const rsa = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey.export({ format: "pem", type: "pkcs8" });
  for (const text of ["", "junk", whole.slice(0, 60), whole.replace("MC4", "MC5"), String(rsa), `${secret}\n`]) {
    rmSync(path);
    writeFileSync(path, text, { mode: 0o600 });
    await assert.rejects(openLogKey(data), (error: Error & { code?: string }) => {
      assert.deepEqual(
        [error.code, error.message.includes(secret), error.message.includes("\n")],
        ["log-key", false, false],
      );
      return true;
    });
    assert.equal(readFileSync(path, "utf8"), text, "and left alone");
  }
});
