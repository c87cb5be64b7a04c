/** One number of one run: `target` is who was measured, `metric` what, with its unit. */
export interface Sample {
  readonly part: string;
  /** What was done: ".info, 32 connections". */
  readonly row: string;
  readonly target: string;
  /** "requests/s", "s", "MB"; together with the row what may be compared between targets. */
  readonly metric: string;
  readonly value: number;
}

/** All runs of one target in one row and metric. */
export interface Figure extends Omit<Sample, "value"> {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly runs: number;
  /** Median over the base's in the same row and metric; absent without one, and where that is nothing. */
  readonly ratio?: number;
}

/** The median: of an even number of values the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  const [low = Number.NaN, high = Number.NaN] = [sorted[(sorted.length - 1) >> 1], sorted[half]];
  return (low + high) / 2;
}

/** Groups samples into figures, in the order in which they first came, with ratios to the target `baseName`. */
export function summarize(samples: readonly Sample[], baseName: string): readonly Figure[] {
  const groups = Map.groupBy(samples, ({ part, row, metric, target }) => JSON.stringify([part, row, metric, target]));
  const baseOf = ({ part, row, metric }: Sample) => groups.get(JSON.stringify([part, row, metric, baseName]));
  return [...groups.values()].map((group) => {
    const first = group[0] as Sample;
    const values = group.map(({ value }) => value);
    const { value: _, ...names } = first;
    const against = baseOf(first)?.map(({ value }) => value);
    const middle = median(values);
    const figure = {
      ...names,
      median: middle,
      low: Math.min(...values),
      high: Math.max(...values),
      runs: values.length,
    };
    const base = against === undefined ? 0 : median(against);
    return base === 0 ? figure : { ...figure, ratio: middle / base };
  });
}

/** The figures as a Markdown table: `| row | metric | target | median | low … high | × nginx |`. */
export function formatTable(figures: readonly Figure[], base: string): string {
  const head = ["", "metric", "target", "median", "low … high", base === "" ? "" : `× ${base}`];
  const rows = figures.map((figure, i) => {
    const before = figures[i - 1];
    const repeated = before?.row === figure.row && before.part === figure.part;
    return [
      repeated ? "" : `${figure.part}: ${figure.row}`,
      figure.metric,
      figure.target,
      formatNumber(figure.median),
      figure.runs === 1 ? "" : `${formatNumber(figure.low)} … ${formatNumber(figure.high)}`,
      figure.ratio === undefined || figure.target === base ? "" : figure.ratio.toFixed(2),
    ];
  });
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? "").length), 3));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |\n`;
  return line(head) + line(widths.map((width) => "-".repeat(width))) + rows.map(line).join("");
}

/** Three digits that count: `"60,600"`, `"4.72"`, `"0.0123"`. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return "–";
  return value.toLocaleString("en-US", value >= 1000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 });
}
