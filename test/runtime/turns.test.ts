import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "../../lambda/runtime/turns.ts";

/** Takes a turn and says when it has come. */
function queue(turns: Turns, name: string, signal?: AbortSignal) {
  const state = { come: false, end: () => {}, failed: undefined as unknown };
  turns.take(name, signal).then(
    (end) => Object.assign(state, { come: true, end }),
    (failed: unknown) => Object.assign(state, { failed }),
  );
  return state;
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("so many at once for each name, the others in their order", async () => {
  const turns = new Turns(2);
  const [a, b, c, d] = [queue(turns, "m"), queue(turns, "m"), queue(turns, "m"), queue(turns, "m")];
  const other = queue(turns, "n");
  await settled();
  assert.deepEqual(
    [a, b, c, d, other].map(({ come }) => come),
    [true, true, false, false, true],
  );
  b.end();
  b.end();
  await settled();
  assert.deepEqual([c.come, d.come], [true, false]);
  for (const each of [a, c]) each.end();
  await settled();
  assert.equal(d.come, true);
  d.end();
  assert.equal((await turns.take("m", undefined)) instanceof Function, true);
});

test("who leaves while waiting leaves no gap", async () => {
  const turns = new Turns(1);
  const leaving = new AbortController();
  const [first, second, third] = [queue(turns, "m"), queue(turns, "m", leaving.signal), queue(turns, "m")];
  await settled();
  leaving.abort("left");
  await settled();
  assert.equal(second.failed, "left");
  first.end();
  await settled();
  assert.equal(third.come, true);
  await assert.rejects(turns.take("m", AbortSignal.abort(new Error("gone"))), { message: "gone" });
});
