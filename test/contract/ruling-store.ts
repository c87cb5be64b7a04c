import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { Ruling, RulingKind, RulingName, RulingStore } from "../../lambda/proxy/store/ruling-store.ts";
import { type Open, openFor } from "./opened.ts";

function ruling(module: string, version: string, more: Partial<Ruling> = {}): Ruling {
  return { kind: "block", module, version, reason: `of ${module}`, by: "ann", at: 1000, request: "r1", ...more };
}

const byName = (all: readonly Ruling[]) => all.toSorted((one, two) => (textOf(one) < textOf(two) ? -1 : 1));

function textOf({ kind, module, version }: RulingName): string {
  return `${kind} ${module} ${version}`;
}

async function listAll(store: RulingStore, kind: RulingKind, limit: number): Promise<readonly Ruling[]> {
  const all: Ruling[] = [];
  let after: RulingName | undefined;
  do {
    const page = await store.list(kind, limit, after);
    assert.ok(page.items.length <= limit);
    all.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return all;
}

/** What every `RulingStore` promises. */
export function rulingStoreContract(name: string, open: Open<RulingStore>): void {
  describe(`${name} keeps the contract of RulingStore`, () => {
    test("what is ruled is read by module and listed by kind, by another process too", async (t: TestContext) => {
      const { store, other } = await openFor(t, open);
      assert.deepEqual([await store.ofModule("a.example/x"), (await store.list("block", 10)).items], [[], []]);
      const long = `a.example/${"x".repeat(900)}`;
      const all = [
        ruling("a.example/x", "", { reason: "x'\"\\ é", until: 5000 }),
        ruling("a.example/x", "v1.0.0"),
        ruling("a.example/x", "v1.0.0", { kind: "exception" }),
        ruling("a.example/x", "v1.0.0-rc.1+incompatible", { kind: "verdict", by: "cooldown" }),
        ruling("a.example/xy", "v1.0.0"),
        ruling("a.example/X", "v1.0.0"),
        ruling(long, "v1.0.0"),
      ];
      for (const each of all) await store.set(each);
      for (const side of [store, other]) {
        assert.deepEqual(byName(await side.ofModule("a.example/x")), byName(all.slice(0, 4)));
        assert.deepEqual(await side.ofModule(long), [all[6]]);
        assert.deepEqual(await side.ofModule("a.example"), []);
        for (const kind of ["block", "exception", "verdict"] as const) {
          const own = byName(all.filter((each) => each.kind === kind));
          for (const limit of [1, 2, 100]) assert.deepEqual(byName(await listAll(side, kind, limit)), own);
          assert.equal(await side.count(kind), own.length);
        }
      }
    });

    test("one replaces another of its name alone, and what was removed is gone but for when", async (t: TestContext) => {
      const { store, other } = await openFor(t, open);
      const at = { kind: "block", module: "a.example/x", version: "v1.0.0" } as const;
      await store.set(ruling("a.example/x", "v1.0.0", { until: 9000 }));
      await store.set(ruling("a.example/x", "v1.0.0", { kind: "exception" }));
      await other.set(ruling("a.example/x", "v1.0.0", { reason: "new", at: 2000, request: "r2" }));
      assert.deepEqual(await store.last(at), { at: 2000, request: "r2", removed: false });
      assert.deepEqual((await store.list("block", 10)).items, [
        ruling("a.example/x", "v1.0.0", { reason: "new", at: 2000, request: "r2" }),
      ]);
      await store.remove({ ...at, at: 3000, request: "r3" });
      assert.deepEqual(await other.last(at), { at: 3000, request: "r3", removed: true });
      assert.deepEqual([await other.list("block", 10), await other.count("block")], [{ items: [] }, 0]);
      assert.deepEqual(
        (await other.ofModule("a.example/x")).map(({ kind }) => kind),
        ["exception"],
      );
      await assert.rejects(other.remove({ ...at, at: 4000, request: "r4" }), { code: "no-such-ruling" });
      await assert.rejects(other.remove({ ...at, version: "", at: 4000, request: "r4" }), { code: "no-such-ruling" });
      await store.set(ruling("a.example/x", "v1.0.0", { at: 5000, request: "r5" }));
      assert.deepEqual(await other.last(at), { at: 5000, request: "r5", removed: false });
      assert.equal(await other.count("block"), 1);
    });

    test("nothing changes before the note, or when it rejects", async (t: TestContext) => {
      const { store } = await openFor(t, open);
      const one = ruling("a.example/x", "v1.0.0");
      const refuse = () => Promise.reject(new Error("the log is full"));
      await assert.rejects(store.set(one, refuse), /the log is full/);
      assert.equal(await store.last(one), undefined);
      await store.set(one, async () => assert.equal(await store.last(one), undefined));
      await assert.rejects(store.remove({ ...one, at: 2 }, refuse), /the log is full/);
      assert.equal(await store.count("block"), 1);
      let noted = 0;
      await assert.rejects(store.remove({ ...one, module: "a.example/y" }, async () => void noted++));
      assert.equal(noted, 0);
    });

    test("many are made and removed at once, whatever of them is there", async (t: TestContext) => {
      const { store, other } = await openFor(t, open);
      const all = Array.from({ length: 60 }, (_, i) => ruling("a.example/x", `v1.0.${i}`, { kind: "verdict" }));
      await store.change(all, []);
      await store.change(all.slice(0, 10), all.slice(50));
      await store.change([], all.slice(50));
      assert.equal(await other.count("verdict"), 50);
      assert.deepEqual(byName(await listAll(other, "verdict", 7)), byName(all.slice(0, 50)));
    });
  });
}
