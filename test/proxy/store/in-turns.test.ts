import assert from "node:assert/strict";
import { test } from "node:test";
import type { Steps } from "../../../lambda/golang/steps.ts";
import { inTurns } from "../../../lambda/proxy/store/in-turns.ts";

/** Work of so many parts, each of which is noted. */
function* parts(name: string, count: number, log: string[]): Steps<string> {
  for (let part = 1; part <= count; part++) {
    log.push(name);
    yield;
  }
  return name;
}

test("one part of one work is done in each turn of the event loop, of each work in its turn", async () => {
  const log: string[] = [];
  let running = true;
  const turns = () => {
    log.push("|");
    if (running) setImmediate(turns);
  };
  setImmediate(turns);
  const all = Promise.all([inTurns(parts("a", 3, log)), inTurns(parts("b", 2, log)), inTurns(parts("c", 2, log))]);
  assert.deepEqual(await all, ["a", "b", "c"]);
  running = false;
  const parted = log.join("").split("|");
  assert.deepEqual(
    parted.filter((turn) => turn.length > 1),
    [],
  );
  assert.equal(parted.join(""), "aabcabc");
});

test("short work is done at once, and what it throws is thrown", async () => {
  const log: string[] = [];
  const done = inTurns(parts("a", 0, log)).then(() => log.push("done"));
  await Promise.resolve();
  setImmediate(() => log.push("turn"));
  await done;
  assert.deepEqual(log, ["done"]);
  const broken = (function* (): Steps<void> {
    yield;
    throw new Error("broken");
  })();
  await assert.rejects(inTurns(broken), /broken/);
  assert.equal(await inTurns(parts("after it", 2, log)), "after it");
});
