import assert from "node:assert/strict";
import { test } from "node:test";
import { CodedError } from "../../../lambda/golang/coded-error.ts";
import type { Chain, ChainEnd, UpstreamBody } from "../../../lambda/proxy/sources/upstream.ts";
import { type ChainOptions, type ConsumeBody, fetchFromChain } from "../../../lambda/proxy/sources/upstream-chain.ts";
import { ServedError } from "../../../lambda/proxy/store/served-error.ts";
import { systemClock } from "../../../lambda/runtime/system-clock.ts";
import { type FakeAnswer, FakeUpstream, quickRetry } from "../../support/fake-upstream.ts";

const path = "/example.com/m/@v/list";

async function readText(body: UpstreamBody): Promise<string> {
  let text = "";
  for await (const chunk of body.chunks) text += Buffer.from(chunk).toString();
  if (text === "junk") throw new ServedError("invalid-module", "junk");
  return text;
}

/** `"404,503|200"` as upstreams a, b, c that answer so. */
function chainOf(text: string, end: ChainEnd = "nothing"): { readonly chain: Chain; readonly fakes: FakeUpstream[] } {
  const places = [...text.matchAll(/([^,|]+)([,|]?)/g)];
  const fakes = places.map(([, answer = ""], i) => {
    const value = /^\d+$/.test(answer) && answer !== "200" ? Number(answer) : answer;
    return new FakeUpstream(`https://${"abcdef"[i]}`).on(path, value as FakeAnswer);
  });
  const steps = fakes.map((upstream, i) => ({ upstream, onAnyError: places[i]?.[2] === "|" }));
  return { chain: { steps, end }, fakes };
}

async function run(chain: Chain, options: Partial<ChainOptions> = {}, consume: ConsumeBody<string> = readText) {
  return fetchFromChain(chain, path, consume, { limit: 1_000, retry: quickRetry, clock: systemClock, ...options });
}

/** What the chain ends with (200 or a code) and how often each upstream was asked. */
async function outcome(chain: Chain, fakes: readonly FakeUpstream[]): Promise<string> {
  const end = await run(chain).catch((error: unknown) => {
    assert.ok(error instanceof ServedError, String(error));
    return error.code;
  });
  for (const fake of fakes) assert.equal(fake.open, 0, "a body was left open");
  return `${end} ${fakes.map((fake) => fake.asked.length).join(" ")}`;
}

const nf = "not-found";
const refused = "upstream-refused";
const unauth = "upstream-unauthorized";
const failed = "upstream-failed";
const late = "upstream-timeout";

// Every kind of failure X in every place beside a healthy upstream and one that answers 404, with both separators, and
// how often each was asked. `,` goes on after 404 and 410 only; an outage is never hidden behind a 404.
const columns = ["X", "X,200", "X|200", "X,404", "X|404", "404,X", "404|X", "404,X,200", "404,X|200"] as const;
const absent = [
  "1",
  "200 1 1",
  "200 1 1",
  `${nf} 1 1`,
  `${nf} 1 1`,
  `${nf} 1 1`,
  `${nf} 1 1`,
  "200 1 1 1",
  "200 1 1 1",
];
const ends = (code: string, tries: number) => [
  `${tries}`,
  `${code} ${tries} 0`,
  `200 ${tries} 1`,
  `${code} ${tries} 0`,
  `${code} ${tries} 1`,
  `${code} 1 ${tries}`,
  `${code} 1 ${tries}`,
  `${code} 1 ${tries} 0`,
  `200 1 ${tries} 1`,
];
const rows: readonly (readonly [answer: string, code: string, expected: readonly string[]])[] = [
  ["404", nf, absent],
  ["410", nf, absent],
  // Not known to be absent: never a 404, and Go's `,` stops.
  ["400", failed, ends(failed, 1)],
  ["451", failed, ends(failed, 1)],
  ["401", unauth, ends(unauth, 1)],
  ["407", unauth, ends(unauth, 1)],
  ["403", refused, ends(refused, 1)],
  ["408", failed, ends(failed, 3)],
  ["425", failed, ends(failed, 3)],
  ["429", failed, ends(failed, 3)],
  ["500", failed, ends(failed, 3)],
  ["502", failed, ends(failed, 3)],
  ["503", failed, ends(failed, 3)],
  ["504", failed, ends(failed, 3)],
  ["304", failed, ends(failed, 1)],
  ["unreachable", failed, ends(failed, 3)],
  ["cut", failed, ends(failed, 3)],
  ["timeout", late, ends(late, 1)],
  ["connect-timeout", late, ends(late, 3)],
  ["too-large", failed, ends(failed, 1)],
  ["bad-answer", failed, ends(failed, 1)],
  ["redirects", failed, ends(failed, 1)],
  ["refused-address", failed, ends(failed, 1)],
  ["breaker-open", failed, ends(failed, 1)],
  ["junk", "invalid-module", ends("invalid-module", 1)],
];

for (const [answer, code, expected] of rows) {
  test(`a chain in which one answers ${answer}`, async () => {
    for (const [i, column] of columns.entries()) {
      const { chain, fakes } = chainOf(column.replace("X", answer));
      const wanted = column === "X" ? `${code} ${expected[i]}` : expected[i];
      assert.equal(await outcome(chain, fakes), wanted, column);
    }
  });
}

const pairs: readonly (readonly [chain: string, expected: string])[] = [
  // With a stored copy an outage means the copy, which a refusal further down must not prevent.
  ["500|403", `${failed} 3 1`],
  ["403|500", `${failed} 1 3`],
  ["403|404", `${refused} 1 1`],
  ["400|403", `${failed} 1 1`],
  // Among equals the last, as Go.
  ["500|timeout", `${late} 3 1`],
  ["timeout|500", `${failed} 1 3`],
  // Wrong content is an alarm.
  ["junk|500", "invalid-module 1 3"],
  ["500|junk", "invalid-module 3 1"],
  ["404,500|404,200", "200 1 3 1 1"],
];

for (const [text, expected] of pairs) {
  test(`several fail: ${text}`, async () => {
    const { chain, fakes } = chainOf(text);
    assert.equal(await outcome(chain, fakes), expected);
  });
}

const lines: readonly (readonly [chain: string, end: ChainEnd, message: string])[] = [
  ["404", "nothing", "not found: upstream https://a answered 404"],
  ["404,410", "off", "not found: upstream https://b answered 410\nits upstream chain ends with off"],
  ["503", "off", "upstream https://a answered 503"],
  ["401", "nothing", "upstream https://a wants credentials that modfront does not have: answered 401"],
  ["500|403", "nothing", "upstream https://a answered 500\nupstream https://b refuses it: answered 403"],
  ["", "off", "not found: its upstream chain ends with off"],
  ["", "no-rule", "not found: no upstream is configured for it"],
  ["", "private-unnamed", "it is private, and no rule in upstreams names it"],
];

for (const [text, end, message] of lines) {
  test(`what people read: ${text || "(nobody)"} ${end}`, async () => {
    await assert.rejects(run(chainOf(text, end).chain), { name: "CodedError", message });
  });
}

test("a refusal carries the gatekeeper's text, cleaned", async () => {
  const fake = new FakeUpstream("https://a").on(
    path,
    403,
    "blocked by policy\u001b[2J 7\r\nask sec@corp.example\n\nmore",
  );
  await assert.rejects(run({ steps: [{ upstream: fake, onAnyError: false }], end: "nothing" }), {
    message: "upstream https://a refuses it: answered 403\nblocked by policy [2J 7\nask sec@corp.example",
  });
});

test("a text of one line does not make it two", async () => {
  const fake = new FakeUpstream("https://a").on(path, 404, "unknown revision v9.9.9\n");
  await assert.rejects(run({ steps: [{ upstream: fake, onAnyError: false }], end: "nothing" }), {
    message: "not found: upstream https://a answered 404: unknown revision v9.9.9",
  });
});

test("an error that a retry mends is no error", async () => {
  const { chain, fakes } = chainOf("503");
  let asked = 0;
  const fake = fakes[0];
  assert.ok(fake);
  const get = fake.get.bind(fake);
  fake.get = (...parameters) => {
    if (++asked === 3) fake.on(path, "v1.0.0");
    return get(...parameters);
  };
  assert.equal(await run(chain), "v1.0.0");
});

test("a short Retry-After is waited for, a long one means no further try", async () => {
  for (const [seconds, tries] of [
    [60, 1],
    [3, 1],
    [0, 3],
  ] as const) {
    const fake = new FakeUpstream("https://a").on(path, 429, undefined, seconds);
    const chain: Chain = { steps: [{ upstream: fake, onAnyError: false }], end: "nothing" };
    await assert.rejects(run(chain), { code: "upstream-failed" }, `${seconds} s`);
    assert.equal(fake.asked.length, tries, `${seconds} s`);
  }
});

test("content errors of x/mod name the upstream; what is not its doing ends the chain as it is", async () => {
  const fail = (error: Error) => async () => {
    throw error;
  };
  const { chain, fakes } = chainOf("200|200");
  await assert.rejects(run(chain, {}, fail(new CodedError("zip-not-valid", "not a zip"))), {
    code: "upstream-failed",
    message: "upstream https://b sent something that is not valid: not a zip",
  });
  assert.deepEqual(
    fakes.map((fake) => [fake.asked.length, fake.open]),
    [
      [1, 0],
      [1, 0],
    ],
  );
  for (const error of [new ServedError("store-failed", "the disk is full"), new TypeError("a bug")]) {
    const other = chainOf("200|200");
    await assert.rejects(run(other.chain, {}, fail(error)), error);
    assert.deepEqual(
      other.fakes.map((fake) => [fake.asked.length, fake.open]),
      [
        [1, 0],
        [0, 0],
      ],
    );
  }
});

test("the budget ends everything with a timeout that names who was waited for", async () => {
  const waited: readonly (readonly [chain: string, name: string, asked: readonly number[]])[] = [
    ["hang", "https://a", [1]],
    ["404,hang", "https://b", [1, 1]],
    // `|` goes on after any error, but not when the time is over.
    ["hang|200", "https://a", [1, 0]],
  ];
  for (const [text, name, asked] of waited) {
    const { chain, fakes } = chainOf(text);
    const message = `upstream ${name} did not deliver in time`;
    await assert.rejects(run(chain, { budget: 30 }), { code: late, message }, text);
    assert.deepEqual(
      fakes.map((fake) => fake.asked.length),
      asked,
      text,
    );
  }
});

test("a pause that the budget does not allow ends with the failure itself", async () => {
  const { chain, fakes } = chainOf("503");
  await assert.rejects(run(chain, { budget: 30, retry: { ...quickRetry, pause: 60_000 } }), { code: failed });
  assert.equal(fakes[0]?.asked.length, 1);
});

test("an abort ends with its reason, before, during and between tries", async () => {
  const reason = new Error("the caller left");
  await assert.rejects(run(chainOf("200").chain, { signal: AbortSignal.abort(reason) }), reason);
  for (const text of ["hang|200", "503|200"]) {
    const controller = new AbortController();
    const { chain, fakes } = chainOf(text);
    const running = run(chain, { signal: controller.signal, retry: { ...quickRetry, pause: 60_000 } });
    setTimeout(() => controller.abort(reason), 10);
    await assert.rejects(running, reason);
    assert.equal(fakes[1]?.asked.length, 0);
  }
});
