import assert from "node:assert/strict";
import { test } from "node:test";
import { LatestFill } from "../../../lambda/proxy/fill/latest-fill.ts";
import { ListFill } from "../../../lambda/proxy/fill/list-fill.ts";
import { QueryFill } from "../../../lambda/proxy/fill/query-fill.ts";
import type { Gate } from "../../../lambda/proxy/intake/gate.ts";
import { PolicyGate } from "../../../lambda/proxy/policy/policy-gate.ts";
import { formatList, rememberedBody } from "../../../lambda/proxy/sources/version-list.ts";
import type { Ruling } from "../../../lambda/proxy/store/ruling-store.ts";
import { ServedError } from "../../../lambda/proxy/store/served-error.ts";
import { FakeSource } from "../../support/fake-source.ts";
import { fillWorld } from "../../support/fill-world.ts";
import { MemoryVersionIndex } from "../../support/memory-adapters.ts";
import { SetClock } from "../../support/set-clock.ts";

const path = "example.com/m";
const pseudo = "v0.0.0-20240102030405-0123456789ab";
const info = (version: string) => `{"Version":"${version}","Time":"2024-01-02T03:04:05Z"}`;
const refused = { code: "policy-refused" };

function world(versions: string | undefined, answers: FakeSource["answers"]) {
  const calls: string[] = [];
  const index = new MemoryVersionIndex();
  const source = new FakeSource(calls);
  source.answers = answers;
  const clock = new SetClock();
  const rulings: Ruling[] = [];
  const gate = new PolicyGate({
    policy: { allow: [], deny: [{ modules: [path], versions, reason: "no", mode: "enforce" }] },
    rulings: { ofModule: async () => rulings },
    ...{ index, clock },
  });
  const parts = { index, source, clock, gate, listSeconds: 60, querySeconds: 60, notFoundSeconds: 60 };
  const lists = new ListFill(parts);
  const files = {
    fill: async (kind: string, module: { readonly path: string; readonly version: string }) => {
      await gate.check(module);
      const text = kind === "info" ? info(module.version) : `module ${path}\n\ngo 1.21\n`;
      return { key: kind, size: text.length, bytes: Buffer.from(text) };
    },
  };
  const latest = new LatestFill({ ...parts, lists, files });
  const queries = new QueryFill({ ...parts, latest });
  const bodyOf = async (answer: ReturnType<LatestFill["fill"]> | ReturnType<QueryFill["fill"]>) =>
    Buffer.from(((await answer) as { readonly body: Uint8Array }).body).toString();
  return {
    list: async () => formatList((await lists.fill(path)).list).replaceAll("\n", " "),
    latest: () => bodyOf(latest.fill(path)),
    query: (query: string) => bodyOf(queries.fill(path, query)),
    ...{ index, source, clock, rulings, calls },
  };
}

test("list and latest leave out what is refused, and so does what others read of the list", async () => {
  const { list, latest, index } = world(">=v1.2.0", { "@v/list": "v1.2.0\nv1.1.0\nv1.3.0\nv1.0.0\n" });
  assert.equal(await list(), "v1.0.0 v1.1.0 ");
  assert.equal(await latest(), info("v1.1.0"));
  const remembered = (await index.module(path)).list?.text ?? "";
  assert.equal(rememberedBody(remembered), "v1.0.0\nv1.1.0\n");
});

test("where nothing is left latest is a refusal and never a 404, from a fresh list too", async () => {
  const { list, latest, source } = world(undefined, { "@v/list": "v1.0.0\n" });
  for (const _ of [1, 2]) {
    assert.equal(await list(), "");
    await assert.rejects(latest(), { ...refused, message: /v1\.0\.0 is refused.*\nrule: .*\nwhy: no/ });
  }
  source.answers = {};
  await assert.rejects(latest(), refused);
});

test("a module without tags: what the upstream calls the latest is left out, and refused", async () => {
  const named = world(`=${pseudo}`, { "@v/list": "", "@latest": info(pseudo) });
  await assert.rejects(named.latest(), refused);
  const listed = world(`=${pseudo}`, { "@v/list": `${pseudo}\n` });
  await assert.rejects(listed.latest(), refused);
});

test("what was the latest before is not said in an outage once it is refused", async () => {
  const { latest, index, source } = world(">=v1.2.0", {});
  await index.remember(path, "latest", { text: info("v1.2.0"), freshUntil: 0 });
  source.outage = "upstream-failed";
  await assert.rejects(latest(), refused);
  await index.remember(path, "latest", { text: info("v1.1.0"), freshUntil: 0 });
  assert.equal(await latest(), info("v1.1.0"));
});

test("a branch that means what is refused means the newest that is not, a commit nothing else", async () => {
  const commit = "0123456789ab";
  const answers = { "@v/list": "v1.0.0\n", "@v/main.info": info(pseudo), [`@v/${commit}.info`]: info(pseudo) };
  const { query, source, clock } = world(`=${pseudo}`, answers);
  assert.equal(await query("main"), info("v1.0.0"));
  await assert.rejects(query(commit), { ...refused, message: /instead: v1\.0\.0/ });
  clock.time += 61_000;
  source.outage = "upstream-failed";
  assert.equal(await query("main"), info("v1.0.0"));
  const untagged = world(`=${pseudo}`, { "@v/list": "", "@v/main.info": info(pseudo) });
  await assert.rejects(untagged.query("main"), refused);
});

test("what is ruled about a version counts in lists: a block hides, an exception shows", async () => {
  const { list, rulings, clock } = world(">=v1.2.0", { "@v/list": "v1.0.0\nv1.1.0\nv1.2.0\nv1.3.0\n" });
  const ruled = { module: path, reason: "r", by: "ann", at: 0, request: "q" };
  rulings.push({ ...ruled, kind: "block", version: "v1.1.0" }, { ...ruled, kind: "exception", version: "v1.2.0" });
  assert.equal(await list(), "v1.0.0 v1.2.0 ");
  rulings.length = 0;
  clock.time += 61_000;
  assert.equal(await list(), "v1.0.0 v1.1.0 ");
});

const module = { path, version: "v1.0.0" };
const bodies = { info: info("v1.0.0"), mod: `module ${path}\n`, zip: `zip module ${path}\n` };

/** A gate that is closed from its n-th question on. */
function closing(questions: number): Gate {
  let asked = 0;
  return {
    check: async () => {
      if (asked++ >= questions) throw new ServedError("policy-refused", "no");
    },
  };
}

for (const isPrivate of [false, true]) {
  const which = isPrivate ? "private" : "public";
  test(`nobody is asked for a ${which} file that may not come in`, async (t) => {
    const { fill, take, store } = fillWorld(t, { bodies, isPrivate, gate: closing(0) });
    for (const kind of ["info", "mod", "zip"] as const) await assert.rejects(fill.fill(kind, module), refused);
    assert.deepEqual(
      take().filter((call) => !call.startsWith("store.")),
      [],
    );
    assert.equal(store.files.size, 0);
  });

  test(`nothing of a ${which} version is stored that is refused after it was fetched`, async (t) => {
    for (const kind of ["info", "mod", "zip"] as const) {
      const late = fillWorld(t, { bodies, isPrivate, gate: closing(1) });
      await assert.rejects(late.fill.fill(kind, module), refused);
      assert.ok(late.take().some((call) => call.startsWith("upstream")));
      assert.deepEqual([late.store.files.size, late.log.records.size], [0, 0]);
    }
  });
}

test("the statuses of a refusal: never one with which go asks elsewhere", () => {
  const { status, instead, alarming, content } = new ServedError("policy-refused", "no").traits;
  assert.deepEqual([status, instead, alarming, content], [403, "nothing", false, false]);
});
