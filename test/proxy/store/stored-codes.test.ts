import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFailure } from "../../../lambda/proxy/store/lease-store.ts";
import { forgetAfter } from "../../../lambda/proxy/store/memory-retention.ts";
import { knownFacts, parseOrigin } from "../../../lambda/proxy/store/version-facts.ts";

// What a database holds may have been written by a later version than the one that reads it.

test("a code that we do not know is internal, its message is kept", () => {
  for (const [code, known] of [
    ["not-found", "not-found"],
    ["fill-timeout", "fill-timeout"],
    ["moved-to-mars", "internal"],
    ["toString", "internal"],
    ["", "internal"],
  ] as const)
    assert.deepEqual(parseFailure(code, "why"), { code: known, message: "why" });
});

test("an origin that we do not know is unknown", () => {
  const names = ["upstream", "git", "published", "import", "mars", "toString", "", null, undefined];
  assert.deepEqual(names.map(parseOrigin), ["upstream", "git", "published", "import", ...Array(5).fill(undefined)]);
});

test("facts that are not there are left out", () => {
  assert.equal(knownFacts({ origin: undefined, zipSize: undefined }), undefined);
  assert.deepEqual(knownFacts({ origin: undefined, zipSize: 0, licences: [] }), { zipSize: 0, licences: [] });
});

test("a memory is kept by its kind, whatever the rest of its name says", () => {
  const day = 86_400_000;
  for (const [name, days] of [
    ["list", 365],
    ["latest", 365],
    ["query list", 30],
    ["query ", 30],
    ["missing v1.0.0.zip", 1],
    ["missing list", 1],
  ] as const)
    assert.equal(forgetAfter(name, 7), 7 + days * day, name);
});
