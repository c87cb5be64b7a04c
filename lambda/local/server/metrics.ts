/** One number that only grows. */
export interface Counter {
  value: number;
}

/** The media type of Prometheus' text format. */
export const metricsType = "text/plain; version=0.0.4; charset=utf-8";

/** Counters of this process in Prometheus' text format. */
export class Metrics {
  readonly #counters = new Map<string, Counter>();

  /** The counter `name` with these labels, to be kept by what counts often. Label values are ours or a table's, never the client's. */
  counter(name: string, labels: Readonly<Record<string, string | number>> = {}): Counter {
    const text = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    const key = text.length === 0 ? name : `${name}{${text.join(",")}}`;
    const known = this.#counters.get(key);
    if (known !== undefined) return known;
    const counter = { value: 0 };
    this.#counters.set(key, counter);
    return counter;
  }

  /** Adds one to a counter. */
  count(name: string, labels: Readonly<Record<string, string | number>> = {}): void {
    this.counter(name, labels).value++;
  }

  /** The text that `/-/metrics` answers. */
  format(): string {
    const lines = [...this.#counters].sort(([a], [b]) => (a < b ? -1 : 1));
    const typed = new Set<string>();
    return lines.map(([key, { value }]) => `${typeLine(key, typed)}${key} ${value}\n`).join("");
  }
}

/** Counts requests by route and status, without making the text of the labels anew for each of them. */
export function requestCounter(metrics: Metrics): (route: string, status: number) => void {
  const counters = new Map<string, Counter>();
  return (route, status) => {
    const key = `${route} ${status}`;
    let counter = counters.get(key);
    if (counter === undefined) {
      counter = metrics.counter("modfront_requests_total", { route, status });
      counters.set(key, counter);
    }
    counter.value++;
  };
}

function typeLine(key: string, typed: Set<string>): string {
  const name = key.replace(/\{.*$/, "");
  if (typed.has(name)) return "";
  typed.add(name);
  return `# TYPE ${name} counter\n`;
}
