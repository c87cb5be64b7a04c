import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { appended, emptyFrontier, type Frontier, treeOf } from "../../lambda/proxy/log/growing-tree.ts";
import { recordText } from "../../lambda/proxy/log/record-text.ts";
import type {
  LogCommit,
  LogHead,
  LogRecord,
  LogRow,
  LogStore,
  PendingRecords,
  SignedHead,
  SignedHeads,
} from "../../lambda/proxy/store/log-store.ts";
import { hashOf, recordOf, recordsOf } from "../support/log-records.ts";
import { faultKinds, withFailpoints } from "../support/with-failpoints.ts";
import { type Open, openFor } from "./opened.ts";

const first: Omit<LogHead, "size" | "root"> = { epoch: 1n, role: "primary", mode: "solo" };
const proof = { number: 12_345_678_901n, head: Buffer.from("a note\n\n\u2014 sum.example x\n") };

interface Step {
  readonly commit: LogCommit;
  readonly frontier: Frontier;
}

/** The commit of these records on top of another. */
function stepOf(records: readonly LogRecord[], last?: Step): Step {
  let frontier = last?.frontier ?? emptyFrontier;
  const { size } = frontier;
  const rows = records.flatMap((record) => {
    const next = appended(frontier, { text: recordText(record), proof: record.proof });
    frontier = next.frontier;
    return next.rows;
  });
  const after = { ...first, size: frontier.size, root: treeOf(frontier).hash };
  const numbers = records.map(({ module }, i) => ({ module, number: size + BigInt(i) }));
  return { commit: { before: last?.commit.after, after, rows, numbers }, frontier };
}

/** Commits of 25 records until there are so many. */
async function grow(store: LogStore, count: number): Promise<Step> {
  let last: Step | undefined;
  for (let from = 0; from < count; from += 25) {
    last = stepOf(recordsOf(Math.min(25, count - from), from), last);
    assert.equal(await store.commit(last.commit), "committed");
  }
  return last as Step;
}

/** Adapters give buffers of several kinds. */
function plain(row: LogRow | undefined) {
  return (
    row && {
      hashes: row.hashes.map((hash) => Buffer.from(hash).toString("hex")),
      text: row.text && Buffer.from(row.text).toString(),
      proof: row.proof && { number: row.proof.number, head: Buffer.from(row.proof.head).toString() },
    }
  );
}

function plainHead(head: LogHead | undefined) {
  return head && { ...head, root: Buffer.from(head.root).toString("hex") };
}

/** What every `LogStore` must do, whatever it keeps its rows in. */
export function logStoreContract(name: string, open: Open<LogStore & PendingRecords>): void {
  describe(`${name} keeps the contract of LogStore`, () => {
    test("a new log has no head, no number and no row", async (t) => {
      const { store } = await openFor(t, open);
      assert.equal(await store.head(), undefined);
      assert.deepEqual(await store.numbers([recordOf(1).module]), [undefined]);
      assert.deepEqual(await store.rows([{ level: 0, number: 0n }]), [undefined]);
      assert.deepEqual(await store.range(0, 256n, 259n), [undefined, undefined, undefined]);
    });

    test("what is committed is read by everybody: head, numbers, rows, and rows of one tile", async (t) => {
      const { store, other } = await openFor(t, open);
      const records = [{ ...recordOf(0), proof }, recordOf(1), recordOf(2)];
      const { commit } = stepOf(records);
      assert.equal(await store.commit(commit), "committed");
      assert.deepEqual(plainHead(await other.head()), plainHead(commit.after));
      const modules = [recordOf(2), recordOf(7), recordOf(0)].map(({ module }) => module);
      assert.deepEqual(await other.numbers(modules), [2n, undefined, 0n]);
      const [zero, one, two] = commit.rows.map(plain);
      const places = [2n, 9n, 0n].map((number) => ({ level: 0, number }));
      assert.deepEqual((await other.rows(places)).map(plain), [two, undefined, zero]);
      assert.deepEqual((await other.range(0, 1n, 4n)).map(plain), [one, two, undefined]);
      assert.deepEqual((await other.range(1, 0n, 1n)).map(plain), [undefined]);
    });

    test("a commit whose head is not the present one writes nothing", async (t) => {
      const { store, other } = await openFor(t, open);
      const one = stepOf([recordOf(0)]);
      await store.commit(one.commit);
      const two = stepOf([recordOf(1)], one);
      const before = two.commit.before as LogHead;
      const stale: readonly LogCommit[] = [
        stepOf([recordOf(2)]).commit,
        { ...two.commit, before: { ...before, size: 2n } },
        { ...two.commit, before: { ...before, size: 0n } },
        { ...two.commit, before: { ...before, epoch: 2n }, after: { ...two.commit.after, epoch: 2n } },
      ];
      // The memory adapter refuses sizes that do not go on from each other: these do.
      const possible = stale.map((commit) => ({
        ...commit,
        after: { ...commit.after, size: (commit.before?.size ?? 0n) + 1n },
        numbers: commit.numbers.map((each) => ({ ...each, number: commit.before?.size ?? 0n })),
        rows: commit.rows.slice(0, 1).map((row) => ({ ...row, number: commit.before?.size ?? 0n })),
      }));
      for (const commit of possible) assert.equal(await other.commit(commit), "outgrown");
      assert.deepEqual(plainHead(await store.head()), plainHead(one.commit.after));
      assert.deepEqual(await store.numbers([recordOf(1).module, recordOf(2).module]), [undefined, undefined]);
      assert.equal(await other.commit(two.commit), "committed");
    });

    test("a module version that has a record gets no second one, and the others of that commit none", async (t) => {
      const { store, other } = await openFor(t, open);
      const one = stepOf([recordOf(0), recordOf(1)]);
      await store.commit(one.commit);
      const again = { ...recordOf(1), zip: hashOf("another") };
      const outcome = await other.commit(stepOf([recordOf(2), again, recordOf(0)], one).commit);
      assert.ok(typeof outcome === "object");
      assert.deepEqual(
        outcome.logged.map(({ path }) => path).sort(),
        [recordOf(0), recordOf(1)].map(({ module }) => module.path),
      );
      assert.equal((await store.head())?.size, 2n);
      assert.deepEqual(await store.numbers([recordOf(2).module, recordOf(1).module]), [undefined, 1n]);
    });

    test("of many who commit on the same head one succeeds", async (t) => {
      const { store, other } = await openFor(t, open);
      let last: Step | undefined;
      for (let round = 0; round < 4; round++) {
        const steps = Array.from({ length: 8 }, (_, i) => stepOf([recordOf(`${round}.${i}`)], last));
        const outcomes = await Promise.all(steps.map(({ commit }, i) => (i % 2 ? store : other).commit(commit)));
        assert.deepEqual(outcomes.toSorted(), ["committed", ...Array(7).fill("outgrown")]);
        last = steps[outcomes.indexOf("committed")] as Step;
        assert.deepEqual(plainHead(await store.head()), plainHead(last.commit.after));
      }
    });

    test("the fullest commit fits, and its subtrees are rows of the levels above", async (t) => {
      const { store, other } = await openFor(t, open);
      const last = await grow(store, 256);
      const [row] = await other.range(1, 0n, 1n);
      assert.equal(row?.hashes.length, 1);
      assert.deepEqual(Buffer.from(row?.hashes[0] ?? []), Buffer.from(last.commit.after.root));
      assert.equal(row.text, undefined);
      const tile = await other.range(0, 0n, 256n);
      assert.equal(tile.filter((each) => each?.text !== undefined).length, 256);
      assert.equal(tile[255]?.hashes.length, 8);
      const places = [
        { level: 1, number: 0n },
        ...Array.from({ length: 99 }, (_, i) => ({ level: 0, number: BigInt(i) })),
      ];
      assert.ok((await other.rows(places)).every((each) => each !== undefined));
      const modules = recordsOf(100).map(({ module }) => module);
      assert.deepEqual(
        await other.numbers(modules),
        modules.map((_, i) => BigInt(i)),
      );
    });

    for (const kind of faultKinds) {
      test(`of a commit that ${kind} without an answer, the numbers tell what became`, async (t) => {
        const { store, other } = await openFor(t, open);
        const step = stepOf(recordsOf(3));
        const failing = withFailpoints(store, [{ method: "commit", kind, call: 1 }]);
        await assert.rejects(failing.commit(step.commit), { code: "store-failed" });
        const numbers = await other.numbers(step.commit.numbers.map(({ module }) => module));
        assert.deepEqual(numbers, kind === "landed" ? [0n, 1n, 2n] : [undefined, undefined, undefined]);
        assert.equal((await other.head())?.size, kind === "landed" ? 3n : undefined);
        assert.equal(await failing.commit(step.commit), kind === "landed" ? "outgrown" : "committed");
      });
    }

    test("a row that is there is never written over, and nothing of that commit is written", async (t) => {
      const { store, other } = await openFor(t, open);
      const one = stepOf([recordOf(0)]);
      await store.commit(one.commit);
      const { commit } = stepOf([recordOf(1)], one);
      const [there] = stepOf([recordOf("another")]).commit.rows;
      assert.ok(there);
      await assert.rejects(other.commit({ ...commit, rows: [...commit.rows, there] }));
      assert.deepEqual((await other.rows([{ level: 0, number: 0n }])).map(plain), one.commit.rows.map(plain));
      assert.deepEqual([(await store.head())?.size, await store.numbers([recordOf(1).module])], [1n, [undefined]]);
      assert.equal(await other.commit(commit), "committed");
    });

    test("role, mode and epoch of a head are kept as they were written", async (t) => {
      const { store, other } = await openFor(t, open);
      const one = stepOf([recordOf(0)]);
      const after = { ...one.commit.after, epoch: 7n, role: "standby", mode: "paired" } as const;
      assert.equal(await store.commit({ ...one.commit, after }), "committed");
      assert.deepEqual(plainHead(await other.head()), plainHead(after));
    });
  });

  describe(`${name} keeps the contract of PendingRecords`, () => {
    test("the first that waits for a module version stands, and is given back whole", async (t) => {
      const { store, other } = await openFor(t, open);
      const record = { ...recordOf(0), proof };
      await store.add([record, recordOf(1)]);
      await other.add([{ ...recordOf(0), zip: hashOf("another") }, recordOf(1)]);
      const waiting = await other.first(25);
      assert.equal(waiting.length, 2);
      const kept = waiting.find(({ module }) => module.path === record.module.path);
      assert.deepEqual({ ...kept, proof: undefined }, { ...record, proof: undefined });
      assert.deepEqual({ ...kept?.proof, head: Buffer.from(kept?.proof?.head ?? []) }, proof);
    });

    test("a commit takes its records off, and those of others stay", async (t) => {
      const { store, other } = await openFor(t, open);
      await store.add(recordsOf(3));
      await other.commit(stepOf([recordOf(0), recordOf(2)]).commit);
      assert.deepEqual(
        (await store.first(25)).map(({ module }) => module),
        [recordOf(1).module],
      );
      assert.equal(await other.commit(stepOf([recordOf(1)]).commit), "outgrown");
      assert.equal((await store.first(25)).length, 1);
    });

    test("many wait, some are seen at once, always the same, and those who are taken off are gone", async (t) => {
      const { store, other } = await openFor(t, open);
      const records = recordsOf(60);
      await store.add(records);
      const some = await store.first(25);
      assert.equal(some.length, 25);
      assert.deepEqual(
        (await other.first(25)).map(({ module }) => module),
        some.map(({ module }) => module),
      );
      await other.remove(some.map(({ module }) => module));
      await other.remove(some.slice(0, 1).map(({ module }) => module));
      const rest = await store.first(100);
      assert.equal(rest.length, 35);
      const all = [...some, ...rest].map(({ module }) => module.path).sort();
      assert.deepEqual(all, records.map(({ module }) => module.path).sort());
      await store.add([]);
      await store.remove([]);
    });
  });
}

/** What every `SignedHeads` must do. */
export function signedHeadsContract(name: string, open: Open<SignedHeads>): void {
  const headOf = (size: bigint, text = `head of ${size}`): SignedHead => ({ size, note: Buffer.from(text) });
  const plainSigned = (head: SignedHead | undefined) =>
    head && { size: head.size, note: Buffer.from(head.note).toString() };

  describe(`${name} keeps the contract of SignedHeads`, () => {
    test("a head only grows, and who comes too late is told which is kept", async (t) => {
      const { store, other } = await openFor(t, open);
      assert.equal(await store.read("sum.corp.example"), undefined);
      for (const [next, kept] of [
        [headOf(0n), headOf(0n)],
        [headOf(3n), headOf(3n)],
        [headOf(2n), headOf(3n)],
        [headOf(3n, "another of the same size"), headOf(3n)],
        [headOf(10n), headOf(10n)],
        [headOf(9n), headOf(10n)],
      ] as const) {
        assert.deepEqual(plainSigned(await store.grow("sum.corp.example", next)), plainSigned(kept));
        assert.deepEqual(plainSigned(await other.read("sum.corp.example")), plainSigned(kept));
      }
    });

    test("each log has a head of its own", async (t) => {
      const { store, other } = await openFor(t, open);
      await store.grow("one.example", headOf(5n));
      assert.equal(await other.read("two.example"), undefined);
      assert.deepEqual(plainSigned(await other.grow("two.example", headOf(1n))), plainSigned(headOf(1n)));
      assert.deepEqual(plainSigned(await store.read("one.example")), plainSigned(headOf(5n)));
    });

    test("of many at the same moment the largest is kept", async (t) => {
      const { store, other } = await openFor(t, open);
      const sizes = [5n, 1n, 9n, 3n, 9n, 7n, 2n];
      await Promise.all(sizes.map((size, i) => (i % 2 ? store : other).grow("a.example", headOf(size))));
      assert.deepEqual(plainSigned(await other.read("a.example")), plainSigned(headOf(9n)));
    });
  });
}
