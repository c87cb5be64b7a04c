import assert from "node:assert/strict";
import { test } from "node:test";
import { keptSeconds } from "./cloudfront-cache.ts";

// The stand-in's own rules, against CloudFront's documentation ("How CloudFront processes and caches HTTP 4xx and 5xx
// status codes", "Manage how long content stays in the cache").

const times = { min: 0, default: 0, max: 100 };
const ours = new Map([400, 403, 404, 405, 500, 502, 503, 504].map((status) => [status, 0]));
const none = new Map<number, number>();

const rows: readonly (readonly [
  status: number,
  header: string | undefined,
  errorTtl: ReadonlyMap<number, number>,
  seconds: number,
])[] = [
  [200, "max-age=60", ours, 60],
  [200, "public, max-age=31536000, immutable", ours, 100],
  [200, "max-age=60, s-maxage=7", ours, 7],
  [200, "no-store", ours, 0],
  [200, "private, max-age=60", ours, 0],
  [200, undefined, ours, 0],
  [302, "no-store", ours, 0],
  [404, "max-age=5", ours, 5],
  [404, undefined, ours, 0],
  [404, undefined, none, 10],
  [403, "no-store", ours, 0],
  // The trap: without an error TTL of 0 a refusal is kept although its header forbids it.
  [403, "no-store", none, 10],
  [502, "no-store", none, 10],
  [502, "no-store", ours, 0],
];

for (const [status, header, errorTtl, seconds] of rows) {
  test(`${status} with ${header ?? "no Cache-Control"} is kept ${seconds} s`, () => {
    const headers = header === undefined ? {} : { "cache-control": header };
    assert.equal(keptSeconds({ status, headers }, times, errorTtl), seconds);
  });
}
