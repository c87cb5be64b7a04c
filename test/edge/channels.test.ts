import assert from "node:assert/strict";
import { before, test } from "node:test";
import fc from "fast-check";
import { hmac } from "../../lambda/access/hmac.ts";
import { createToken } from "../../lambda/access/tokens.ts";
import type { Anonymous } from "../../lambda/edge/access-settings.ts";
import { decide, type EdgeForward } from "../../lambda/edge/decide.ts";
import { channelRows, type Ended } from "../../lambda/proxy/channels/channel-rows.ts";
import type { Channels } from "../../lambda/proxy/channels/config.ts";
import { bundleEdge } from "../../lib/edge-bundle.ts";
import { runEdge } from "../support/edge-runtime.ts";
import { basic, edgeContext, edgeValues, MemoryTokenStore } from "../support/tokens.ts";

const now = 1_800_000_000;
const store = new MemoryTokenStore();
const tokens = new Map<string, string>();
const channels: Channels = {
  canary: { share: 0.5, header: { name: "x-canary", value: "yes" } },
  next: { header: { name: "x-canary", value: "no" }, rewrite: [{ from: "go.dev/v1", to: "corp.example/V1" }] },
};

/** Found by trying: with a point below the middle, and above it. */
const subjects: Readonly<Record<string, string>> = {
  in: pick((point) => point < "V"),
  out: pick((point) => point > "W"),
};

before(async () => {
  for (const subject of ["in", "out"]) {
    const request = { subject: subjects[subject] ?? "", role: "viewer", modules: "corp.example/other", days: 1 };
    tokens.set(subject, (await createToken(store, request, now)).token);
  }
});

function pick(fits: (point: string) => boolean): string {
  for (let i = 0; ; i++) if (fits(hmac("share", `person ${i}`))) return `person ${i}`;
}

interface Ask {
  readonly who?: "in" | "out" | "nobody";
  readonly header?: string;
  readonly anonymous?: Anonymous;
  readonly ended?: Ended;
}

function ask(path: string, { who = "nobody", header, anonymous = "public", ended = new Map() }: Ask = {}) {
  const settings = { anonymous, private: "corp.example", channels: channelRows(channels, ended) };
  const token = tokens.get(who);
  return decide(
    {
      method: "GET",
      path,
      credentials: token && basic(token),
      header: (name) => (name === "x-canary" ? header : undefined),
    },
    edgeContext(settings, store.state, now),
  );
}

/** `"<channel> <view> <path> <address>"` of what goes on, or the status and line of an answer. */
function outcome(path: string, asked?: Ask): string {
  const decision = ask(path, asked);
  if (decision.kind === "answer") return `${decision.status} ${decision.body.trimEnd()}`;
  const { channel = "-", view = "-", routed, address = "-" } = decision;
  return [channel || "default", view || "default", routed.path, address].join(" ");
}

const list = "/a.b/x/@v/list";

test("a name is before a header, a header before a share, and whoever is in none is in no channel", () => {
  const rows: readonly (readonly [path: string, asked: Ask, outcome: string])[] = [
    [list, {}, `- - ${list} -`],
    [list, { who: "out" }, `- - ${list} -`],
    [list, { who: "in" }, `canary canary ${list} ${list}`],
    [list, { who: "in", anonymous: "all" }, `canary canary ${list} ${list}`],
    [list, { header: "yes" }, `canary canary ${list} ${list}`],
    [list, { who: "in", header: "no" }, `next next ${list} ${list}`],
    [list, { header: "yes, no" }, `- - ${list} -`],
    [`/~next${list}`, { who: "in", header: "yes" }, `next next ${list} /~next${list}`],
    [`/~canary${list}`, { anonymous: "all" }, `canary canary ${list} /~canary${list}`],
    ["/%7Ecanary/a.b/x/@v/li%73t", {}, `canary canary ${list} /~canary${list}`],
  ];
  for (const [path, asked, expected] of rows)
    assert.equal(outcome(path, asked), expected, JSON.stringify([path, asked]));
});

test("what never changes is of no channel to a cache, and its address keeps the channel that was named", () => {
  const rows: readonly (readonly [path: string, outcome: string])[] = [
    ["/a.b/@v/v1.0.0.info", "canary - /a.b/@v/v1.0.0.info /~canary/a.b/@v/v1.0.0.info"],
    ["/a.b/@v/v1.0.0-rc.1.mod", "canary - /a.b/@v/v1.0.0-rc.1.mod /~canary/a.b/@v/v1.0.0-rc.1.mod"],
    [
      "/a.b/@v/v2.0.0+incompatible.zip",
      "canary - /a.b/@v/v2.0.0+incompatible.zip /~canary/a.b/@v/v2.0.0+incompatible.zip",
    ],
    ["/a.b/@v/main.info", "canary canary /a.b/@v/main.info /~canary/a.b/@v/main.info"],
    ["/a.b/@v/v1.info", "canary canary /a.b/@v/v1.info /~canary/a.b/@v/v1.info"],
    ["/a.b/@v/v1.2.3.4.info", "canary canary /a.b/@v/v1.2.3.4.info /~canary/a.b/@v/v1.2.3.4.info"],
    ["/a.b/@latest", "canary canary /a.b/@latest /~canary/a.b/@latest"],
    // CloudFront has them under one address.
    ["/sumdb/s.org/supported", "canary canary /sumdb/s.org/supported /sumdb/s.org/supported"],
    ["/sumdb/s.org/lookup/a.b@v1.0.0", "canary - /sumdb/s.org/lookup/a.b@v1.0.0 /sumdb/s.org/lookup/a.b@v1.0.0"],
  ];
  for (const [path, expected] of rows) assert.equal(outcome(`/~canary${path}`), expected, path);
});

test("a name that is none is never passed on", () => {
  const rows: readonly (readonly [path: string, status: number])[] = [
    [`/~typo${list}`, 404],
    [`/~CANARY${list}`, 404],
    [`/~${list}`, 404],
    [`/~..${list}`, 404],
    [`/~%2e%2e${list}`, 404],
    [`/~canary%2f${list.slice(1)}`, 400],
    [`/~canary/${list}`, 400],
    [`/~canary/..${list}`, 400],
    [`/~canary/%2e${list}`, 400],
    [`/~canary%00${list}`, 404],
    [`/~constructor${list}`, 404],
    [`/~__proto__${list}`, 404],
    ["/~canary", 404],
    ["/~canary/", 404],
    ["/~canary/-/metrics", 404],
    ["/~canary/-/page", 404],
    ["/~typo/sumdb/s.org/supported", 404],
    [`/~canary/a.b/${"x".repeat(256)}/@v/list`, 400],
  ];
  for (const [path, status] of rows) assert.equal(Number(outcome(path).slice(0, 3)), status, path);
  // A second name is the beginning of a module path that no module has.
  assert.equal(outcome(`/~canary/~next${list}`), `canary canary /~next${list} /~canary/~next${list}`);
  // Where there are no channels at all, too.
  const none = edgeContext({ anonymous: "all", private: "" }, store.state, now);
  const decision = decide({ method: "GET", path: `/~canary${list}`, credentials: undefined }, none);
  assert.deepEqual([decision.kind, "status" in decision && decision.status], ["answer", 404]);
});

test("the access to what is served is decided, not to what was asked for", () => {
  const path = "/~next/go.dev/v1/x/@v/list";
  assert.match(outcome(path), /^401 /);
  assert.match(outcome(path, { who: "in" }), /^403 token \w+ does not cover this private module/);
  assert.equal(outcome(path, { anonymous: "all" }), `next next /corp.example/!v1/x/@v/list ${path}`);
  // A rule ends where an element does.
  assert.equal(outcome("/~next/go.dev/v10/x/@v/list"), `next next /go.dev/v10/x/@v/list /~next/go.dev/v10/x/@v/list`);
  assert.equal(outcome("/go.dev/v1/x/@v/list"), "- - /go.dev/v1/x/@v/list -");
  const long = `/go.dev/v1/${"x/".repeat(500)}y/@v/list`;
  assert.match(outcome(`/~next${long}`, { anonymous: "all" }), /^400 the path is longer/);
});

test("a channel that was rolled back is the default, by name, header and share, and nobody is in another for it", () => {
  const ended = new Map([["canary", now]]);
  for (const asked of [{ who: "in" }, { header: "yes" }] as const)
    assert.equal(outcome(list, { ...asked, ended }), `default default ${list} ${list}`);
  assert.equal(outcome(`/~canary${list}`, { ended }), `default default ${list} /~canary${list}`);
  const gone = new Map([["next", now]]);
  assert.equal(
    outcome("/~next/go.dev/v1/x/@v/list", { ended: gone }),
    "default default /go.dev/v1/x/@v/list /~next/go.dev/v1/x/@v/list",
  );
});

test("no key of a cache is that of the default channel and of another, for whatever is asked", () => {
  const module = fc.constantFrom("/a.b", "/go.dev/v1/x", "/a.b/sumdb");
  const version = fc.oneof(
    fc.constantFrom("v1.0.0", "v1", "main", "v2.0.0+incompatible", "v1.0.0-rc", "list", "v1.2.3x", "V1"),
    fc.string({ maxLength: 6 }).map(encodeURIComponent),
  );
  const file = fc.oneof(
    fc.constantFrom("/@v/list", "/@latest"),
    fc.tuple(version, fc.constantFrom("info", "mod", "zip")).map(([query, kind]) => `/@v/${query}.${kind}`),
  );
  const asked = fc.record({
    who: fc.constantFrom("in" as const, "out" as const, "nobody" as const),
    header: fc.constantFrom("yes", "no", "x"),
    name: fc.constantFrom("", "/~canary", "/~next"),
  });
  /** What is the same in all channels. */
  const isFixed = (text = "") => /^v\d+\.\d+\.\d+(?:[-+]|$)/.test(text);
  /** By the cache policy of its behaviour: those of modules and zips have no header. */
  const isByChannel = ({ routed }: EdgeForward) => ["list", "latest", "info"].includes(routed.route);
  const keyOf = (going: EdgeForward) => `${isByChannel(going) ? (going.view ?? "") : ""} ${going.routed.path}`;
  fc.assert(
    fc.property(module, file, asked, (prefix, path, { who, header, name }) => {
      const plain = ask(prefix + path, { anonymous: "all" });
      const other = ask(name + prefix + path, { who, header, anonymous: "all" });
      if (plain.kind === "answer" || other.kind === "answer") return;
      const { channel = "", routed } = other;
      const isShared = isFixed(routed.version) || channel === "" || !isByChannel(other);
      // One entry for what is the same, and never one for what is not.
      if (isShared) assert.equal(keyOf(other), ` ${routed.path}`);
      else assert.equal(keyOf(other), `${channel} ${routed.path}`);
      if (!isShared) assert.notEqual(keyOf(other), keyOf(plain));
    }),
    { numRuns: 3_000 },
  );
});

test("of 10,000 names a tenth is in a share of a tenth, whatever they are like, and the same after a new token", () => {
  const named: readonly ((i: number) => string)[] = [
    (i) => `ci-${i}`,
    (i) => `person.${i}@corp.example`,
    (i) => `repo:corp/service-${i % 100}:ref:refs/heads/b${Math.floor(i / 100)}`,
    (i) => "x".repeat(i % 100) + i,
  ];
  const rows = channelRows({ a: { share: 0.1 }, b: { share: 0.3 }, c: {} }, new Map());
  const limits = rows.map((row) => row[1]);
  assert.deepEqual(limits, [limits[0], limits[1], ""]);
  for (const name of named) {
    const points = Array.from({ length: 10_000 }, (_, i) => hmac("share", name(i)));
    const below = (limit = "") => points.filter((point) => point < limit).length;
    const counts = [below(limits[0]), below(limits[1]) - below(limits[0])];
    // Five standard deviations.
    assert.ok(Math.abs((counts[0] ?? 0) - 1_000) < 150, `${counts}`);
    assert.ok(Math.abs((counts[1] ?? 0) - 3_000) < 230, `${counts}`);
  }
  assert.deepEqual(
    channelRows({ all: { share: 1 } }, new Map()).map((row) => row[1]),
    ["~"],
  );
});

test("at CloudFront nobody but the edge says which channel it is", async () => {
  const code = bundleEdge("protocol", "none");
  const settings = { anonymous: "public" as const, private: "", channels: channelRows(channels, new Map()) };
  const values = edgeValues(settings, store.state, now);
  const reads: string[] = [];
  const get = async (name: string) => {
    reads.push(name);
    return values.get(name) ?? assert.fail("no such key");
  };
  const run = (uri: string, headers: Readonly<Record<string, { value: string }>> = {}) =>
    runEdge(
      code,
      {
        uri,
        headers: { "x-modfront-channel": { value: "canary" }, "x-modfront-via": { value: "canary /x" }, ...headers },
      },
      { get },
    );
  const told = async (...asked: Parameters<typeof run>) => {
    const { uri, headers } = await run(...asked);
    return [uri, headers["x-modfront-channel"]?.value, headers["x-modfront-via"]?.value];
  };
  assert.deepEqual(await told(list), [list, undefined, undefined]);
  assert.deepEqual(await told(`/~canary${list}`), [list, "canary", `canary /~canary${list}`]);
  assert.deepEqual(await told(list, { "x-canary": { value: "yes" } }), [list, "canary", `canary ${list}`]);
  assert.deepEqual(await told("/~canary/a.b/@v/v1.0.0.zip"), [
    "/a.b/@v/v1.0.0.zip",
    undefined,
    "canary /~canary/a.b/@v/v1.0.0.zip",
  ]);
  assert.deepEqual(await told("/~canary/a.b/@v/%C3%A9.info"), [
    "/a.b/@v/%C3%A9.info",
    "canary",
    "canary /~canary/a.b/@v/%C3%A9.info",
  ]);
  // No more is read than without channels; what is blocked, of the module that is served.
  const read = [...new Set(reads)].sort();
  assert.deepEqual(
    read.filter((key) => !key.startsWith("b ")),
    ["access", "p 97", "tokens"],
  );
  const sums = await run("/~canary/sumdb/s.org/supported");
  assert.deepEqual([sums.statusCode, sums.headers.location?.value], [308, "/sumdb/s.org/supported"]);
  const odd = await run("/~canary/a.b/%40v/list");
  assert.deepEqual([odd.statusCode, odd.headers.location?.value], [308, "/~canary/a.b/@v/list"]);
  assert.equal((await run(`/~typo${list}`)).statusCode, 404);
});
