import assert from "node:assert/strict";
import { test } from "node:test";
import { LimitedFill, type LimitedFillParts } from "../../../lambda/proxy/fill/limited-fill.ts";
import type { FillAnswer, FillRequest } from "../../../lambda/proxy/store/fill-plane.ts";
import { ServedError } from "../../../lambda/proxy/store/served-error.ts";
import { systemClock } from "../../../lambda/runtime/system-clock.ts";

const answer: FillAnswer = { body: new Uint8Array() };

/** A limited plane behind which nothing ends before `end` says so. */
function world(limits: Partial<LimitedFillParts> = {}) {
  const begun: string[] = [];
  const ends = new Map<string, (() => void)[]>();
  let client = "";
  const plane = new LimitedFill({
    fills: 3,
    perClient: 2,
    queueSeconds: 3_600,
    clock: systemClock,
    checkRoom: () => {},
    client: () => client,
    fill: {
      fill: (request) => {
        const { path } = request as { readonly path: string };
        begun.push(path);
        return new Promise((resolve) => ends.set(path, [...(ends.get(path) ?? []), () => resolve(answer)]));
      },
    },
    ...limits,
  });
  const ask = (who: string, path: string) => {
    client = who;
    return plane.fill({ kind: "list", path });
  };
  const end = async (path: string) => {
    for (const each of ends.get(path) ?? assert.fail(path)) each();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { plane, begun, ask, end };
}

test("so many are filled at once, so many for one client, and the others wait their turn", async () => {
  const { begun, ask, end } = world();
  const all = [ask("a", "1"), ask("a", "2"), ask("a", "3"), ask("a", "4"), ask("b", "5"), ask("b", "6"), ask("c", "7")];
  assert.deepEqual(begun, ["1", "2", "5"], "the second client does not wait for the first one's third");
  await end("5");
  assert.deepEqual(begun.slice(3), ["6"], "who has all of its own is passed over");
  await end("1");
  assert.deepEqual(begun.slice(4), ["3"], "the longest waiting first");
  for (const path of ["2", "6", "3", "4", "7"]) await end(path);
  assert.deepEqual(begun.slice(5), ["4", "7"]);
  assert.deepEqual(await Promise.all(all), Array(7).fill(answer));
});

test("who asks for what is under way takes no turn", async () => {
  const { begun, ask, end } = world();
  const all = ["a", "a", "a", "b", "c", "d"].map((who) => ask(who, "same"));
  assert.deepEqual(begun, Array(6).fill("same"));
  const other = ask("a", "other");
  assert.deepEqual(begun.slice(6), ["other"]);
  for (const path of ["same", "other"]) await end(path);
  await Promise.all([...all, other]);
});

test("who waits too long is told so, and takes no turn any more", async () => {
  const { begun, ask, end } = world({ queueSeconds: 0 });
  const first = [ask("a", "1"), ask("a", "2")];
  await assert.rejects(ask("a", "3"), { code: "too-many", message: /at once/ });
  for (const path of ["1", "2"]) await end(path);
  await Promise.all(first);
  assert.deepEqual(begun, ["1", "2"]);
  const later = ask("a", "3");
  await end("3");
  await later;
});

// A clock that never rings: a real one would keep this process for an hour.
const silent = { after: () => () => {} };

test("a thousand may wait", { timeout: 10_000 }, async () => {
  const { ask } = world({ fills: 1, clock: silent });
  for (let i = 0; i <= 1_000; i++) ask(i % 2 ? "a" : "b", `${i}`).catch(() => {});
  await assert.rejects(ask("c", "one more"), { code: "too-many" });
});

test("one client takes half of the places to wait", { timeout: 10_000 }, async () => {
  const { begun, ask, end } = world({ fills: 1, clock: silent });
  for (let i = 0; i <= 500; i++) ask("a", `${i}`).catch(() => {});
  await assert.rejects(ask("a", "one more"), { code: "too-many" });
  ask("b", "other").catch(() => {});
  for (let i = 0; i <= 500; i++) await end(`${i}`);
  assert.equal(begun.at(-1), "other");
});

test("a failure gives the turn back", async () => {
  const failing = { fill: () => Promise.reject(new ServedError("upstream-failed", "down")) };
  const { ask } = world({ fills: 1, queueSeconds: 0, fill: failing });
  for (let i = 0; i < 3; i++) await assert.rejects(ask("a", "1"), { code: "upstream-failed" });
});

test("where there is no room no file is fetched, and what is only remembered is", async () => {
  const checkRoom = () => {
    throw new ServedError("store-failed", "no room");
  };
  const { plane, ask, end, begun } = world({ checkRoom });
  const module = { path: "m", version: "v1.0.0" };
  for (const kind of ["info", "mod", "zip"] as const)
    await assert.rejects(plane.fill({ kind, module } satisfies FillRequest), { code: "store-failed" });
  const list = ask("a", "list");
  await end("list");
  await list;
  assert.deepEqual(begun, ["list"]);
});
