import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { policies } from "../../lambda/proxy/store/layout.ts";
import type { ModuleStore } from "../../lambda/proxy/store/module-store.ts";
import { type Open, openFor } from "./opened.ts";

const key = "github.com/!azure/x/@v/v1.0.0.info";

/** What every `ModuleStore` must do, whatever it keeps its files in. */
export function moduleStoreContract(name: string, open: Open<ModuleStore>): void {
  describe(`${name} keeps the contract of ModuleStore`, () => {
    test("what is not there is undefined", async (t) => {
      const { store } = await openFor(t, open);
      assert.equal(await store.read(key), undefined);
      assert.equal(await store.size(key), undefined);
      assert.deepEqual(await collect(store, ""), []);
    });

    test("a file is read as it was created, by everyone", async (t) => {
      const { store, other } = await openFor(t, open);
      const every = Uint8Array.from({ length: 256 }, (_, byte) => byte);
      assert.equal(await store.create(key, every, policies.internal), true);
      for (const reader of [store, other]) {
        assert.deepEqual(plain(await reader.read(key)), plain(every));
        assert.equal(await reader.size(key), 256);
      }
    });

    test("an empty file is a file", async (t) => {
      const { store } = await openFor(t, open);
      assert.equal(await store.create(key, new Uint8Array(), policies.internal), true);
      assert.deepEqual(plain(await store.read(key)), plain(new Uint8Array()));
      assert.equal(await store.size(key), 0);
      assert.equal(await store.create(key, Buffer.from("late"), policies.internal), false);
      assert.equal(await store.size(key), 0);
    });

    test("a view into a larger buffer is stored as the view", async (t) => {
      const { store } = await openFor(t, open);
      await store.create(key, Buffer.from("<view>").subarray(1, 5), policies.internal);
      assert.equal(textOf(await store.read(key)), "view");
    });

    test("whoever comes second is told so and changes nothing", async (t) => {
      const { store, other } = await openFor(t, open);
      assert.equal(await store.create(key, Buffer.from("first"), policies.internal), true);
      for (const late of [store, other]) {
        assert.equal(await late.create(key, Buffer.from("second"), policies.internal), false);
        assert.equal(await late.create(key, sourceFile(t, "third"), policies.internal), false);
      }
      assert.equal(textOf(await store.read(key)), "first");
    });

    test("neither source nor answer is tied to what is stored", async (t) => {
      const { store } = await openFor(t, open);
      const source = Buffer.from("stored");
      await store.create(key, source, policies.internal);
      source.fill(0);
      (await store.read(key))?.fill(0);
      assert.equal(textOf(await store.read(key)), "stored");
    });

    test("a path source stays the caller's, who may remove it afterwards", async (t) => {
      const { store } = await openFor(t, open);
      const source = sourceFile(t, "from a file");
      assert.equal(await store.create(key, source, policies.internal), true);
      assert.equal(readFileSync(source.path, "utf8"), "from a file");
      rmSync(source.path);
      assert.equal(textOf(await store.read(key)), "from a file");
    });

    test("a path source that is not there fails and stores nothing", async (t) => {
      const { store } = await openFor(t, open);
      const { path } = sourceFile(t, "");
      await assert.rejects(store.create(key, { path: `${path}-gone` }, policies.internal), { code: "store-failed" });
      assert.equal(await store.size(key), undefined);
      assert.equal(await store.create(key, Buffer.from("later"), policies.internal), true);
    });

    test("a file is copied to a file of this machine that is the caller's", async (t) => {
      const { store, other } = await openFor(t, open);
      const { path } = sourceFile(t, "something longer that was there before");
      assert.equal(await store.copy(key, path), undefined);
      await store.create(key, sourceFile(t, "from a file"), policies.internal);
      assert.equal(await other.copy(key, path), 11);
      assert.equal(readFileSync(path, "utf8"), "from a file");
      writeFileSync(path, "changed");
      assert.equal(textOf(await store.read(key)), "from a file");
    });

    test("of many creators at the same moment one wins, and all can read what it stored", async (t) => {
      const { store, other } = await openFor(t, open);
      const contents = Array.from({ length: 16 }, (_, i) => `${i}`.repeat(1000));
      const told = await Promise.all(
        contents.map(async (content, i) => {
          const creator = i % 2 ? other : store;
          const created = await creator.create(
            key,
            i % 3 ? Buffer.from(content) : sourceFile(t, content),
            policies.internal,
          );
          return { created, read: textOf(await creator.read(key)) };
        }),
      );
      assert.equal(told.filter(({ created }) => created).length, 1);
      const stored = contents[told.findIndex(({ created }) => created)];
      for (const { read } of told) assert.equal(read, stored);
    });

    test("readers beside a create see the whole file or none", async (t) => {
      const { store, other } = await openFor(t, open);
      const content = Buffer.alloc(1 << 20, 7);
      let done = false;
      const seen = new Set<number | undefined>();
      const watch = async (reader: ModuleStore) => {
        while (!done) {
          seen.add(await reader.size(key));
          seen.add((await reader.read(key))?.length);
        }
      };
      const watching = [watch(store), watch(other)];
      await store.create(key, sourceFile(t, content), policies.internal).finally(() => {
        done = true;
      });
      await Promise.all(watching);
      seen.delete(undefined);
      seen.delete(content.length);
      assert.deepEqual([...seen], []);
    });

    test("a file over 16 MiB has a size and is not read into memory", async (t) => {
      const { store } = await openFor(t, open);
      const limit = 16 << 20;
      await store.create("at-the-limit", sourceFile(t, Buffer.alloc(limit)), policies.internal);
      await store.create("over-the-limit", sourceFile(t, Buffer.alloc(limit + 1)), policies.internal);
      assert.equal((await store.read("at-the-limit"))?.length, limit);
      await assert.rejects(store.read("over-the-limit"), { code: "store-failed" });
      assert.equal(await store.size("over-the-limit"), limit + 1);
    });

    test("keys are those that begin with the prefix, and no others", async (t) => {
      const { store } = await openFor(t, open);
      const stored = ["a/@v/v1.0.0.info", "a/@v/v1.0.0.mod", "a/b/@v/v1.0.0.mod", "ab/@v/v1.0.0.mod", "sumdb/s/latest"];
      for (const each of stored) await store.create(each, Buffer.from(each), policies.internal);
      const rows: readonly (readonly [prefix: string, keys: readonly string[]])[] = [
        ["", stored],
        ["a", stored.slice(0, 4)],
        ["a/", stored.slice(0, 3)],
        ["a/@v/", stored.slice(0, 2)],
        ["a/@v/v1.0.0.m", stored.slice(1, 2)],
        ["a/@v/v1.0.0.mod", stored.slice(1, 2)],
        ["a/@v/v1.0.0.mod/", []],
        ["b", []],
        ["no/such/", []],
      ];
      for (const [prefix, keys] of rows) assert.deepEqual(await collect(store, prefix), keys, prefix);
    });

    test("names next to each other are different files", async (t) => {
      const { store } = await openFor(t, open);
      const stored = [
        "x/@v/v1.0.0+incompatible.mod",
        "x/@v/v1.0.0.mod",
        "!x/@v/v1.0.0.mod",
        `${"n".repeat(255)}/~_-.mod`,
      ];
      for (const each of stored)
        assert.equal(await store.create(each, Buffer.from(each), policies.internal), true, each);
      for (const each of stored) assert.equal(textOf(await store.read(each)), each);
    });

    test("a file that was removed is gone for everyone, and its key is free", async (t) => {
      const { store, other } = await openFor(t, open);
      await store.create(key, Buffer.from("first"), policies.internal);
      assert.equal(await other.size(key), 5);
      await other.remove(key);
      for (const reader of [store, other]) {
        assert.equal(await reader.read(key), undefined);
        assert.equal(await reader.size(key), undefined);
        assert.deepEqual(await collect(reader, ""), []);
      }
      assert.equal(await store.create(key, sourceFile(t, "second"), policies.internal), true);
      assert.equal(await other.create(key, Buffer.from("third"), policies.internal), false);
      assert.equal(textOf(await other.read(key)), "second");
    });

    test("removing what is not there, again or at the same moment, changes nothing else", async (t) => {
      const { store, other } = await openFor(t, open);
      const near = ["a/b/c", "a/b/cd", "a/bc"];
      for (const each of [...near, "a/b/c.zip"]) await store.create(each, Buffer.from(each), policies.internal);
      await Promise.all(Array.from({ length: 8 }, (_, i) => (i % 2 ? store : other).remove("a/b/c.zip")));
      for (const each of ["a/b/c.zip", "a/b", "a", "a/b/c/d", "no/such"]) await store.remove(each);
      assert.deepEqual(await collect(store, ""), near);
      for (const each of near) assert.equal(textOf(await other.read(each)), each);
    });

    test("readers beside a removal get the whole file, none or an error", async (t) => {
      const { store, other } = await openFor(t, open);
      const content = Buffer.alloc(1 << 20, 7);
      for (let round = 0; round < 5; round++) {
        await store.create(key, content, policies.internal);
        const reads = [store, other, store, other].map((each) => each.read(key));
        const [, ...ends] = await Promise.allSettled([other.remove(key), ...reads]);
        for (const end of ends) {
          if (end.status === "rejected") assert.equal((end.reason as { code?: unknown }).code, "store-failed");
          else assert.ok(end.value === undefined || content.equals(end.value));
        }
        assert.equal(await store.size(key), undefined);
      }
    });
  });
}

function sourceFile(t: TestContext, content: string | Uint8Array): { readonly path: string } {
  const folder = mkdtempSync(join(tmpdir(), "modfront-source-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "source");
  writeFileSync(path, content);
  return { path };
}

async function collect(store: ModuleStore, prefix: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const each of store.keys(prefix)) keys.push(each);
  return keys.sort();
}

function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString();
}

/** Buffer or Uint8Array: both are the bytes. */
function plain(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes && new Uint8Array(bytes);
}
