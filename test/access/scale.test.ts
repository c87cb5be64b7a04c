import assert from "node:assert/strict";
import { test } from "node:test";
import { accessValues, closingValues } from "../../lambda/access/deployed-values.ts";
import { hmac } from "../../lambda/access/hmac.ts";
import { addEntry, revocationEntry } from "../../lambda/access/revocations.ts";
import { readText } from "../../lambda/edge/access-settings.ts";
import { coversModule } from "../../lambda/edge/patterns.ts";
import { readDenial } from "../../lambda/edge/permit.ts";
import { isRevoked, revokedKey } from "../../lambda/edge/revocations.ts";
import { anonymous } from "../../lambda/edge/token.ts";
import { keyValuesOf } from "../support/tokens.ts";

// The edge's store filled to what it must hold: 50,000 revoked tokens, 200 private patterns, 100 tenants. Two seconds.

const now = 1_800_000_000;
const day = 86_400;

/** Ids as they are made: some within one second, in the course of years. */
function idsOf(count: number): readonly string[] {
  let seed = 1;
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed;
  };
  return Array.from({ length: count }, (_, i) => {
    const second = (now - 2000 * day + Math.floor(i / 3) * 997).toString(36).padStart(7, "0");
    return second + (random() * 4096 + random()).toString(36).padStart(9, "0").slice(-9);
  });
}

const hosts = Array.from({ length: 40 }, (_, i) => `git${i}.corp.example`);
const patterns = hosts.flatMap((host) =>
  ["team", "team/a-*", "lib", "tools/x", "infra/[a-m]*"].map((p) => `${host}/${p}`),
);
const tenants = Object.fromEntries(
  Array.from({ length: 100 }, (_, i) => [
    `tenant-${i}`,
    { modules: [`t${i}.corp.example`, `code.corp.example/t${i}`, `code.corp.example/t${i}-*`, `x.example/t${i}/lib`] },
  ]),
);
const access = {
  anonymous: "public",
  private: [
    ...patterns,
    ...Object.values(tenants).flatMap(({ modules }) => modules.filter((p) => /\/t\d+(\/|$)/.test(p))),
  ],
  tenants,
} as const;

test("50,000 revoked tokens, 200 private patterns and 100 tenants fit: each value 1 KB, the store 5 MB", () => {
  assert.equal(patterns.length, 200);
  const values = new Map([...closingValues(new Map(), access, "i".repeat(43)), ...accessValues(access)]);
  const [revoked, ...others] = [idsOf(50_000), idsOf(60_000).slice(50_000)];
  for (const [i, id] of revoked.entries()) {
    const key = revokedKey(id);
    const token = { id, expires: now + (1 + (i % 3650)) * day };
    values.set(key, addEntry(readText(values.get(key)) ?? "", revocationEntry(token, hmac), now));
  }
  assert.equal(values.size, 2 + 256 + 1024 + 2048 + 100, "no key more than there were before");
  let bytes = 0;
  let largest = 0;
  for (const [key, value] of values) {
    assert.ok(Buffer.byteLength(key) <= 512 && Buffer.byteLength(value) <= 1024, `${key}: ${value.length}`);
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
    if (key.startsWith("r ")) largest = Math.max(largest, value.length);
  }
  assert.ok(bytes < 5 << 20, `${bytes}`);
  assert.ok(largest > 600 && largest < 1024, `the fullest place has ${largest} bytes`);

  const keyValues = keyValuesOf(values);
  const isRefused = (id: string) => isRevoked(keyValues.text(revokedKey(id)) ?? "", id, hmac);
  assert.ok(revoked.every(isRefused), "all are refused");
  assert.equal(others[0]?.filter(isRefused).length, 0, "and nobody else is");
  const settings = keyValues.access();
  assert.ok(settings !== undefined);
  for (const pattern of access.private) {
    const module = `${pattern.replaceAll("*", "a").replace("[a-m]", "b")}/x`;
    assert.ok(coversModule(pattern, module));
    assert.equal(readDenial(settings, anonymous, module, keyValues.text), "no-token", module);
  }
  assert.equal(readDenial(settings, anonymous, "golang.org/x/mod", keyValues.text), undefined);
});

test("where a place is full it is said what to do, and what has ended makes room", () => {
  const ids = idsOf(400_000).filter((id) => revokedKey(id) === "r 5");
  let value = "=";
  let fitted = 0;
  const add = (id: string, at: number) =>
    addEntry(value.slice(1), revocationEntry({ id, expires: at + day }, hmac), at);
  assert.throws(
    () => {
      for (const id of ids) {
        value = add(id, now);
        fitted++;
      }
    },
    { code: "revocations-full", message: /rotate-key --drop-old, and make new ones$/ },
  );
  assert.equal(fitted, 93);
  const [first = "", last = ""] = [ids[0], ids.at(-1)];
  assert.equal(
    add(first, now),
    value.replace(revocationEntry({ id: first, expires: now + day }, hmac), "") + value.slice(1, 12),
  );
  const later = add(last, now + 3 * day);
  assert.equal(later.length, 1 + 11, "those that ended are gone");
});
