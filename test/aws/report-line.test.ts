import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { reportLine } from "../../lambda/aws/report-line.ts";

test("a line is all that is written, whatever Lambda's runtime does to the console: CloudWatch reads metrics off whole lines", () => {
  const module = new URL("../../lambda/aws/report-line.ts", import.meta.url);
  const script = `
    console.log = console.info = (line) => process.stdout.write("2026-01-01T00:00:00.000Z\\tid\\tINFO\\t" + line + "\\n");
    const { reportLine, writeLine } = await import(${JSON.stringify(module)});
    writeLine(reportLine({ message: "m", fields: {}, metrics: { Requests: 1 } }, { handler: "h", now: 0, traceId: undefined, version: "7" }));`;
  const written = execFileSync(process.execPath, ["--input-type=module", "--eval", script], { encoding: "utf8" });
  assert.deepEqual(JSON.parse(written)._aws.CloudWatchMetrics[0].Metrics, [{ Name: "Requests", Unit: "Count" }]);
  assert.equal(written.split("\n").length, 2);
});

test("a fault is counted by the version that made it, and nothing is where there was none", () => {
  const context = { handler: "h", now: 0, traceId: undefined, version: "7" };
  for (const isFault of [true, false]) {
    const line = JSON.parse(reportLine({ message: "m", fields: {}, metrics: { Requests: 1 }, isFault }, context));
    const byVersion = line._aws.CloudWatchMetrics.slice(1);
    assert.deepEqual(
      [byVersion.map(({ Dimensions }: { Dimensions: unknown }) => Dimensions), line.Faults, line.Version],
      isFault ? [[[["Handler", "Version"]]], 1, "7"] : [[], undefined, "7"],
    );
  }
});
