import assert from "node:assert/strict";
import { test } from "node:test";
import { ListFill } from "../../../lambda/proxy/fill/list-fill.ts";
import { formatList } from "../../../lambda/proxy/sources/version-list.ts";
import type { ServedErrorCode } from "../../../lambda/proxy/store/served-error.ts";
import { countedCalls, countsOf } from "../../support/counted-calls.ts";
import { FakeSource } from "../../support/fake-source.ts";
import { MemoryVersionIndex } from "../../support/memory-adapters.ts";
import { openGate } from "../../support/no-policy.ts";
import { SetClock } from "../../support/set-clock.ts";
import { type Fault, withFailpoints } from "../../support/with-failpoints.ts";

const path = "example.com/m";
const pseudo = "v0.0.0-20240102030405-0123456789ab";

function world(list?: FakeSource["answers"][string], plan: readonly Fault[] = []) {
  const calls: string[] = [];
  const index = new MemoryVersionIndex();
  const source = new FakeSource(calls);
  if (list !== undefined) source.answers = { "@v/list": list };
  const clock = new SetClock();
  /** As in another process: with the same index and nothing else in common. */
  const another = () =>
    new ListFill({
      index: countedCalls("index", withFailpoints(index, plan), calls),
      source,
      clock,
      gate: openGate,
      listSeconds: 60,
      notFoundSeconds: 60,
    });
  const fill = another();
  const body = async (module = path) => formatList((await fill.fill(module)).list);
  return { fill, another, body, index, source, clock, take: () => countsOf(calls.splice(0)) };
}

const miss = { "index.module": 1, "index.recall": 1, "upstream @v/list": 1, "index.remember": 1 };

test("a miss asks the upstream once, and while its list is fresh the index once and nobody else", async () => {
  const { fill, source, clock, take } = world("v1.1.0\nv1.0.0\n");
  const first = await fill.fill(path);
  assert.deepEqual(first, {
    list: { tagged: ["v1.0.0", "v1.1.0"], newestPseudo: undefined },
    freshUntil: clock.now() + 60_000,
    stale: false,
  });
  assert.deepEqual(take(), miss);
  source.answers = { "@v/list": "v1.2.0\n" };
  clock.time += 59_999;
  assert.deepEqual(await fill.fill(path), first);
  assert.deepEqual(take(), { "index.module": 1 });
  clock.time += 1;
  assert.deepEqual((await fill.fill(path)).list.tagged, ["v1.2.0"]);
  assert.deepEqual(take(), miss);
});

test("64 who ask at the same moment are one ask, be it answered or not", async () => {
  for (const list of ["v1.0.0\n", undefined, { code: "upstream-failed" }] as const) {
    const { fill, take } = world(list);
    const answers = await Promise.allSettled(Array.from({ length: 64 }, () => fill.fill(path)));
    assert.equal(new Set(answers.map(({ status }) => status)).size, 1);
    assert.equal(take()["upstream @v/list"], 1);
  }
});

/** What an upstream says, and the body of our `@v/list`. */
const lists: readonly (readonly [said: string, ours: string, module?: string])[] = [
  ["", ""],
  ["\n\n", ""],
  ["v1.0.0", "v1.0.0\n"],
  ["v1.0.0\r\nv1.1.0\r\n", "v1.0.0\nv1.1.0\n"],
  ["v1.10.0\nv1.9.0\nv1.10.0-rc.1\nv1.9.0\n", "v1.9.0\nv1.10.0-rc.1\nv1.10.0\n"],
  // As `go` does: the first word of a line.
  ["v1.0.0 2024-01-02T03:04:05Z\n  v1.1.0\t# new\n", "v1.0.0\nv1.1.0\n"],
  [`${pseudo}\n`, ""],
  [`${pseudo}\nv1.0.0\nv1.0.1-0.20240102030405-0123456789ab\n`, "v1.0.0\n"],
  ["v1\nv1.0\nv1.0.0+meta\nV1.0.0\nmain\n<html>\n../../x\nv1.0.0\n", "v1.0.0\n"],
  ["v1.0.0\nv2.0.0\nv2.0.0+incompatible\n", "v1.0.0\nv2.0.0+incompatible\n"],
  ["v1.0.0\nv2.0.0\nv3.0.0+incompatible\n", "v2.0.0\n", "example.com/m/v2"],
  ["v1.0.0\nv2.0.1\n", "v2.0.1\n", "gopkg.in/m.v2"],
  // Tags of a repository that has no version of the module: `go` reads no version there either.
  ["v2.0.0\n", ""],
  ["1.0.0\n1.1.0\n", ""],
  ["1.0.0 2024-01-02T03:04:05Z\n", ""],
  ["v1.0.0\nv1.1.0\n", "", "example.com/m/v2"],
  ["release-1.0\napi/v1.0.0\nv1.0\n", ""],
  ["v1.0.0+meta\n", ""],
  // A pseudo-version of no possible time is none that `go` would take for the newest.
  [`v0.0.0-20241302030405-0123456789ab\n${pseudo}\nv0.0.0-20249902030405-0123456789ab\n`, ""],
  // Too long for the name of a file: 255 bytes, escaped and with `.info`.
  [`v1.0.0\nv1.0.0-${"a".repeat(244)}\nv1.0.0-${"a".repeat(243)}\n`, `v1.0.0-${"a".repeat(243)}\nv1.0.0\n`],
  [`v1.0.0\nv1.0.0-${"A".repeat(122)}\nv1.0.0-${"A".repeat(121)}\n`, `v1.0.0-${"A".repeat(121)}\nv1.0.0\n`],
  [`v1.${"1".repeat(2_000)}.0\n`, ""],
];

test("a list is ordered and rid of duplicates, junk, pseudo-versions and other majors", async () => {
  for (const [said, ours, module] of lists) {
    const { body } = world(said);
    assert.equal(await body(module), ours, said);
    assert.equal(await body(module), ours, `${said} as remembered`);
  }
});

test("text without one version, or more than there can be, is the upstream's failure and not an empty list", async () => {
  for (const said of [
    "<html>\nlog in\n</html>",
    "<html>\n1.0.0\n</html>",
    "not found\n",
    "404 page not found\n",
    "1.0.0 is the latest version\n",
    "404\n",
    "OK",
    "main\nmaster\n",
    '{"error":"log in"}',
    '["v1.0.0"]',
    "\0\x01v1.0.0\xff",
    "1.0.0\n\0\n",
    "v1.0.0\n".repeat(600_000),
  ]) {
    const { body, index } = world(said);
    await assert.rejects(body(), { code: "upstream-failed" }, said.slice(0, 20));
    assert.equal(index.memories.size, 0);
  }
});

/** How an upstream fails, and whether the copy we hold is the answer then. */
const failures: readonly (readonly [code: ServedErrorCode, stale: boolean])[] = [
  ["upstream-failed", true],
  ["upstream-timeout", true],
  ["upstream-unauthorized", true],
  // It answered, but what is stored here stays usable whether or not it is still published.
  ["not-found", true],
  ["upstream-refused", true],
  // A private module that no rule names any more.
  ["forbidden", true],
  ["store-failed", false],
  ["internal", false],
];

test("a list that cannot be renewed is the last known one and all that is stored, or the failure itself", async () => {
  for (const [code, stale] of failures) {
    const { fill, body, index, source, clock } = world("v1.1.0\n");
    await body();
    await index.addVersion(path, "v1.0.0", 1, {});
    source.outage = code;
    clock.time += 60_000;
    if (!stale) {
      await assert.rejects(body(), { code });
      continue;
    }
    const list = { tagged: ["v1.0.0", "v1.1.0"], newestPseudo: undefined };
    assert.deepEqual(await fill.fill(path), { list, freshUntil: 0, stale: true }, code);
    source.outage = undefined;
    assert.equal(await body(), "v1.1.0\n", `${code} is over`);
  }
});

test("without a list ever known, what is stored is listed, and with nothing stored the failure is the answer", async () => {
  for (const [code] of failures) {
    const { body } = world({ code });
    await assert.rejects(body(), { code });
  }
  const { body, index } = world({ code: "upstream-failed" });
  await index.addVersion(path, "v1.0.0", 1, {});
  await index.addVersion(path, pseudo, 1, {});
  assert.equal(await body(), "v1.0.0\n");
});

test("a module that is not there is asked for again 60 s after the first answer, however often it is wanted", async () => {
  const { fill, clock, source, take } = world();
  const missing = { code: "not-found", message: "the upstream has no @v/list" };
  await assert.rejects(fill.fill(path), missing);
  take();
  for (const later of [1, 30_000, 29_998]) {
    clock.time += later;
    await assert.rejects(fill.fill(path), missing);
    assert.equal(take()["upstream @v/list"], undefined, String(later));
  }
  clock.time += 1;
  source.answers = { "@v/list": "v1.0.0\n" };
  assert.deepEqual((await fill.fill(path)).list.tagged, ["v1.0.0"]);
});

test("another process that asked at the same moment and is answered later does not prolong that", async () => {
  const { fill, another, source, clock, index } = world();
  const until = clock.now() + 60_000;
  const held = Promise.withResolvers<void>();
  source.delay = () => held.promise;
  const slow = assert.rejects(another().fill(path), { code: "not-found" });
  while (source.calls.at(-1) !== "upstream @v/list") await new Promise((resolve) => setImmediate(resolve));
  source.delay = async () => {};
  await assert.rejects(fill.fill(path), { code: "not-found" });
  clock.time += 5_000;
  held.resolve();
  await slow;
  assert.equal((await index.recall(path, "missing list"))?.freshUntil, until);
});

test("other failures are never remembered", async () => {
  for (const [code] of failures.filter(([each]) => each !== "not-found")) {
    const { body, source, index } = world({ code });
    await assert.rejects(body(), { code });
    assert.equal(index.memories.size, 0, code);
    source.answers = { "@v/list": "v1.0.0\n" };
    assert.equal(await body(), "v1.0.0\n", code);
  }
});

test("an index that fails is a failure and not a module without versions", async () => {
  for (const method of ["module", "recall", "remember"]) {
    const { body } = world("v1.0.0\n", [{ method, kind: "failed", call: 1 }]);
    await assert.rejects(body(), { code: "store-failed" }, method);
    assert.equal(await body(), "v1.0.0\n", method);
  }
});

test("who knows that it has changed has the upstream asked, whatever is remembered, once all that was asked before has ended", async () => {
  const { fill, source, body } = world("v1.0.0\n");
  assert.equal(await body(), "v1.0.0\n");
  source.answers = { "@v/list": "v1.0.0\nv1.1.0\n" };
  assert.equal(await body(), "v1.0.0\n");
  assert.equal(formatList((await fill.fill(path, 0)).list), "v1.0.0\nv1.1.0\n");
  assert.equal(await body(), "v1.0.0\nv1.1.0\n");
});

test("an answer that was asked for before does not take the place of the newer one", async () => {
  const { fill, source, body } = world("v1.0.0\n");
  const held = Promise.withResolvers<void>();
  source.delay = () => held.promise;
  const slow = fill.fill(path);
  while (source.calls.at(-1) !== "upstream @v/list") await new Promise((resolve) => setImmediate(resolve));
  const newer = fill.fill(path, 0);
  source.delay = async () => {};
  held.resolve();
  await slow;
  source.answers = { "@v/list": "v1.0.0\nv1.1.0\n" };
  await newer;
  assert.equal(await body(), "v1.0.0\nv1.1.0\n");
});

test("a list that was missing is asked for again by who knows better", async () => {
  const { fill, source, body } = world();
  await assert.rejects(fill.fill(path), { code: "not-found" });
  source.answers = { "@v/list": "v1.0.0\n" };
  await assert.rejects(fill.fill(path), { code: "not-found" });
  await fill.fill(path, 0);
  assert.equal(await body(), "v1.0.0\n");
});
