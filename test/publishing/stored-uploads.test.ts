import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { DirectoryModuleStore } from "../../lambda/local/data/directory-module-store.ts";
import { uploadKey } from "../../lambda/proxy/store/layout.ts";
import { ServedError } from "../../lambda/proxy/store/served-error.ts";
import { StoredUploads } from "../../lambda/publishing/stored-uploads.ts";
import { FolderTemporaryFiles } from "../../lambda/runtime/folder-temporary-files.ts";
import { temporaryName } from "../../lambda/runtime/temporary-files.ts";
import { dataFolder } from "../support/data-folder.ts";

// Uploads on one machine: to a file, within limits, and nothing is left of one that did not come to its end.

async function open(t: TestContext, checkRoom = () => {}) {
  const data = dataFolder(t);
  const store = await DirectoryModuleStore.open(data, 0);
  const temporaryFiles = new FolderTemporaryFiles(join(data, "tmp"), temporaryName);
  let made = 0;
  const uploads = new StoredUploads({ store, temporaryFiles, name: () => `id-${made++}`, checkRoom });
  const left = () => [join(data, "tmp"), join(data, "mod/-/upload")].flatMap((folder) => namesIn(folder));
  return { store, uploads, left };
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

async function* body(...chunks: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* chunks;
}

test("what comes in is there under its id until it is removed", async (t) => {
  const { store, uploads, left } = await open(t);
  const id = await uploads.receive(body(Buffer.from("ab"), Buffer.from("c")), { limit: 3, by: "a" });
  assert.equal(Buffer.from((await store.read(uploadKey(id))) ?? []).toString(), "abc");
  await uploads.remove(id);
  await uploads.remove(id);
  assert.deepEqual(left(), []);
});

test("what is longer than it may be, breaks off or finds no room leaves nothing", async (t) => {
  const { uploads, left } = await open(t);
  await assert.rejects(uploads.receive(body(Buffer.alloc(3), Buffer.alloc(1)), { limit: 3, by: "a" }), {
    code: "upload-too-large",
  });
  const cut = async function* () {
    yield Buffer.alloc(9);
    throw new Error("aborted");
  };
  await assert.rejects(uploads.receive(cut(), { limit: 99, by: "a" }), {
    code: "bad-publication",
    message: "the body broke off",
  });
  assert.deepEqual(left(), []);
  let looks = 0;
  const full = await open(t, () => {
    if (++looks > 1) throw new ServedError("store-failed", "no room");
  });
  const large = body(...Array.from({ length: 40 }, () => Buffer.alloc(1 << 20)));
  await assert.rejects(full.uploads.receive(large, { limit: 1 << 30, by: "a" }), { code: "store-failed" });
  assert.equal(looks, 2, "it is looked at while bytes come in");
  assert.deepEqual(full.left(), []);
});

test("eight come in at once, and a ninth is told to come back", async (t) => {
  const { uploads, left } = await open(t);
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const slow = async function* () {
    yield Buffer.alloc(1);
    await ended;
  };
  const eight = Array.from({ length: 8 }, (_, i) => uploads.receive(slow(), { limit: 9, by: i % 2 ? "a" : "b" }));
  await assert.rejects(uploads.receive(body(), { limit: 9, by: "c" }), { code: "too-many-uploads" });
  end();
  for (const id of await Promise.all(eight)) await uploads.remove(id);
  await uploads.remove(await uploads.receive(body(), { limit: 9, by: "c" }));
  assert.deepEqual(left(), []);
});
