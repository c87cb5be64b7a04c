import assert from "node:assert/strict";
import { test } from "node:test";
import { QueryFill } from "../../../lambda/proxy/fill/query-fill.ts";
import type { ServedErrorCode } from "../../../lambda/proxy/store/served-error.ts";
import { countedCalls, countsOf } from "../../support/counted-calls.ts";
import { FakeSource } from "../../support/fake-source.ts";
import { MemoryVersionIndex } from "../../support/memory-adapters.ts";
import { openGate } from "../../support/no-policy.ts";
import { SetClock } from "../../support/set-clock.ts";

const path = "example.com/m";
const info = (version: string) => `{"Version":"${version}","Time":"2024-01-02T03:04:05Z"}`;

function world(answers: FakeSource["answers"] = {}) {
  const calls: string[] = [];
  const index = new MemoryVersionIndex();
  const source = new FakeSource(calls);
  source.answers = answers;
  const clock = new SetClock();
  /** As in another process: with the same index and nothing else in common. */
  const another = () =>
    new QueryFill({
      index: countedCalls("index", index, calls),
      source,
      clock,
      gate: openGate,
      latest: { fill: () => Promise.reject(new Error("nothing is refused here")) },
      querySeconds: 60,
      notFoundSeconds: 60,
    });
  const fill = another();
  const ask = async (query: string) => {
    const answer = await fill.fill(path, query);
    assert.ok("body" in answer);
    return { ...answer, body: Buffer.from(answer.body).toString() };
  };
  return { fill, another, ask, index, source, clock, take: () => countsOf(calls.splice(0)) };
}

test("a miss asks the upstream once, and while its answer is fresh the index once and nobody else", async () => {
  const { ask, source, clock, take } = world({ "@v/main.info": info("v1.0.0") });
  const first = await ask("main");
  assert.deepEqual(first, { body: info("v1.0.0"), freshUntil: clock.now() + 60_000 });
  assert.deepEqual(take(), { "index.recall": 2, "upstream @v/main.info": 1, "index.remember": 1 });
  source.answers = { "@v/main.info": info("v1.1.0") };
  clock.time += 59_999;
  assert.deepEqual(await ask("main"), first);
  assert.deepEqual(take(), { "index.recall": 1 });
  clock.time += 1;
  assert.equal((await ask("main")).body, info("v1.1.0"));
});

test("64 who ask at the same moment are one ask, and other queries are others", async () => {
  const { fill, take } = world({ "@v/main.info": info("v1.0.0"), "@v/v1.info": info("v1.2.0") });
  await Promise.all(Array.from({ length: 64 }, (_, i) => fill.fill(path, i % 2 === 0 ? "main" : "v1")));
  const { "upstream @v/main.info": main, "upstream @v/v1.info": major } = take();
  assert.deepEqual([main, major], [1, 1]);
});

test("a query is asked for as it is escaped, and answered anew from what was understood", async () => {
  for (const [query, name, said, ours] of [
    ["v1", "@v/v1.info", info("v1.2.0"), info("v1.2.0")],
    ["latest", "@v/latest.info", info("v1.2.0"), info("v1.2.0")],
    ["Feature", "@v/!feature.info", '{"Version":"v1.0.0","Secret":1}', '{"Version":"v1.0.0"}'],
    ["v1.0.0.zip", "@v/v1.0.0.zip.info", info("v1.0.0"), info("v1.0.0")],
  ] as const) {
    const { ask } = world({ [name]: said });
    assert.equal((await ask(query)).body, ours, query);
  }
});

test("an answer that is no version of the module is the upstream's failure, and nothing is remembered", async () => {
  for (const said of [
    "",
    "<html>",
    "{}",
    '{"Version":"main"}',
    '{"Version":"v2.0.0"}',
    info("v1.0.0") + " ".repeat(1 << 20),
  ]) {
    const { ask, index } = world({ "@v/main.info": said });
    await assert.rejects(ask("main"), { code: "upstream-failed" }, said.slice(0, 20));
    assert.equal(index.memories.size, 0);
  }
});

/** How an upstream fails, and whether what it answered last is the answer then. */
const failures: readonly (readonly [code: ServedErrorCode, stale: boolean])[] = [
  ["upstream-failed", true],
  ["upstream-timeout", true],
  ["upstream-unauthorized", true],
  // It answered: the branch is gone, or not to be had.
  ["not-found", false],
  ["upstream-refused", false],
  ["internal", false],
];

test("an old answer is given while the upstream is down, and only then", async () => {
  for (const [code, stale] of failures) {
    const { ask, source, clock } = world({ "@v/main.info": info("v1.0.0") });
    const { freshUntil } = await ask("main");
    source.outage = code;
    clock.time += 60_000;
    if (stale) assert.deepEqual(await ask("main"), { body: info("v1.0.0"), freshUntil, stale: true }, code);
    else await assert.rejects(ask("main"), { code });
  }
});

test("without an answer ever given the failure is the answer, and only a 404 is remembered", async () => {
  for (const [code] of failures) {
    const { ask, source } = world({ "@v/main.info": { code } });
    await assert.rejects(ask("main"), { code });
    source.answers = { "@v/main.info": info("v1.0.0") };
    if (code === "not-found") await assert.rejects(ask("main"), { code });
    else assert.equal((await ask("main")).body, info("v1.0.0"), code);
  }
});

test("a query that means nothing is asked for again 60 s after the first answer, however often it is wanted", async () => {
  const { ask, source, clock, take } = world();
  const missing = { code: "not-found", message: "the upstream has no @v/main.info" };
  await assert.rejects(ask("main"), missing);
  source.answers = { "@v/main.info": info("v1.0.0") };
  take();
  for (const later of [1, 30_000, 29_998]) {
    clock.time += later;
    await assert.rejects(ask("main"), missing);
    assert.deepEqual(take(), { "index.recall": 2 }, String(later));
  }
  clock.time += 1;
  assert.equal((await ask("main")).body, info("v1.0.0"));
});

test("another process that asked at the same moment and is answered later does not prolong that", async () => {
  const { fill, another, source, clock, index } = world();
  const until = clock.now() + 60_000;
  const held = Promise.withResolvers<void>();
  source.delay = () => held.promise;
  const slow = assert.rejects(another().fill(path, "main"), { code: "not-found" });
  while (source.calls.at(-1) !== "upstream @v/main.info") await new Promise((resolve) => setImmediate(resolve));
  source.delay = async () => {};
  await assert.rejects(fill.fill(path, "main"), { code: "not-found" });
  clock.time += 5_000;
  held.resolve();
  await slow;
  assert.equal((await index.recall(path, "missing query main"))?.freshUntil, until);
});

test("a query called like a file shares no memory with that file's 404", async () => {
  const { ask, index, clock } = world({ "@v/v1.0.0.zip.info": info("v1.0.0") });
  await index.remember(path, "missing v1.0.0.zip", { text: "no zip", freshUntil: clock.now() + 60_000 });
  assert.equal((await ask("v1.0.0.zip")).body, info("v1.0.0"));
});

test("who knows that a branch moved has it asked, whether its answer or that there is none is remembered", async () => {
  const { ask, fill, source } = world({ "@v/main.info": info("v1.0.0") });
  await ask("main");
  await assert.rejects(ask("next"), { code: "not-found" });
  source.answers = { "@v/main.info": info("v1.1.0"), "@v/next.info": info("v1.2.0") };
  assert.equal((await ask("main")).body, info("v1.0.0"));
  for (const query of ["main", "next"]) await fill.fill(path, query, 0);
  assert.deepEqual([(await ask("main")).body, (await ask("next")).body], [info("v1.1.0"), info("v1.2.0")]);
});
