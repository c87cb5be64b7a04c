import assert from "node:assert/strict";
import { test } from "node:test";
import { LoggedChecksums } from "../../../lambda/proxy/checksums/logged-checksums.ts";
import { MemoryRecordLog } from "../../support/memory-record-log.ts";

const module = { path: "example.com/m", version: "v1.0.0" };
const proof = { number: 7n, head: Buffer.from("head") };
const hashes = { zip: "h1:a=", goMod: "h1:b=" };

test("a record stands, whatever a checksum database says later, and speaks alone where there is none", async () => {
  const log = new MemoryRecordLog();
  const said = (theirs: object | undefined) =>
    new LoggedChecksums(
      { hashes: async () => theirs && { ...hashes, proof, ...theirs }, kept: async () => undefined },
      log,
    ).hashes(module);
  assert.equal(await said(undefined), undefined);
  assert.deepEqual(await said({}), { ...hashes, proof });
  await log.append([{ module, ...hashes, proof: undefined }]);
  assert.deepEqual(await said(undefined), hashes);
  assert.deepEqual(await said({}), { ...hashes, proof });
  for (const [other, message] of [
    [{ zip: "h1:c=" }, /another zip of example\.com\/m@v1\.0\.0 .* h1:a=, the database now h1:c=$/],
    [{ goMod: "h1:c=" }, /another go\.mod of example\.com\/m@v1\.0\.0 .* h1:b=, the database now h1:c=$/],
  ] as const)
    await assert.rejects(said(other), { code: "record-mismatch", message });
});
