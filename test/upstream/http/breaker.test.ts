import assert from "node:assert/strict";
import { test } from "node:test";
import { Breaker } from "../../../lambda/upstream/http/breaker.ts";

function clocked() {
  const clock = { time: 1_000 };
  const breaker = new Breaker(() => clock.time);
  const fail = (times: number) => {
    for (let i = 0; i < times; i++) breaker.enter()?.refused();
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

test("a connection in between begins the count anew; an attempt that ended otherwise does not count", () => {
  const { breaker, fail } = clocked();
  fail(9);
  breaker.enter()?.connected();
  fail(9);
  for (let i = 0; i < 20; i++) breaker.enter()?.end();
  assert.ok(breaker.enter());
  fail(1);
  assert.equal(breaker.enter(), undefined);
});

test("what goes wrong once a connection stands does not open it", () => {
  const { breaker } = clocked();
  for (let i = 0; i < 20; i++) {
    const pass = breaker.enter();
    pass?.connected();
    pass?.refused();
  }
  assert.ok(breaker.enter());
});

test("one probe at a time; its failure opens it again, its connection closes it", () => {
  const { breaker, clock, fail } = clocked();
  fail(10);
  clock.time += 2_000;
  const probe = breaker.enter();
  assert.equal(breaker.enter(), undefined);
  probe?.refused();
  assert.equal(breaker.enter(), undefined);
  clock.time += 2_000;
  const second = breaker.enter();
  second?.connected();
  assert.ok(breaker.enter(), "a connection is enough: a slow answer must not keep others out");
  second?.end();
  fail(9);
  assert.ok(breaker.enter());
});

test("a probe that ends without a connection or a failure makes room for the next", () => {
  const { breaker, clock, fail } = clocked();
  fail(10);
  clock.time += 2_000;
  breaker.enter()?.end();
  assert.ok(breaker.enter());
});

test("an attempt settles once", () => {
  const { breaker } = clocked();
  const pass = breaker.enter();
  for (let i = 0; i < 20; i++) pass?.refused();
  assert.ok(breaker.enter());
});
