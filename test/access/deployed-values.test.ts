import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { accessValues, closingValues, type DeployedAccess, type Values } from "../../lambda/access/deployed-values.ts";
import { readAccess, readTokens } from "../../lambda/edge/access-settings.ts";
import { readDenial } from "../../lambda/edge/permit.ts";
import { anonymous } from "../../lambda/edge/token.ts";
import { keyValuesOf } from "../support/tokens.ts";

const identityKey = "i".repeat(43);

function deployed(access: Partial<DeployedAccess>): DeployedAccess {
  return { anonymous: "public", private: [], tenants: {}, ...access };
}

test("a pattern lies where the two first elements of its modules say, or in access", () => {
  const rows: readonly (readonly [pattern: string, isInAccess: boolean])[] = [
    ["corp.example", true],
    ["corp.example/", true],
    ["*.corp.example/a", true],
    ["corp.example/*", true],
    ["corp.example/a?", true],
    ["corp.example/[ab]/x", true],
    ["corp.example/\\a", true],
    ["corp.example/a", false],
    ["corp.example/a/", false],
    ["corp.example/a/*-x", false],
    ["github.com/Corp/tool", false],
  ];
  for (const [pattern, isInAccess] of rows) {
    const values = accessValues(deployed({ private: [pattern] }));
    assert.equal(readAccess(values.get("access"))?.private, isInAccess ? pattern : "", pattern);
    const holders = [...values].filter(([key, value]) => key !== "access" && value !== "=");
    assert.deepEqual(
      holders.map(([, value]) => value),
      isInAccess ? [] : [`=${pattern}`],
    );
  }
});

test("all places are there from the start, and a tenant that is gone has no modules", () => {
  const values = new Map([...closingValues(new Map(), deployed({}), identityKey)]);
  assert.equal([...values.keys()].filter((key) => key.startsWith("p ")).length, 256);
  assert.equal([...values.keys()].filter((key) => key.startsWith("r ")).length, 1024);
  const present = new Map([...values, ["t old", "=old.example"], ["r 7", "=aaaaaaaabbb"]]);
  const tenants = { new: { modules: ["new.example/a", "new.example/b"] } };
  const changes = closingValues(present, deployed({ tenants }), identityKey);
  assert.deepEqual(Object.fromEntries(changes), { "t old": "=", "t new": "=new.example/a,new.example/b" });
});

test("a deployment leaves signing keys and revocations as they are", () => {
  const tokens = { keys: ["k".repeat(43)], identityKey: "o".repeat(43), revoked: "abc123", records: "table" };
  const values = closingValues(new Map([["tokens", JSON.stringify(tokens)]]), deployed({}), identityKey);
  assert.deepEqual(readTokens(values.get("tokens")), { ...tokens, identityKey });
  const first = closingValues(new Map(), deployed({}), identityKey);
  assert.deepEqual(readTokens(first.get("tokens")), { keys: [], identityKey, revoked: "" });
});

const piece = fc.constantFrom(
  ...["corp.example", "corp.example/a", "corp.example/a/b", "corp.example/*", "*.example", "corp.example/a/*"],
  ...["other.example/a", "other.example", "corp.example/[ab]", "corp.example/b/c"],
);
const access = fc.record({
  anonymous: fc.constantFrom("none", "public", "all") as fc.Arbitrary<DeployedAccess["anonymous"]>,
  private: fc.uniqueArray(piece, { maxLength: 5 }),
  tenants: fc.constant({}),
});
const modules = [
  "corp.example/a",
  "corp.example/a/b/c",
  "corp.example/b",
  "corp.example",
  "other.example/a/x",
  "free.dev/x",
];

/** Whether somebody without a token is served a module by these values. */
function isServed(values: Values, module: string): boolean {
  const keyValues = keyValuesOf(values);
  const settings = keyValues.access();
  return settings !== undefined && readDenial(settings, anonymous, module, keyValues.text) === undefined;
}

test("at no moment of a deployment is somebody served who is served neither before nor after", () => {
  fc.assert(
    fc.property(access, access, (before, after) => {
      const start = new Map([...closingValues(new Map(), before, identityKey), ...accessValues(before)]);
      const end = new Map([...start, ...accessValues(after)]);
      const writes = [...closingValues(start, after, identityKey), ...accessValues(after)];
      const values = new Map(start);
      for (const [key, value] of writes) {
        values.set(key, value);
        for (const module of modules) {
          if (!isServed(start, module) && !isServed(end, module)) assert.ok(!isServed(values, module), module);
        }
      }
      assert.deepEqual(values, end);
    }),
    { numRuns: 200 },
  );
});

test("the code of an earlier version, which knows access alone, hides what was hidden until it is replaced", () => {
  const patterns = ["corp.example", "github.com/Corp/*", "git.corp.example/team/x"];
  const present = new Map([["access", JSON.stringify({ anonymous: "public", private: patterns.join(",") })]]);
  const values = closingValues(
    present,
    deployed({ private: ["git.corp.example/team/x", "new.example/a"] }),
    identityKey,
  );
  assert.equal(values.has("access"), false, "it stays as it is");
  const wider = closingValues(present, deployed({ private: ["*.example"] }), identityKey);
  assert.deepEqual(readAccess(wider.get("access"))?.private.split(","), [...patterns, "*.example"]);
});

test("what does not fit is refused, and says which pattern and what to do", () => {
  const long = Array.from({ length: 60 }, (_, i) => `git.corp.example/team/service-number-${i}`);
  assert.throws(() => accessValues(deployed({ private: long })), {
    code: "private-full",
    message:
      /no room for git\.corp\.example\/team\/service-number-\d+ .* use a wider one, as git\.corp\.example\/team$/,
  });
  const globs = Array.from({ length: 60 }, (_, i) => `*.corp-number-${i}.example`);
  assert.throws(() => accessValues(deployed({ private: globs })), {
    code: "private-full",
    message: /must fit 980 bytes/,
  });
  assert.throws(() => accessValues(deployed({ tenants: { payments: { modules: long } } })), {
    code: "private-full",
    message: /^tenants\.payments\.modules: 2,?\d+ bytes of patterns, and 1023 fit: use wider ones, or two tenants$/,
  });
  const tenants = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`t${i}`, { modules: long.slice(0, 25) }]));
  assert.throws(() => accessValues(deployed({ tenants })), { code: "private-full", message: /store of 5 MB/ });
});
