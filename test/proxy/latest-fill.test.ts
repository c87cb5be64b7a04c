import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { LatestFill } from "../../lambda/proxy/latest-fill.ts";
import { ListFill } from "../../lambda/proxy/list-fill.ts";
import type { FetchOptions, ModuleSource } from "../../lambda/proxy/module-source.ts";
import { MemoryVersionIndex } from "../support/memory-adapters.ts";

// A latest is a list, a go.mod and an info one after the other: together they may take as long as one of them alone.

const path = "example.com/m";
const never = new Promise<never>(() => {});

/** An upstream that answers the list at once, and of the files what is in `files`; for the others nothing ever. */
function open(t: TestContext, files: Readonly<Record<string, string>>) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const index = new MemoryVersionIndex();
  const source: ModuleSource = {
    fetch: <T>(_module: string, _path: string, { consume }: FetchOptions<T>) =>
      consume({
        chunks: (async function* () {
          yield Buffer.from("v1.0.0\n");
        })(),
        length: undefined,
      }),
    isPrivate: () => false,
  };
  const clock = { now: () => 1_000_000, sleep: async () => {} };
  const parts = { index, source, clock, listSeconds: 60, notFoundSeconds: 60 };
  const fill = async (kind: string) => {
    const text = files[kind] ?? (await never);
    return { key: kind, size: text.length, bytes: Buffer.from(text) };
  };
  return { index, latest: new LatestFill({ ...parts, lists: new ListFill(parts), files: { fill } }) };
}

/** Lets everything run that waits for no timer, then moves the timers. */
async function pass(t: TestContext, milliseconds: number): Promise<void> {
  for (let i = 0; i < 20; i++) await turn();
  t.mock.timers.tick(milliseconds);
  for (let i = 0; i < 20; i++) await turn();
}

test("a go.mod that does not come is done without after a while", async (t) => {
  const { latest } = open(t, { info: '{"Version":"v1.0.0"}' });
  const answer = latest.fill(path);
  await pass(t, 15_000);
  assert.equal(Buffer.from((await answer).body).toString(), '{"Version":"v1.0.0"}');
});

test("an info that does not come either ends it before 45 s are over, as an outage", async (t) => {
  const { latest } = open(t, {});
  const failed = assert.rejects(latest.fill(path), { code: "upstream-timeout" });
  await pass(t, 15_000);
  await pass(t, 29_000);
  await failed;
});

test("what was the latest before is said then", async (t) => {
  const { latest, index } = open(t, { mod: "module example.com/m\n" });
  await index.remember(path, "latest", { text: "before", freshUntil: 0 });
  const answer = latest.fill(path);
  await pass(t, 44_000);
  const { body, stale } = await answer;
  assert.deepEqual([Buffer.from(body).toString(), stale], ["before", true]);
});
