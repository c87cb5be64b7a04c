import assert from "node:assert/strict";
import { test } from "node:test";
import { type BlockedVersion, layOutBlocks } from "../../lambda/access/block-list.ts";
import { accessValues, closingValues } from "../../lambda/access/deployed-values.ts";
import { hmac } from "../../lambda/access/hmac.ts";
import { blockKey } from "../../lambda/edge/blocks.ts";
import { decide } from "../../lambda/edge/decide.ts";
import { escapePath } from "../../lambda/golang/module.ts";
import { bundleEdge } from "../../lib/edge-bundle.ts";
import { runEdge } from "../support/edge-runtime.ts";
import { edgeValues, keyValuesOf } from "../support/tokens.ts";

// What is blocked, as the edge reads it. Three seconds.

const day = 86_400_000;
const now = 20_785 * day + 3_600_000;
const open = { anonymous: "all" as const, private: "" };

function decider(blocked: readonly BlockedVersion[], at = now) {
  const values = edgeValues(open, { keys: [], identityKeys: ["i".repeat(43)], tokens: [] }, at / 1000);
  for (const [key, text] of layOutBlocks(blocked, at)) values.set(key, text);
  return (path: string, later = 0) => {
    const context = { keyValues: keyValuesOf(values), hmac, now: () => (at + later) / 1000 };
    const decision = decide({ method: "GET", path, credentials: undefined }, context);
    return decision.kind === "answer" ? [decision.status, decision.body] : decision.routed.route;
  };
}

const of = (module: string, version = "", until?: number): BlockedVersion => ({ module, version, until });
const refused = (name: string) => [403, `blocked: modfront explain ${name}\n`];

test("a version that is blocked is refused in each of its files, and no other of the module", () => {
  const ask = decider([of("a.example/X", "v1.0.0"), of("b.example/y", "v2.0.0+incompatible")]);
  for (const kind of ["info", "mod", "zip"])
    assert.deepEqual(ask(`/a.example/!x/@v/v1.0.0.${kind}`), refused("a.example/X@v1.0.0"));
  assert.deepEqual(ask("/b.example/y/@v/v2.0.0+incompatible.zip"), refused("b.example/y@v2.0.0+incompatible"));
  for (const path of ["/a.example/!x/@v/v1.0.1.zip", "/a.example/x/@v/v1.0.0.zip", "/a.example/!x/y/@v/v1.0.0.zip"])
    assert.equal(ask(path), "zip", path);
  assert.deepEqual([ask("/a.example/!x/@v/list"), ask("/a.example/!x/@latest")], ["list", "latest"]);
});

test("of a module that is blocked nothing is served but what the log says", () => {
  const ask = decider([of("a.example/x")]);
  for (const file of ["@v/v1.0.0.info", "@v/v1.0.0.mod", "@v/v9.0.0.zip", "@v/list", "@latest", "@v/main.info"])
    assert.equal(ask(`/a.example/x/${file}`)[0], 403, file);
  assert.equal(ask("/sumdb/sum.golang.org/lookup/a.example/x@v1.0.0"), "sumdb");
  assert.equal(ask("/a.example/x/v2/@v/list"), "list");
});

test("a block ends by itself with the day before its end", () => {
  const ask = decider([of("a.example/x", "v1.0.0", now + 2 * day), of("a.example/x", "v1.1.0", now - 1)]);
  const zip = "/a.example/x/@v/v1.0.0.zip";
  assert.equal(ask(zip)[0], 403);
  assert.equal(ask(zip, 2 * day)[0], 403, "a part of a day counts as the day");
  assert.equal(ask(zip, 3 * day), "zip");
  assert.equal(ask("/a.example/x/@v/v1.1.0.zip"), "zip", "what has ended is not there");
});

test("versions beyond sixty of a module are found in one more text, whole and apart", () => {
  for (const count of [60, 61, 3000]) {
    const all = Array.from({ length: count }, (_, i) => of("a.example/x", `v1.0.${i}`));
    for (const blocked of [all, [...all, of("a.example/x", "", now + day)]]) {
      const ask = decider(blocked);
      const hasEnd = blocked.length > count;
      for (const i of [0, 59, count - 1]) assert.equal(ask(`/a.example/x/@v/v1.0.${i}.zip`, 3 * day)[0], 403);
      assert.equal(ask(`/a.example/x/@v/v1.0.${count}.zip`, 3 * day), "zip");
      assert.equal(ask(`/a.example/x/@v/v1.0.${count}.zip`)[0], hasEnd ? 403 : "z");
      assert.equal(ask("/a.example/x/@v/list")[0], hasEnd ? 403 : "l");
    }
  }
});

test("a text that cannot be read lets nobody have anything of its modules", () => {
  const values = edgeValues(open, { keys: [], identityKeys: ["i".repeat(43)], tokens: [] }, now / 1000);
  for (const key of values.keys()) if (key.startsWith("b ")) values.delete(key);
  const context = { keyValues: keyValuesOf(values), hmac, now: () => now / 1000 };
  const decision = decide({ method: "GET", path: "/a.example/x/@v/list", credentials: undefined }, context);
  assert.equal(decision.kind === "answer" && decision.status, 503);
});

test("CloudFront's script refuses what is blocked, and reads one value for it, or two", async () => {
  const code = bundleEdge("protocol", "private");
  const spread = Array.from({ length: 61 }, (_, i) => of("s.example/x", `v1.0.${i}`));
  const values = edgeValues(open, { keys: [], identityKeys: ["i".repeat(43)], tokens: [] }, now / 1000);
  for (const [key, text] of layOutBlocks([of("a.example/x", "v1.0.0"), ...spread], now)) values.set(key, text);
  const run = async (uri: string) => {
    const reads: string[] = [];
    const get = async (key: string) => {
      reads.push(key);
      return values.get(key) ?? assert.fail("no such key");
    };
    const { statusCode } = await runEdge(code, { uri }, { get });
    return [statusCode, reads.filter((key) => key.startsWith("b ")).length, reads.length];
  };
  assert.deepEqual(await run("/a.example/x/@v/v1.0.0.zip"), [403, 1, 2]);
  assert.deepEqual(await run("/s.example/x/@v/v1.0.7.mod"), [403, 2, 3]);
  // Where everybody may read everything it is looked at only here whether the module is private.
  assert.deepEqual(await run("/a.example/x/@v/v1.0.1.zip"), [undefined, 1, 4]);
});

test("100,000 blocks fit beside 50,000 revocations and 200 patterns: each value 1 KB, the store 5 MB", () => {
  const blocked = [
    ...Array.from({ length: 60_000 }, (_, i) => of(`github.com/owner-${i % 20_000}/m${i % 20_000}`, `v1.${i}.0`)),
    ...Array.from({ length: 20_000 }, (_, i) => of(`example.com/whole/${i}`)),
    ...Array.from({ length: 20_000 }, (_, i) => of("example.com/large/one", `v0.0.${i}`, now + 30 * day)),
  ];
  const blocks = layOutBlocks(blocked, now);
  const hosts = Array.from({ length: 200 }, (_, i) => `git${i % 40}.corp.example/team-${i}`);
  const access = { anonymous: "none", private: hosts, tenants: {} } as const;
  const values = new Map([...closingValues(new Map(), access, "i".repeat(43), blocks), ...accessValues(access)]);
  // Revocations take all their room.
  for (const key of values.keys()) if (key.startsWith("r ")) values.set(key, `=${"x".repeat(1023)}`);
  let bytes = 0;
  for (const [key, value] of values) {
    assert.ok(Buffer.byteLength(value) <= 1024, key);
    bytes += Buffer.byteLength(key + value);
  }
  assert.ok(bytes <= 5 << 20, `${bytes}`);
  const context = { keyValues: keyValuesOf(values), hmac, now: () => now / 1000 };
  values.set("access", JSON.stringify({ anonymous: "all", private: "" }));
  for (const { module, version } of blocked.filter((_, i) => i % 97 === 0)) {
    const path = `/${escapePath(module)}/@v/${version || "v1.0.0"}.zip`;
    const decision = decide({ method: "GET", path, credentials: undefined }, context);
    assert.equal(decision.kind === "answer" && decision.status, 403, path);
  }
  for (let i = 0; i < 2000; i++) {
    const path = `/github.com/other-${i}/m/@v/v1.0.0.zip`;
    assert.equal(decide({ method: "GET", path, credentials: undefined }, context).kind, "forward", path);
  }
});

test("more modules than a text has room for are refused to be blocked, and no text is cut", () => {
  const same = Array.from({ length: 400_000 }, (_, i) => of(`m${i}.example`));
  const key = "b 7";
  const crowd = same.filter(({ module }) => blockKey(module) === key);
  assert.ok(crowd.length > 93);
  assert.throws(() => layOutBlocks(crowd, now), { code: "blocks-full" });
  assert.equal(layOutBlocks(crowd.slice(0, 93), now).get(key)?.length, 1 + 93 * 9);
});
