import assert from "node:assert/strict";
import { test } from "node:test";
import { Metrics, requestCounter } from "../../../lambda/local/server/metrics.ts";

test("counters are written by name and labels, with one type line for each name", () => {
  const metrics = new Metrics();
  metrics.count("b_total", { kind: "zip", status: 200 });
  metrics.count("b_total", { kind: "mod", status: 200 });
  metrics.count("b_total", { kind: "zip", status: 200 });
  metrics.count("a_total");
  const expected = [
    "# TYPE a_total counter",
    "a_total 1",
    "# TYPE b_total counter",
    'b_total{kind="mod",status="200"} 1',
    'b_total{kind="zip",status="200"} 2',
    "",
  ];
  assert.equal(metrics.format(), expected.join("\n"));
});

test("nothing counted is nothing to say", () => {
  assert.equal(new Metrics().format(), "");
});

test("a counter that is only kept says 0, and is the same one for all who ask for it", () => {
  const metrics = new Metrics();
  const counter = metrics.counter("kept_total", { kind: "x" });
  assert.equal(metrics.format(), '# TYPE kept_total counter\nkept_total{kind="x"} 0\n');
  counter.value += 2;
  metrics.count("kept_total", { kind: "x" });
  assert.equal(metrics.counter("kept_total", { kind: "x" }), counter);
  assert.equal(counter.value, 3);
  assert.notEqual(metrics.counter("kept_total", { kind: "y" }), counter);
});

test("requests are counted by route and status", () => {
  const metrics = new Metrics();
  const count = requestCounter(metrics);
  const another = requestCounter(metrics);
  for (const [route, status] of [
    ["list", 200],
    ["list", 200],
    ["list", 404],
    ["zip", 200],
  ] as const)
    count(route, status);
  another("zip", 200);
  const expected = [
    "# TYPE modfront_requests_total counter",
    'modfront_requests_total{route="list",status="200"} 2',
    'modfront_requests_total{route="list",status="404"} 1',
    'modfront_requests_total{route="zip",status="200"} 2',
    "",
  ];
  assert.equal(metrics.format(), expected.join("\n"));
});
