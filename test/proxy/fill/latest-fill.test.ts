import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { LatestFill } from "../../../lambda/proxy/fill/latest-fill.ts";
import { ListFill } from "../../../lambda/proxy/fill/list-fill.ts";
import type { FetchOptions, ModuleSource } from "../../../lambda/proxy/sources/module-source.ts";
import { ServedError, type ServedErrorCode } from "../../../lambda/proxy/store/served-error.ts";
import { countedCalls, countsOf } from "../../support/counted-calls.ts";
import { FakeSource, type SourceAnswer } from "../../support/fake-source.ts";
import { MemoryVersionIndex } from "../../support/memory-adapters.ts";
import { openGate } from "../../support/no-policy.ts";
import { clockWith, SetClock } from "../../support/set-clock.ts";

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
    hasUpstream: () => true,
  };
  const clock = clockWith({ now: () => 1_000_000 });
  const parts = { index, source, clock, gate: openGate, listSeconds: 60, notFoundSeconds: 60 };
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

const info = (version: string) => `{"Version":"${version}","Time":"2024-01-02T03:04:05Z"}`;
const [older, newer] = ["v0.0.0-20230102030405-0123456789ab", "v0.0.0-20240102030405-0123456789ab"];

/** What an upstream has: list, `@latest`, and the go.mod of every version. */
interface Upstream {
  readonly list?: SourceAnswer;
  readonly latest?: SourceAnswer;
  readonly retract?: string;
  /** Versions without a go.mod of their own: an upstream makes one up for them. */
  readonly legacy?: readonly string[];
}

function world(upstream: Upstream) {
  const calls: string[] = [];
  const memory = new MemoryVersionIndex();
  const index = countedCalls("index", memory, calls);
  const source = new FakeSource(calls);
  const answer = ({ list, latest }: Upstream) => {
    source.answers = {
      ...(list !== undefined && { "@v/list": list }),
      ...(latest !== undefined && { "@latest": latest }),
    };
  };
  answer(upstream);
  const clock = new SetClock();
  const fill = async (kind: string, { version }: { readonly version: string }) => {
    calls.push(`file ${version}.${kind}`);
    if (source.outage !== undefined) throw new ServedError(source.outage, "the file is not to be had");
    const madeUp = kind === "mod" && upstream.legacy?.includes(version);
    if (kind === "mod" && upstream.retract === undefined && !madeUp)
      throw new ServedError("upstream-failed", "no go.mod");
    const goMod = `module ${path}\n${madeUp ? "" : `\ngo 1.21\n${upstream.retract}`}`;
    const text = kind === "info" ? info(version) : goMod;
    return { key: kind, size: text.length, bytes: Buffer.from(text) };
  };
  const parts = { index, source, clock, gate: openGate, listSeconds: 60, notFoundSeconds: 60 };
  const latest = new LatestFill({ ...parts, lists: new ListFill(parts), files: { fill } });
  const ask = async (module = path) => Buffer.from((await latest.fill(module)).body).toString();
  return { latest, ask, answer, memory, source, clock, take: () => countsOf(calls.splice(0)) };
}

/** What is chosen out of what. */
const choices: readonly (readonly [upstream: Upstream, version: string, module?: string])[] = [
  [{ list: "v1.10.0\nv1.9.0\n" }, "v1.10.0"],
  [{ list: "v1.0.0\nv1.1.0-rc.1\n" }, "v1.0.0"],
  [{ list: "v0.1.0-rc.1\nv0.1.0-rc.2\nv0.1.0-beta\n" }, "v0.1.0-rc.2"],
  // A pseudo-version is for modules without anything else, though it be higher.
  [{ list: "v1.0.0\nv1.0.1-0.20240102030405-0123456789ab\n" }, "v1.0.0"],
  [{ list: "v0.1.0-rc.1\nv0.1.1-0.20240102030405-0123456789ab\n" }, "v0.1.0-rc.1"],
  // The upstream's own @latest is for modules without a tag.
  [{ list: "v1.0.0\n", latest: info("v1.5.0") }, "v1.0.0"],
  [{ list: "", latest: info(newer) }, newer],
  [{ latest: info(newer) }, newer],
  [{ list: `${newer}\n${older}\n` }, newer],
  [{ list: `${older}\n`, latest: info(newer) }, newer],
  [{ list: `${newer}\n`, latest: info(older) }, newer],
  [{ list: `${older}\n`, latest: { code: "upstream-failed" } }, older],
  // By time, not by the order of versions.
  [{ list: "v0.0.0-20240102030405-0123456789ab\nv1.0.1-0.20230102030405-0123456789ab\n" }, newer],
  // `+incompatible` counts where the highest version without it, be it a prerelease, has no go.mod either.
  [{ list: "v1.0.0\nv2.0.0+incompatible\n", retract: "" }, "v1.0.0"],
  [{ list: "v1.0.0\nv2.0.0+incompatible\n", legacy: ["v1.0.0"] }, "v2.0.0+incompatible"],
  [{ list: "v1.0.0\nv1.1.0\nv2.0.0+incompatible\n", legacy: ["v1.0.0"], retract: "" }, "v1.1.0"],
  [{ list: "v1.0.0\nv1.1.0-rc.1\nv2.0.0+incompatible\n", legacy: ["v1.0.0"], retract: "" }, "v1.0.0"],
  [{ list: "v1.0.0\nv1.1.0-rc.1\nv2.0.0+incompatible\n", legacy: ["v1.1.0-rc.1"] }, "v2.0.0+incompatible"],
  [{ list: "v1.0.0\nv2.0.0-rc.1+incompatible\n", legacy: ["v1.0.0"] }, "v1.0.0"],
  [{ list: "v2.0.0+incompatible\nv3.0.0+incompatible\n" }, "v3.0.0+incompatible"],
  [{ list: "v0.1.0-rc.1\nv2.0.0+incompatible\n", retract: "" }, "v0.1.0-rc.1"],
  [{ list: "v0.1.0-rc.1\nv2.0.0+incompatible\n", legacy: ["v0.1.0-rc.1"] }, "v2.0.0+incompatible"],
  // The ends of real lists: docker/docker, google/flatbuffers, oracle/oci-go-sdk, pierrec/lz4 and cenkalti/backoff.
  [
    { list: "v1.13.0\nv1.13.1\nv28.5.1+incompatible\nv28.5.2+incompatible\n", legacy: ["v1.13.1"] },
    "v28.5.2+incompatible",
  ],
  [
    {
      list: "v1.12.0\nv23.1.21+incompatible\nv25.12.19+incompatible\nv25.12.19-2026-02-06-03fffb2+incompatible\n",
      legacy: ["v1.12.0"],
    },
    "v25.12.19+incompatible",
  ],
  [{ list: "v1.8.0\nv7.0.0+incompatible\nv24.3.0+incompatible\n", legacy: ["v1.8.0"] }, "v24.3.0+incompatible"],
  [
    {
      list: "v0.0.0-20190327172049-315a67e90e41\nv1.0.1\nv1.0.2-0.20190131084431-473cd7ce01a1\nv2.6.0+incompatible\nv2.6.1+incompatible\n",
      legacy: ["v1.0.1"],
    },
    "v2.6.1+incompatible",
  ],
  [
    { list: "v0.0.0-20181003080854-62661b46c409\nv1.1.0\nv2.2.1+incompatible\n", legacy: ["v1.1.0"] },
    "v2.2.1+incompatible",
  ],
  // Where that go.mod cannot be had, there is one: most have.
  [{ list: "v1.0.0\nv2.0.0+incompatible\n" }, "v1.0.0"],
  // A retracted version speaks for nothing: v1.1.0's go.mod does not keep v2 out, and v1.0.0 has none.
  [
    {
      list: "v1.0.0\nv1.1.0\nv2.0.0+incompatible\n",
      legacy: ["v1.0.0", "v2.0.0+incompatible"],
      retract: "retract v1.1.0",
    },
    "v2.0.0+incompatible",
  ],
  // The strange ones: nothing forbids +incompatible in v1, and there `go` looks no further up either.
  [{ list: "v1.0.0\nv1.1.0+incompatible\nv1.2.0\n", retract: "" }, "v1.0.0"],
  [{ list: "v0.9.0+incompatible\nv1.0.0\nv2.0.0+incompatible\n", retract: "" }, "v1.0.0"],
  [{ list: "v1.0.0\nv2.0.0-rc.1+incompatible\n", retract: "retract v1.0.0" }, "v2.0.0-rc.1+incompatible"],
  [{ list: "v2.0.0\nv2.1.0\nv3.0.0\n" }, "v2.1.0", "example.com/m/v2"],
  // Retractions, as the go.mod of the highest version has them.
  [{ list: "v1.0.0\nv1.1.0\n", retract: "retract v1.1.0" }, "v1.0.0"],
  [{ list: "v1.0.0\nv1.1.0\nv1.2.0\nv1.3.0\n", retract: "retract [v1.1.0, v1.3.0]" }, "v1.0.0"],
  [{ list: "v1.0.0\nv1.1.0\nv1.2.0\n", retract: "retract (\nv1.2.0\nv1.0.0 // bad\n)" }, "v1.1.0"],
  [{ list: "v1.0.0\nv1.1.0-rc.1\n", retract: "retract v1.0.0" }, "v1.1.0-rc.1"],
  [{ list: "v1.0.0\nv1.1.0\n", retract: "retract v1.1" }, "v1.0.0"],
  [
    { list: "v2.0.0+incompatible\nv3.0.0+incompatible\n", retract: "retract v3.0.0+incompatible" },
    "v2.0.0+incompatible",
  ],
  [{ list: `v1.0.0\n${newer}\n`, retract: "retract v1.0.0" }, newer],
  // Everything is retracted: `go` says so itself, from the same go.mod.
  [{ list: "v1.0.0\nv1.1.0\n", retract: "retract [v0.0.0, v1.9.9]" }, "v1.1.0"],
  [{ list: `v1.0.0\n${newer}\n`, retract: "retract [v0.0.0-0, v1.9.9]" }, "v1.0.0"],
  // Then `go` takes what the upstream's own @latest names, if that is not retracted.
  [{ list: "v1.0.0\nv1.1.0\n", retract: "retract [v0.0.1, v1.9.9]", latest: info(newer) }, newer],
  [{ list: `v1.0.0\n${older}\n`, retract: "retract v1.0.0", latest: info(newer) }, newer],
  [{ list: `v1.0.0\n${newer}\n`, retract: "retract v1.0.0", latest: info(older) }, newer],
  [{ list: `v1.0.0\n${newer}\n`, retract: "retract v1.0.0", latest: { code: "upstream-failed" } }, newer],
  [{ list: "v1.0.0\nv1.1.0\n", retract: "retract [v0.0.0-0, v1.9.9]", latest: info(newer) }, "v1.1.0"],
  [{ list: "v1.0.0\nv1.1.0\n", retract: "retract [v1.0.0, v1.1.0]", latest: info("v1.0.0") }, "v1.1.0"],
  [{ list: "v1.0.0\n", retract: "retract v1.0.0", latest: { code: "upstream-refused" } }, "v1.0.0"],
  [{ list: "v1.0.0\nv1.1.0\n", retract: "retract [v1.1.0, v1.0.0]" }, "v1.1.0"],
  // Overlapping, nested, upside down, and one of them without an end that is a version.
  [
    {
      list: "v1.0.0\nv1.1.0\nv1.2.0\nv1.3.0\nv1.4.0\nv1.5.0\n",
      retract:
        "retract (\n[v1.2.0, v1.5.0]\nv1.3.0\n[v1.4.0, v1.9.0]\n[v1.1.0, v1.0.0]\n[v1.0.0, x]\n[v0.1.0, v0.9.0]\n)",
    },
    "v1.1.0",
  ],
  // More go.mod than anybody's, and then no retraction is looked for.
  [{ list: "v1.0.0\nv1.1.0\n", retract: `retract v1.1.0\n//${" ".repeat(256 * 1024 - 100)}\n` }, "v1.0.0"],
  [{ list: "v1.0.0\nv1.1.0\n", retract: `retract v1.1.0\n//${" ".repeat(256 * 1024)}\n` }, "v1.1.0"],
  [{ list: "v1.0.0\nv1.1.0\n", retract: "retract junk v1.1.0 (" }, "v1.1.0"],
  // A go.mod that cannot be had retracts nothing.
  [{ list: "v1.0.0\nv1.1.0\n" }, "v1.1.0"],
];

test("the latest is the highest release, else prerelease, else pseudo-version that is not retracted", async () => {
  for (const [upstream, version, module] of choices) {
    const { ask } = world(upstream);
    assert.equal(await ask(module), info(version), JSON.stringify(upstream).slice(0, 300));
  }
});

/** Who has no latest, and what that is. */
const refusals: readonly (readonly [upstream: Upstream, code: ServedErrorCode])[] = [
  [{}, "not-found"],
  [{ list: "" }, "not-found"],
  [{ list: "", latest: { code: "upstream-failed" } }, "upstream-failed"],
  [{ latest: { code: "upstream-timeout" } }, "upstream-timeout"],
  [{ latest: { code: "upstream-refused" } }, "upstream-refused"],
  [{ list: { code: "upstream-failed" }, latest: info("v1.0.0") }, "upstream-failed"],
  [{ list: { code: "upstream-refused" }, latest: info("v1.0.0") }, "upstream-refused"],
  // While the upstream is down nobody knows whether there is something beside what is retracted.
  [{ list: "v1.0.0\n", retract: "retract v1.0.0", latest: { code: "upstream-failed" } }, "upstream-failed"],
  [{ list: "", latest: "<html>" }, "upstream-failed"],
  [{ list: "", latest: info("v2.0.0") }, "upstream-failed"],
];

test("a module without a latest is not found, and an outage is never taken for that", async () => {
  for (const [upstream, code] of refusals) {
    const { ask, memory } = world(upstream);
    await assert.rejects(ask(), { code }, JSON.stringify(upstream));
    assert.equal(await memory.recall(path, "latest"), undefined);
  }
});

test("a latest costs one list, one go.mod and one info, and no @latest; 64 at once cost that together", async () => {
  const { latest, clock, take } = world({ list: "v1.0.0\n", retract: "" });
  const answers = await Promise.all(Array.from({ length: 64 }, () => latest.fill(path)));
  assert.deepEqual(new Set(answers).size, 1);
  assert.deepEqual(answers[0], { body: Buffer.from(info("v1.0.0")), freshUntil: clock.now() + 60_000 });
  assert.deepEqual(take(), {
    "index.module": 1,
    "index.recall": 1,
    "upstream @v/list": 1,
    "file v1.0.0.mod": 1,
    "file v1.0.0.info": 1,
    "index.remember": 2, // the list and the latest
  });
});

test("an upstream without @latest is asked for it again 60 s after the first answer", async () => {
  const { ask, answer, clock, take } = world({ list: "" });
  await assert.rejects(ask(), { code: "not-found" });
  answer({ list: "", latest: info(newer) });
  take();
  for (const later of [1, 30_000, 29_998]) {
    clock.time += later;
    await assert.rejects(ask(), { code: "not-found" });
    assert.equal(take()["upstream @latest"], undefined, String(later));
  }
  clock.time += 1;
  assert.equal(await ask(), info(newer));
});

test("the last latest is given while the upstream is down, and only then", async () => {
  for (const [code, stale] of [
    ["upstream-failed", true],
    ["upstream-timeout", true],
    ["upstream-unauthorized", true],
    ["checksum-unavailable", true],
    ["not-found", false],
    ["upstream-refused", false],
    ["checksum-fork", false],
  ] as const) {
    const { latest, ask, source, clock } = world({ list: "", latest: info(newer) });
    await ask();
    source.outage = code;
    clock.time += 60_000;
    if (!stale) await assert.rejects(ask(), { code });
    else assert.deepEqual(await latest.fill(path), { body: new TextEncoder().encode(info(newer)), stale: true }, code);
  }
});

test("a latest out of a list that could not be renewed is stale, and not remembered as if it were new", async () => {
  const { latest, memory, source } = world({ list: { code: "upstream-failed" }, retract: "" });
  await memory.addVersion(path, "v1.0.0", 1, {});
  assert.deepEqual(await latest.fill(path), { body: Buffer.from(info("v1.0.0")), stale: true });
  assert.equal(await memory.recall(path, "latest"), undefined);
  source.answers = { "@v/list": "v1.1.0\n" };
  assert.equal(Buffer.from((await latest.fill(path)).body).toString(), info("v1.1.0"));
});
