import assert from "node:assert/strict";
import { test } from "node:test";
import { Breaker } from "../../../lambda/upstream/http/breaker.ts";

function clocked() {
  const clock = { time: 1_000 };
  const breaker = new Breaker(() => clock.time);
  const fail = (times: number) => {
    for (let i = 0; i < times; i++) breaker.enter()?.settle("failed");
  };
  return { breaker, clock, fail };
}

test("ten failures in a row open it for two seconds, nine do not", () => {
  const { breaker, clock, fail } = clocked();
  fail(9);
  assert.ok(breaker.enter());
  fail(1);
  assert.equal(breaker.enter(), undefined);
  clock.time += 1_999;
  assert.equal(breaker.enter(), undefined);
  clock.time += 1;
  assert.ok(breaker.enter());
});

test("a success in between begins the count anew; an abandoned attempt does not count", () => {
  const { breaker, fail } = clocked();
  fail(9);
  breaker.enter()?.settle("succeeded");
  fail(9);
  for (let i = 0; i < 20; i++) breaker.enter()?.settle("abandoned");
  assert.ok(breaker.enter());
  fail(1);
  assert.equal(breaker.enter(), undefined);
});

test("answers whose bodies hang open it too", () => {
  const { breaker } = clocked();
  for (let i = 0; i < 10; i++) {
    const pass = breaker.enter();
    pass?.answered();
    pass?.settle("failed");
  }
  assert.equal(breaker.enter(), undefined);
});

test("one probe at a time; its failure opens it again, its answer closes it", () => {
  const { breaker, clock, fail } = clocked();
  fail(10);
  clock.time += 2_000;
  const probe = breaker.enter();
  assert.equal(breaker.enter(), undefined);
  probe?.settle("failed");
  assert.equal(breaker.enter(), undefined);
  clock.time += 2_000;
  const second = breaker.enter();
  second?.answered();
  assert.ok(breaker.enter(), "headers are enough: a large body must not keep others out");
  second?.settle("succeeded");
  fail(9);
  assert.ok(breaker.enter());
});

test("an abandoned probe makes room for the next", () => {
  const { breaker, clock, fail } = clocked();
  fail(10);
  clock.time += 2_000;
  breaker.enter()?.settle("abandoned");
  assert.ok(breaker.enter());
});

test("an attempt settles once", () => {
  const { breaker } = clocked();
  const pass = breaker.enter();
  for (let i = 0; i < 20; i++) pass?.settle("failed");
  assert.ok(breaker.enter());
});
