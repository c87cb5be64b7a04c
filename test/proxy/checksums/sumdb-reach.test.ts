import assert from "node:assert/strict";
import { test } from "node:test";
import { openSumdbRemote } from "../../../lambda/proxy/checksums/sumdb-reach.ts";
import type { ChainStep, Upstream } from "../../../lambda/proxy/sources/upstream.ts";
import { ServedError } from "../../../lambda/proxy/store/served-error.ts";
import { systemClock } from "../../../lambda/runtime/system-clock.ts";
import { FakeUpstream, quickRetry } from "../../support/fake-upstream.ts";

const name = "sum.example.org";
const supported = `/sumdb/${name}/supported`;

function reach(steps: readonly ChainStep[], direct: Upstream, url?: string) {
  const asked: string[] = [];
  const remote = openSumdbRemote({
    name,
    url,
    chain: { steps, end: "nothing" },
    direct: (base) => {
      asked.push(base);
      return direct;
    },
    retry: quickRetry,
    clock: systemClock,
  });
  return { remote, asked };
}

async function outcome(promise: Promise<Uint8Array>): Promise<string> {
  try {
    return Buffer.from(await promise).toString();
  } catch (error) {
    if (error instanceof ServedError) return error.code;
    throw error;
  }
}

const ways: readonly (readonly [
  what: string,
  first: number,
  second: number,
  separator: "," | "|",
  expected: string,
])[] = [
  ["the first that supports it", 200, 200, ",", "via a"],
  ["the next after a 404", 404, 200, ",", "via b"],
  ["the next after a 410", 410, 200, ",", "via b"],
  ["directly when none does", 404, 404, ",", "direct"],
  // An organisation may hide its requests behind an upstream: its outage or refusal is no licence to go around it.
  ["never around an outage", 503, 200, ",", "checksum-unavailable"],
  ["never around an outage, directly", 503, 404, "|", "checksum-unavailable"],
  ["past an outage behind |", 503, 200, "|", "via b"],
  ["never around a refusal", 403, 200, ",", "upstream-refused"],
  ["never around what is not known to be absent", 400, 200, ",", "checksum-unavailable"],
];

for (const [what, first, second, separator, expected] of ways) {
  test(`the way to the database: ${what}`, async () => {
    const a = new FakeUpstream("https://a").on(supported, first).on(`/sumdb/${name}/latest`, "via a");
    const b = new FakeUpstream("https://b").on(supported, second).on(`/sumdb/${name}/latest`, "via b");
    const own = new FakeUpstream("https://own").on("/latest", "direct");
    const steps = [
      { upstream: a, onAnyError: separator === "|" },
      { upstream: b, onAnyError: false },
    ];
    const { remote, asked } = reach(steps, own);
    assert.equal(await outcome(remote.get("/latest")), expected);
    assert.deepEqual(asked, expected === "direct" ? [`https://${name}`] : []);
  });
}

test("with a configured base URL no upstream is asked", async () => {
  const a = new FakeUpstream("https://a");
  const own = new FakeUpstream("https://own").on("/latest", "direct");
  const { remote, asked } = reach([{ upstream: a, onAnyError: false }], own, "http://db.example/base");
  assert.equal(await outcome(remote.get("/latest")), "direct");
  assert.deepEqual([asked, a.asked], [["http://db.example/base"], []]);
});

const errors: readonly (readonly [path: string, answer: number | "reset", expected: string])[] = [
  ["/lookup/m@v1.0.0", 404, "checksum-unknown"],
  ["/lookup/m@v1.0.0", 410, "checksum-unknown"],
  ["/lookup/m@v1.0.0", 400, "checksum-unavailable"],
  ["/lookup/m@v1.0.0", 403, "upstream-refused"],
  ["/lookup/m@v1.0.0", 401, "checksum-unavailable"],
  ["/lookup/m@v1.0.0", 429, "checksum-unavailable"],
  ["/lookup/m@v1.0.0", 500, "checksum-unavailable"],
  ["/lookup/m@v1.0.0", "reset", "checksum-unavailable"],
  // Of a tile beyond the head the database knows nothing; that says nothing of a module.
  ["/tile/8/0/001", 404, "not-found"],
];

for (const [path, answer, expected] of errors) {
  test(`the database answers ${answer} to ${path}: ${expected}`, async () => {
    const own = new FakeUpstream("https://own").on(path, answer);
    const { remote } = reach([], own);
    assert.equal(await outcome(remote.get(path)), expected);
  });
}

test("an unknown module is explained, with the words of the database", async () => {
  const own = new FakeUpstream("https://own").on("/lookup/m@v1.0.0", 404, "not found: m@v1.0.0: no such repo");
  const error = await reach([], own)
    .remote.get("/lookup/m@v1.0.0")
    .catch((reason: unknown) => reason);
  assert.equal(
    (error as Error).message,
    `checksum database ${name} does not know this module version; add the module to private if it is yours\n` +
      "not found: m@v1.0.0: no such repo",
  );
});

test("the way is looked for once while it works, and again after a failure", async () => {
  const a = new FakeUpstream("https://a").on(supported, 200).on(`/sumdb/${name}/latest`, "head");
  const { remote } = reach([{ upstream: a, onAnyError: false }], a);
  await Promise.all([remote.get("/latest"), remote.get("/latest"), remote.get("/latest")]);
  assert.equal(a.count(supported), 1);
  a.on(`/sumdb/${name}/latest`, 404);
  assert.equal(await outcome(remote.get("/latest")), "not-found");
  await outcome(remote.get("/latest"));
  assert.equal(a.count(supported), 1);
  a.on(`/sumdb/${name}/latest`, 500);
  assert.equal(await outcome(remote.get("/latest")), "checksum-unavailable");
  a.on(`/sumdb/${name}/latest`, "head");
  assert.equal(await outcome(remote.get("/latest")), "head");
  assert.equal(a.count(supported), 2);
});
