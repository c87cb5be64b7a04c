import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { VersionFacts } from "../../lambda/proxy/store/version-facts.ts";
import type { MemoryName, VersionFlag, VersionIndex } from "../../lambda/proxy/store/version-index.ts";
import { storedVersions } from "../support/stored-versions.ts";
import { type Open, openFor } from "./opened.ts";

const path = "github.com/Azure/x";

const beforeLicences: VersionFacts = { origin: "git", zipSize: 0, zipHash: "h1:zip", goModHash: "h1:mod" };
const all: VersionFacts = { ...beforeLicences, licences: ["MIT", "BSD-3-Clause"] };

/** What every `VersionIndex` must do, whatever it keeps its rows in. */
export function versionIndexContract(name: string, open: Open<VersionIndex>): void {
  describe(`${name} keeps the contract of VersionIndex`, () => {
    test("nothing is known of a module at first", async (t) => {
      const { store } = await openFor(t, open);
      assert.deepEqual(await store.module(path), { versions: [], list: undefined, latest: undefined });
      for (const each of ["list", "latest", "query main", "missing v1.0.0.zip"] as const) {
        assert.equal(await store.recall(path, each), undefined);
      }
    });

    test("a version is visible to everyone once it was added, however often", async (t) => {
      const { store, other } = await openFor(t, open);
      const versions = ["v1.0.0", "v1.0.0-pre", "v0.0.0-20240102030405-abcdefabcdef", "v2.0.0+incompatible"];
      for (const version of [...versions, ...versions]) await store.addVersion(path, version, 1, {});
      for (const index of [store, other]) assert.deepEqual(await storedVersions(index, path), versions.toSorted());
    });

    test("versions added at the same moment are all there", async (t) => {
      const { store, other } = await openFor(t, open);
      const versions = Array.from({ length: 40 }, (_, i) => `v1.0.${i}`);
      await Promise.all(versions.map((version, i) => (i % 2 ? store : other).addVersion(path, version, 1, {})));
      await Promise.all(versions.map((version) => other.addVersion(path, version, 1, {})));
      assert.deepEqual(await storedVersions(store, path), versions.toSorted());
    });

    test("when a version was first seen never changes", async (t) => {
      const { store, other } = await openFor(t, open);
      for (const now of [1_732_700_000_000, 1_732_700_000_001, 5]) {
        await other.addVersion(path, "v1.0.0", now, { origin: "upstream" });
        const { versions } = await store.module(path);
        assert.deepEqual(versions, [{ version: "v1.0.0", firstSeen: 1_732_700_000_000, flags: [] }]);
      }
      await Promise.all([1, 2].map((now) => (now === 1 ? store : other).addVersion(path, "v1.1.0", now, {})));
      const seen = async (index: VersionIndex) => (await index.module(path)).versions.map((row) => row.firstSeen);
      assert.deepEqual(await seen(store), await seen(other));
    });

    test("a version that was published is flagged so from its first moment, also where it was there before", async (t) => {
      const { store, other } = await openFor(t, open);
      const flags = async () => (await other.module(path)).versions.map((row) => [row.version, ...row.flags]);
      await store.addVersion(path, "v1.0.0", 1, { origin: "published" });
      await store.addVersion(path, "v1.0.0", 2, {});
      assert.deepEqual(await flags(), [["v1.0.0", "published"]]);
      await store.addVersion(path, "v1.1.0", 3, {});
      await store.setFlag(path, "v1.1.0", "yanked", true);
      await other.addVersion(path, "v1.1.0", 4, { origin: "published" });
      const rows = (await store.module(path)).versions.toSorted((one, two) => one.firstSeen - two.firstSeen);
      assert.deepEqual(
        rows.map((row) => [row.version, row.firstSeen, ...row.flags.toSorted()]),
        [
          ["v1.0.0", 1, "published"],
          ["v1.1.0", 3, "published", "yanked"],
        ],
      );
    });

    test("facts are added as they become known, and none changes", async (t) => {
      const { store, other } = await openFor(t, open);
      const steps: readonly (readonly [added: VersionFacts, known: VersionFacts | undefined])[] = [
        [{}, undefined],
        [{ origin: undefined, zipSize: undefined, licences: undefined }, undefined],
        [{ origin: "git" }, { origin: "git" }],
        [{ goModHash: "h1:mod" }, { origin: "git", goModHash: "h1:mod" }],
        [{ zipSize: 0, zipHash: "h1:zip", goModHash: "h1:other" }, beforeLicences],
        [{ origin: "upstream", licences: ["MIT", "BSD-3-Clause"] }, all],
        [{ origin: "import", zipSize: 9, zipHash: "h1:x", goModHash: "h1:x", licences: [] }, all],
        [{}, all],
      ];
      for (const [added, known] of steps) {
        await other.addVersion(path, "v1.0.0", 1, added);
        assert.deepEqual(await store.facts(path, "v1.0.0"), known, JSON.stringify(added));
      }
      await store.addVersion(path, "v1.1.0", 1, { licences: [] });
      assert.deepEqual(await other.facts(path, "v1.1.0"), { licences: [] }, "none found is not the same as unknown");
      for (const [module, version] of [
        [path, "v1.2.0"],
        ["github.com/azure/x", "v1.0.0"],
      ] as const)
        assert.equal(await store.facts(module, version), undefined);
    });

    test("facts added at the same moment are all kept", async (t) => {
      const { store, other } = await openFor(t, open);
      const parts = Object.entries(all).map(([name, fact]) => ({ [name]: fact }));
      await Promise.all(parts.map((part, i) => (i % 2 ? store : other).addVersion(path, "v1.0.0", 1, part)));
      assert.deepEqual(await store.facts(path, "v1.0.0"), all);
    });

    test("flags are set and cleared on visible versions, and adding a version leaves them", async (t) => {
      const { store, other } = await openFor(t, open);
      const flags = async () => (await other.module(path)).versions.map((row) => row.flags.toSorted());
      assert.equal(await store.setFlag(path, "v1.0.0", "yanked", true), false);
      assert.equal(await store.setFlag(path, "v1.0.0", "yanked", false), false);
      assert.deepEqual(await flags(), []);
      await store.addVersion(path, "v1.0.0", 1, {});
      const steps: readonly (readonly [flag: VersionFlag, on: boolean, left: readonly VersionFlag[]])[] = [
        ["evicted", false, []],
        ["evicted", true, ["evicted"]],
        ["yanked", true, ["evicted", "yanked"]],
        ["yanked", true, ["evicted", "yanked"]],
        ["evicted", false, ["yanked"]],
        ["yanked", false, []],
      ];
      for (const [flag, on, left] of steps) {
        assert.equal(await store.setFlag(path, "v1.0.0", flag, on), true);
        await other.addVersion(path, "v1.0.0", 2, { origin: "git" });
        assert.deepEqual(await flags(), [left], `${flag} ${on}`);
      }
    });

    test("a version that was removed is as if it had never been, for everyone", async (t) => {
      const { store, other } = await openFor(t, open);
      const list = { text: "v1.0.0\n", freshUntil: 1 };
      await store.remember(path, "list", list);
      for (const version of ["v1.0.0", "v1.0.1"]) await store.addVersion(path, version, 1, { zipSize: 1 });
      await store.setFlag(path, "v1.0.0", "yanked", true);
      await Promise.all([other.removeVersion(path, "v1.0.0"), store.removeVersion(path, "v1.0.0")]);
      await store.removeVersion(path, "v1.0.0");
      await store.removeVersion("github.com/azure/x", "v1.0.1");
      for (const index of [store, other]) {
        const versions = [{ version: "v1.0.1", firstSeen: 1, flags: [] }];
        assert.deepEqual(await index.module(path), { versions, list, latest: undefined });
        assert.equal(await index.facts(path, "v1.0.0"), undefined);
        assert.deepEqual(await index.facts(path, "v1.0.1"), { zipSize: 1 });
      }
      await other.addVersion(path, "v1.0.0", 7, {});
      const row = (await store.module(path)).versions.find(({ version }) => version === "v1.0.0");
      assert.deepEqual(row, { version: "v1.0.0", firstSeen: 7, flags: [] });
    });

    test("modules do not see each other's versions and memories", async (t) => {
      const { store } = await openFor(t, open);
      const near = [
        "github.com/azure/x",
        "github.com/Azure/x/v2",
        "github.com/Azure/x/",
        "github.com/Azure",
        "github.com/Azure/%",
        "",
      ];
      await store.addVersion(path, "v1.0.0", 1, {});
      await store.remember(path, "list", { text: "v1.0.0\n", freshUntil: 1 });
      for (const each of near) {
        assert.deepEqual(await store.module(each), { versions: [], list: undefined, latest: undefined }, each);
      }
    });

    test("what is remembered is read back, fresh or stale, alone and with its module", async (t) => {
      const { store, other } = await openFor(t, open);
      const list = { text: "v1.0.0\nv1.1.0\n", freshUntil: 1_900_000_000_000 };
      const latest = { text: '{"Version":"v1.1.0"}', freshUntil: 1 };
      await store.remember(path, "list", list);
      await store.remember(path, "latest", latest);
      await store.addVersion(path, "v1.0.0", 1, {});
      for (const index of [store, other]) {
        assert.deepEqual(await index.recall(path, "list"), list);
        assert.deepEqual(await index.recall(path, "latest"), latest);
        assert.deepEqual(await index.module(path), {
          versions: [{ version: "v1.0.0", firstSeen: 1, flags: [] }],
          list,
          latest,
        });
      }
    });

    test("a memory replaces the one of the same name, also by an older one", async (t) => {
      const { store, other } = await openFor(t, open);
      for (const freshUntil of [5, 7, 3]) {
        await other.remember(path, "list", { text: `until ${freshUntil}`, freshUntil });
        assert.deepEqual(await store.recall(path, "list"), { text: `until ${freshUntil}`, freshUntil });
      }
    });

    test("memories of different names are different, and only list and latest come with the module", async (t) => {
      const { store } = await openFor(t, open);
      const names: readonly MemoryName[] = [
        "query main",
        "query list",
        "query latest",
        "query feature/x",
        "query ",
        "query v1.0.0",
        "missing v1.0.0",
        "missing v1.0.0.zip",
        "missing list",
        "query \u{1f600} 'quoted' \"twice\" %_",
      ];
      for (const [i, each] of names.entries()) await store.remember(path, each, { text: each, freshUntil: i });
      for (const [i, each] of names.entries()) {
        assert.deepEqual(await store.recall(path, each), { text: each, freshUntil: i });
      }
      assert.deepEqual(await store.module(path), { versions: [], list: undefined, latest: undefined });
    });

    test("text is kept to the byte: empty, line ends, any alphabet, a megabyte that compresses", async (t) => {
      const { store } = await openFor(t, open);
      for (const text of ["", "\r\n\n", "\u0000", "é\u{1f600}", "v1.0.0\n".repeat(150_000)]) {
        await store.remember(path, "list", { text, freshUntil: 1 });
        assert.ok((await store.recall(path, "list"))?.text === text, JSON.stringify(text.slice(0, 20)));
        assert.ok((await store.module(path)).list?.text === text);
      }
    });
  });
}
