import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLoad } from "../../bench/load.ts";
import { formatNumber, formatTable, median, summarize } from "../../bench/report.ts";
import { parseCpu, parseMemory } from "../../bench/usage.ts";

test("the median of an even number of values is the mean of the middle two", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  // As text 10 would come before 9.
  assert.equal(median([10, 9, 100]), 10);
});

test("samples become figures with their spread and their ratio to the base in the same row and metric", () => {
  const row = { part: "hits", row: ".info", metric: "requests/s" };
  const samples = [
    { ...row, target: "modfront", value: 90 },
    { ...row, target: "nginx", value: 100 },
    { ...row, target: "modfront", value: 110 },
    { ...row, target: "nginx", value: 300 },
    { ...row, metric: "CPU", target: "modfront", value: 7 },
  ];
  const figures = summarize(samples, "nginx");
  assert.deepEqual(figures, [
    { ...row, target: "modfront", median: 100, low: 90, high: 110, runs: 2, ratio: 0.5 },
    { ...row, target: "nginx", median: 200, low: 100, high: 300, runs: 2, ratio: 1 },
    { ...row, metric: "CPU", target: "modfront", median: 7, low: 7, high: 7, runs: 1 },
  ]);
  assert.equal(
    formatTable(figures, "nginx"),
    [
      "|             | metric     | target   | median | low … high | × nginx |",
      "| ----------- | ---------- | -------- | ------ | ---------- | ------- |",
      "| hits: .info | requests/s | modfront | 100    | 90 … 110   | 0.50    |",
      "|             | requests/s | nginx    | 200    | 100 … 300  |         |",
      "|             | CPU        | modfront | 7      |            |         |",
      "",
    ].join("\n"),
  );
});

test("there is no ratio to nothing", () => {
  const asked = { part: "hits", row: "list", metric: "upstream requests/request" };
  const samples = [
    { ...asked, target: "modfront", value: 0 },
    { ...asked, target: "nginx", value: 0 },
  ];
  assert.deepEqual(
    summarize(samples, "nginx").map(({ median, ratio }) => [median, ratio]),
    [
      [0, undefined],
      [0, undefined],
    ],
  );
});

test("numbers keep the digits that count", () => {
  for (const [value, text] of [
    [60_612.4, "60,612"],
    [4.7219, "4.72"],
    [0.012345, "0.0123"],
    [Number.NaN, "–"],
  ] as const)
    assert.equal(formatNumber(value), text);
});

test("wrk's report is read, and one with failures is refused", () => {
  const report = "  2 threads\n  61234 requests in 2.00s, 10MB read\nRequests/sec:  30617.12\nTransfer/sec: 5MB\n";
  assert.deepEqual(parseLoad(report), { requests: 61_234, perSecond: 30_617.12 });
  assert.throws(() => parseLoad(`${report}  Non-2xx or 3xx responses: 3\n`), /Non-2xx/);
  assert.throws(() => parseLoad(`${report}  Socket errors: connect 0, read 1, write 0, timeout 0\n`), /read 1/);
  assert.throws(() => parseLoad("unable to connect"), /no report/);
});

test("CPU time is read behind a process name with spaces and brackets, ended children included", () => {
  const fields = ["S", ...Array.from({ length: 10 }, () => "1"), "150", "50", "20", "30", "7"];
  assert.equal(parseCpu(`12 (a (b) c) ${fields.join(" ")}`), 2.5);
});

test("memory is read in bytes", () => {
  assert.deepEqual(parseMemory("Name:\tx\nVmHWM:\t  300 kB\nVmRSS:\t  200 kB\n"), { peak: 307_200, rss: 204_800 });
});
