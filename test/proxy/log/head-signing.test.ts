import assert from "node:assert/strict";
import { test } from "node:test";
import { generateKey, newSigner, sign } from "../../../lambda/golang/note.ts";
import { formatTree } from "../../../lambda/golang/tlog.ts";
import { recordText } from "../../../lambda/proxy/log/record-text.ts";
import { logKey, policies } from "../../../lambda/proxy/store/layout.ts";
import type { LogHead, LogRow, SignedHead } from "../../../lambda/proxy/store/log-store.ts";
import { ServedError } from "../../../lambda/proxy/store/served-error.ts";
import { recordOf, recordsOf } from "../../support/log-records.ts";
import { LogWorld, TestSigner } from "../../support/log-world.ts";
import { MemoryLog } from "../../support/memory-log-store.ts";
import { faultKinds, withFailpoints } from "../../support/with-failpoints.ts";

// Nothing is signed that cannot be proved: whatever somebody did to the table, and whatever the signer does.

const signed = 300;
const unsigned = 600;

/** 300 records that were signed and 300 that were not yet: a mover died, or its signer failed. */
async function halfSigned(): Promise<LogWorld> {
  const world = new LogWorld();
  await world.open().append(recordsOf(signed));
  const failing = world.open({ signer: failingSigner(world, () => Promise.reject(new Error("unreachable"))) });
  await assert.rejects(failing.append(recordsOf(unsigned - signed, signed)), { code: "log-unsigned" });
  assert.equal(world.memory.kept?.size, BigInt(unsigned));
  return world;
}

function failingSigner({ signer }: LogWorld, sign: TestSigner["sign"]): TestSigner {
  return Object.assign(Object.create(signer) as TestSigner, { sign });
}

function flipped(bytes: Uint8Array, at = 5): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

/** Changes one row by hand. */
function change(world: LogWorld, place: string, by: (row: LogRow) => LogRow): void {
  world.memory.placed.set(place, by(world.memory.placed.get(place) as LogRow));
}

const changeHash = (index: number) => (row: LogRow) => ({
  ...row,
  hashes: row.hashes.map((hash, i) => (i === index ? flipped(hash) : hash)),
});
const changeText = (row: LogRow) => ({ ...row, text: recordText(recordOf("forged")) });

/** What somebody changed by hand, and what a signer makes of it. */
const damages: readonly (readonly [what: string, damage: (world: LogWorld) => unknown])[] = [
  ["the text of a record since", (world) => change(world, "0 400", changeText)],
  ["the text of the last record", (world) => change(world, "0 599", changeText)],
  ["the hash of a record since", (world) => change(world, "0 400", changeHash(0))],
  ["another hash of its row", (world) => change(world, "0 511", changeHash(7))],
  ["text and hashes alike", (world) => change(world, "0 400", () => world.memory.placed.get("0 402") as LogRow)],
  ["a row above", (world) => change(world, "1 1", changeHash(0))],
  ["a row above that holds two hashes", (world) => change(world, "1 1", changeHash(1))],
  ["a hash that the signed root consists of", (world) => change(world, "1 0", changeHash(0))],
  ["one of the signed right edge", (world) => change(world, "0 299", changeHash(2))],
  ["a row that is gone", (world) => world.memory.placed.delete("0 450")],
  ["a row above that is gone", (world) => world.memory.placed.delete("1 1")],
  ["a row of fewer hashes", (world) => change(world, "0 511", (row) => ({ ...row, hashes: row.hashes.slice(0, -1) }))],
  ["a row without a text", (world) => change(world, "0 400", (row) => ({ ...row, text: undefined }))],
  [
    "a text that is none of ours",
    (world) => change(world, "0 400", (row) => ({ ...row, text: Buffer.from("x y z\n") })),
  ],
  ["the root of the head", (world) => setHead(world, { root: flipped(world.memory.kept?.root ?? new Uint8Array(32)) })],
  ["a head that promises more", (world) => setHead(world, { size: 601n })],
  ["a head that hides records", (world) => setHead(world, { size: 599n })],
  [
    "the size that its signed head is kept under",
    ({ memory, signer }) =>
      memory.signed.set(signer.name, { ...(memory.signed.get(signer.name) as SignedHead), size: 299n }),
  ],
  [
    "the signed head",
    (world) => world.memory.signed.set(world.signer.name, { size: 300n, note: Buffer.from("a note\n\n\u2014 x y\n") }),
  ],
];

function setHead({ memory }: LogWorld, changed: Partial<LogHead>): void {
  memory.kept = { ...(memory.kept as LogHead), ...changed };
}

for (const [what, damage] of damages) {
  test(`nothing is signed after somebody changed ${what}`, async () => {
    const world = await halfSigned();
    damage(world);
    const before = world.signer.signed.length;
    await assert.rejects(world.open().sign(), isAlarm("log-damaged"));
    assert.equal(world.signer.signed.length, before);
    const appended = await world
      .open()
      .append([recordOf("new")])
      .catch((error: ServedError) => error.code);
    assert.equal(appended, "log-damaged");
    assert.equal(world.signer.signed.length, before);
    assert.equal(
      (
        await world
          .reads()
          .head()
          .catch(() => undefined)
      )?.size ?? 300n,
      300n,
    );
  });
}

function isAlarm(code: string) {
  return (error: unknown) => {
    assert.ok(error instanceof ServedError, String(error));
    assert.deepEqual([error.code, error.traits.alarming], [code, true]);
    return true;
  };
}

test("a log whose head is what was signed has the rows it was signed for, or nothing is appended", async () => {
  const world = new LogWorld();
  await world.open().append(recordsOf(5));
  change(world, "0 4", changeHash(0));
  await assert.rejects(world.open().sign(), isAlarm("log-damaged"));
  await assert.rejects(world.open().append([recordOf(5)]), isAlarm("log-damaged"));
  assert.equal(world.memory.kept?.size, 5n);
});

test("a process that remembers the log goes by its head, and by what that is the root of", async () => {
  const world = new LogWorld();
  const log = world.open();
  await log.append(recordsOf(5));
  setHead(world, { root: flipped(world.memory.kept?.root ?? new Uint8Array(32)) });
  await assert.rejects(log.append([recordOf(5)]), isAlarm("log-damaged"));
});

test("what was signed is neither signed nor written again", async () => {
  const world = new LogWorld();
  await world.open().append(recordsOf(2));
  const files = withFailpoints(world.files, [{ method: "create", kind: "failed" }]);
  const heads = withFailpoints(world.memory, [{ method: "grow", kind: "failed" }]);
  assert.equal((await world.open({ files, heads }).sign()).size, 2n);
});

/** A table as it was at an earlier time. */
function backup(world: LogWorld): () => void {
  const { kept } = world.memory;
  const [placed, numbered, notes] = [world.memory.placed, world.memory.numbered, world.memory.signed].map((map) => [
    ...(map as Map<string, never>),
  ]);
  return () => {
    world.memory.kept = kept;
    for (const [map, entries] of [
      [world.memory.placed, placed],
      [world.memory.numbered, numbered],
      [world.memory.signed, notes],
    ] as const) {
      map.clear();
      for (const [key, value] of entries ?? []) map.set(key, value);
    }
  };
}

test("a restored table, which has less than was signed, is not appended to: by a new process and by a running one", async () => {
  const world = new LogWorld();
  const running = world.open();
  await running.append(recordsOf(3));
  const restore = backup(world);
  await running.append(recordsOf(2, 3));
  restore();
  for (const log of [running, world.open()]) {
    await assert.rejects(log.append([recordOf(9)]), isAlarm("log-shorter"));
    await assert.rejects(log.sign(), isAlarm("log-shorter"));
    await assert.rejects(log.drain(), isAlarm("log-shorter"));
  }
  assert.deepEqual([world.memory.kept?.size, world.signer.signed.length], [3n, 2]);
});

test("a table that was restored behind a process, and appended to by it, is not signed: its records were others before", async () => {
  const world = new LogWorld();
  const idle = world.open();
  await idle.append(recordsOf(3));
  const restore = backup(world);
  await world.open().append(recordsOf(1, 3));
  restore();
  // It saw the log at 3 records, so that it appends: and may not sign.
  await assert.rejects(idle.append(recordsOf(2, 50)), isAlarm("log-damaged"));
  assert.equal(world.signer.signed.length, 2);
  assert.equal((await world.reads().head())?.size, 3n);
});

test("an empty table under a log that was signed is not appended to", async () => {
  const world = new LogWorld();
  const restore = backup(world);
  await world.open().append(recordsOf(1));
  restore();
  await assert.rejects(world.open().append([recordOf(0)]), isAlarm("log-shorter"));
  await assert.rejects(world.open().sign(), isAlarm("log-shorter"));
});

test("a copy by another key, or of another tree of that size, stops the log", async () => {
  const world = new LogWorld();
  await world.open().append(recordsOf(3));
  const text = formatTree({ n: 3n, hash: Buffer.alloc(32, 1) });
  const forged = await sign({ text }, newSigner(generateKey(world.signer.name).skey));
  const other = await sign({ text }, world.signer);
  for (const note of [forged, other, Buffer.from("junk")]) {
    const key = logKey(world.signer.name, "head/0000000000000000003");
    await world.files.remove(key);
    await world.files.create(key, note, policies.internal);
    await assert.rejects(world.open().sign(), isAlarm("log-damaged"));
    await assert.rejects(world.open().append([recordOf(7)]), isAlarm("log-damaged"));
  }
});

test("copies are few, however often it was signed, and the newest is there", async () => {
  const world = new LogWorld();
  const log = world.open();
  for (let i = 0; i < 60; i++) await log.append([recordOf(i)]);
  const copies = [...world.files.files.keys()].filter((key) => key.includes("/head/"));
  assert.ok(copies.length <= 6, String(copies.length));
  assert.ok(copies.includes(logKey(world.signer.name, `head/${"60".padStart(19, "0")}`)));
});

const wrongs: readonly (readonly [
  what: string,
  sign: (world: LogWorld, message: Uint8Array) => Promise<Uint8Array>,
])[] = [
  ["fails", () => Promise.reject(new Error("no route to the key"))],
  ["throttles", () => Promise.reject(new ServedError("store-failed", "too many requests"))],
  ["answers with nothing", async () => new Uint8Array()],
  ["answers with a signature of another text", (world) => world.signer.sign(Buffer.from("go.sum database tree\n1\n"))],
  ["answers with a signature of another key", (_, message) => new TestSigner().sign(message)],
  ["answers with junk", async () => new Uint8Array(64)],
];

for (const [what, sign] of wrongs) {
  test(`nothing is seen of a head whose signer ${what}; the record is covered when it signs again`, async () => {
    const world = new LogWorld();
    await world.open().append([recordOf(0)]);
    const log = world.open({ signer: failingSigner(world, (message) => sign(world, message)) });
    await assert.rejects(log.append([recordOf(1)]), { code: "log-unsigned" });
    assert.deepEqual([(await world.reads().head())?.size, world.memory.kept?.size], [1n, 2n]);
    assert.equal([...world.files.files.keys()].filter((key) => key.includes("/head/")).length, 1);
    assert.deepEqual(await world.open().append([recordOf(1)]), [1n]);
    assert.equal((await world.signedTree())?.n, 2n);
  });
}

test("a slow signer signs once for all who came meanwhile", async () => {
  const world = new LogWorld();
  const asked: (() => void)[] = [];
  const slow = failingSigner(world, async (message) => {
    await new Promise<void>((resolve) => asked.push(resolve));
    return await world.signer.sign(message);
  });
  const log = world.open({ signer: slow });
  const first = log.append([recordOf(0)]);
  while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const others = recordsOf(20, 1).map((record) => log.append([record]));
  while (world.memory.kept?.size !== 21n) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(asked.length, 1);
  asked[0]?.();
  assert.deepEqual(await first, [0n]);
  while (asked.length === 1) await new Promise((resolve) => setImmediate(resolve));
  asked[1]?.();
  assert.equal((await Promise.all(others)).length, 20);
  assert.deepEqual([asked.length, (await world.signedTree())?.n], [2, 21n]);
});

test("two signers at the same moment: the larger head is kept, and both extend what was signed", async () => {
  const world = await halfSigned();
  const [one, other] = [world.open(), world.open()];
  await Promise.all([one.sign(), other.append([recordOf("new")]), other.sign(), one.sign()]);
  assert.equal((await world.signedTree())?.n, BigInt(unsigned + 1));
});

test("two processes whose tables are not the same sign at the same moment: one head of that size is seen", async () => {
  const world = new LogWorld();
  const tables = [new MemoryLog(), new MemoryLog()];
  const both: (() => void)[] = [];
  const signer = failingSigner(world, async (message) => {
    await new Promise<void>((resolve) => {
      if (both.push(resolve) === tables.length) for (const go of both) go();
    });
    return await world.signer.sign(message);
  });
  const appends = tables.map((table, i) =>
    world.open({ store: table, pending: table, heads: table, signer }).append([recordOf(i)]),
  );
  const failures = (await Promise.allSettled(appends)).flatMap((end) =>
    end.status === "rejected" ? [end.reason] : [],
  );
  assert.deepEqual(
    failures.map((error) => isAlarm("log-damaged")(error)),
    [true],
  );
  assert.equal(tables.filter(({ signed }) => signed.size > 0).length, 1);
});

for (const kind of faultKinds) {
  for (const method of ["create", "read", "keys"]) {
    test(`files whose ${method} ${kind}: what was not copied is not seen, and the next signs it`, async () => {
      const world = new LogWorld();
      await world.open().append([recordOf(0)]);
      const files = withFailpoints(world.files, [{ method, kind }]);
      await assert.rejects(world.open({ files }).append([recordOf(1)]), { code: "store-failed" });
      assert.equal((await world.reads().head())?.size, 1n);
      assert.deepEqual(await world.open().append([recordOf(1)]), [1n]);
      assert.equal((await world.signedTree())?.n, 2n);
    });
  }
}

test("a copy whose head did not get into the table is brought there, not signed again", async () => {
  const world = new LogWorld();
  const heads = withFailpoints(world.memory, [{ method: "grow", kind: "failed" }]);
  await assert.rejects(world.open({ heads }).append([recordOf(0)]), { code: "store-failed" });
  await world.open().sign();
  assert.deepEqual([world.signer.signed.length, (await world.reads().head())?.size], [1, 1n]);
});

for (const part of ["/tile/", "/records/"]) {
  test(`nothing is seen of a head whose records cannot be copied (${part}), and what has no other copy stays`, async () => {
    const world = new LogWorld();
    await world.open({ copies: true }).append(recordsOf(200));
    const before = [...world.files.files.keys()];
    const isPart = (key: unknown) => String(key).includes(part);
    const files = withFailpoints(world.files, [{ method: "create", kind: "failed", when: isPart }]);
    await assert.rejects(world.open({ files, copies: true }).append(recordsOf(100, 200)), { code: "store-failed" });
    assert.equal((await world.reads().head())?.size, 200n);
    const hasTile = [...world.files.files.keys()].some((key) => key.includes("/tile/8/data/"));
    for (const key of before) assert.ok(hasTile || world.files.files.has(key), key);
    await world.open({ copies: true }).sign();
    assert.equal((await world.reads().head())?.size, 300n);
  });
}

test("another key needs another name; with it the log goes on, all of it computed again", async () => {
  const world = await halfSigned();
  const samename = new TestSigner(world.signer.name);
  await assert.rejects(world.open({ signer: samename }).sign(), isAlarm("log-damaged"));
  const renamed = new TestSigner("5e6f7a8b.modfront");
  await world.open({ signer: renamed }).sign();
  assert.equal((await world.memory.read(renamed.name))?.size, BigInt(unsigned));
  change(world, "0 7", changeText);
  await assert.rejects(world.open({ signer: new TestSigner("9a9a9a9a.modfront") }).sign(), isAlarm("log-damaged"));
});

for (const head of [
  { role: "standby", mode: "paired" },
  { role: "standby", mode: "solo" },
  { role: "primary", mode: "paired" },
] as const) {
  test(`a ${head.role} that is ${head.mode} appends nothing by itself`, async () => {
    const world = new LogWorld();
    await world.open().append([recordOf(0)]);
    setHead(world, head);
    await assert.rejects(world.open().append([recordOf(1)]), { code: "store-failed" });
    assert.equal(world.memory.kept?.size, 1n);
    if (head.role === "standby") await assert.rejects(world.open().sign(), { code: "store-failed" });
  });
}

test("a clock that jumps changes nothing: what is waited for is a try, not a time", async () => {
  const world = new LogWorld();
  let jump = 0;
  const clock = {
    sleep: async (milliseconds: number) => {
      assert.ok(milliseconds >= 0 && milliseconds <= 500);
      // Forward by a day, back by two: as a sleep that ends at once, or only when the others are done.
      for (let turn = 0; turn < (jump++ % 3) * 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    },
  };
  const processes = Array.from({ length: 4 }, () => world.open({ clock }));
  const numbers = await Promise.all(recordsOf(100).map((record, i) => processes[i % 4]?.append([record])));
  assert.equal(new Set(numbers.flat()).size, 100);
  assert.equal((await world.signedTree())?.n, 100n);
});
