import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { newVerifier, open } from "../../../lambda/golang/note.ts";
import { checkTree, parseTree, proveTree } from "../../../lambda/golang/tlog.ts";
import { failpoints } from "../../../lambda/local/data/failpoints.ts";
import { logKey } from "../../../lambda/proxy/store/layout.ts";
import { dataFolder } from "../../support/data-folder.ts";
import { openLocalLog } from "../../support/local-log.ts";
import { runLogProcesses } from "../../support/log-process.ts";
import { recordOf } from "../../support/log-records.ts";

// kill -9 at each write boundary of an append, and what the next process makes of it.

const names = failpoints.filter((name) => /^(log|pending|signed|store\.create)\./.test(name));

async function opened(t: TestContext, data: string) {
  const parts = await openLocalLog(data);
  t.after(() => parts.database.close());
  return parts;
}

/** What of the log is there: its records, and the trees that were signed, in the table and among the files. */
async function survey({ store, heads, files, signer }: Awaited<ReturnType<typeof openLocalLog>>) {
  const verifier = newVerifier(signer.verifierKey);
  const treeOf = (note: Uint8Array) => parseTree(open(note, [verifier]).text);
  const copies = [];
  for await (const key of files.keys(logKey(signer.name, "head/")))
    copies.push(treeOf((await files.read(key)) ?? new Uint8Array()));
  const head = await heads.read(signer.name);
  const size = (await store.head())?.size ?? 0n;
  const texts: string[] = [];
  for (let from = 0n; from < size; from += 256n) {
    const rows = await store.range(0, from, from + 256n < size ? from + 256n : size);
    texts.push(...rows.map((row) => Buffer.from(row?.text ?? []).toString()));
  }
  assert.equal(new Set(texts).size, texts.length, "no record is there twice");
  return { size, copies, signed: head && treeOf(head.note) };
}

test("killed at a write boundary of an append", { concurrency: 3 }, async (t) => {
  await Promise.all(
    names.map((dieAt) =>
      t.test(`${dieAt}: the next process goes on with the log`, async (t) => {
        const data = dataFolder(t);
        const parts = await opened(t, data);
        await parts.log.append([recordOf(3)]);
        const { signed: older } = await survey(parts);
        // What waits and is logged already is taken off.
        const enqueue = dieAt.startsWith("pending.remove") ? [3] : [];
        const [end] = await runLogProcesses([{ data, enqueue, append: [0, 1, 2], dieAt }]);
        assert.equal(end?.signal, "SIGKILL", end?.errors);

        const left = await survey(parts);
        assert.ok(left.signed);
        for (const { n } of [left.signed, ...left.copies]) assert.ok(n <= left.size, "what is signed is there");
        assert.ok(
          left.copies.some(({ n }) => n >= (left.signed?.n ?? 0n)),
          "what can be seen is among the files",
        );

        const next = await opened(t, data);
        const numbers = await next.log.append([0, 1, 2, 3].map((i) => recordOf(i)));
        const { size, signed } = await survey(next);
        assert.equal(size, 4n);
        for (const [i, number] of numbers.entries())
          assert.equal((await next.reads.lookup(recordOf(i).module))?.number, number);
        assert.ok(signed && older);
        const rows = await next.store.range(0, 0n, 4n);
        const dense = rows.flatMap((row) => row?.hashes ?? []);
        const proof = await proveTree(4n, 1n, async (indexes) => indexes.map((i) => dense[Number(i)] as Uint8Array));
        checkTree(proof, signed.n, signed.hash, older.n, older.hash);
      }),
    ),
  );
});

test("200 at the same moment from 8 processes: each once, in fewer than 20 commits", async (t) => {
  const data = dataFolder(t);
  const records = Array.from({ length: 200 }, (_, i) => i);
  const tasks = Array.from({ length: 8 }, (_, i) => ({ data, append: records.filter((each) => each % 8 === i) }));
  const ends = await runLogProcesses(tasks);
  const results = ends.map((end) => end.results ?? assert.fail(end.errors));
  const numbers = results.flatMap((each) => each.numbers);
  assert.deepEqual(
    numbers.toSorted((a, b) => a - b),
    records,
  );
  assert.equal(new Set(results.map(({ key }) => key)).size, 1, "all have the key of the one that was first");
  const total = (name: "committed" | "lost" | "signed") => results.reduce((sum, { counts }) => sum + counts[name], 0);
  t.diagnostic(`${total("committed")} commits, ${total("lost")} lost, ${total("signed")} signatures`);
  assert.ok(total("committed") < 20);
  const { size, signed } = await survey(await opened(t, data));
  assert.deepEqual([size, signed?.n], [200n, 200n]);
});
