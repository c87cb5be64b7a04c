/** Counters of this process in Prometheus' text format. */
export class Metrics {
  readonly #counters = new Map<string, number>();

  /** Adds one to the counter `name` with these labels. Label values are ours or a table's, never the client's. */
  count(name: string, labels: Readonly<Record<string, string | number>> = {}): void {
    const text = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    const key = text.length === 0 ? name : `${name}{${text.join(",")}}`;
    this.#counters.set(key, (this.#counters.get(key) ?? 0) + 1);
  }

  /** The text that `/-/metrics` answers. */
  format(): string {
    const lines = [...this.#counters].sort(([a], [b]) => (a < b ? -1 : 1));
    const typed = new Set<string>();
    return lines.map(([key, value]) => `${typeLine(key, typed)}${key} ${value}\n`).join("");
  }
}

function typeLine(key: string, typed: Set<string>): string {
  const name = key.replace(/\{.*$/, "");
  if (typed.has(name)) return "";
  typed.add(name);
  return `# TYPE ${name} counter\n`;
}
