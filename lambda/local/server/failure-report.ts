import type { ServedError } from "../../proxy/store/served-error.ts";
import type { Metrics } from "./metrics.ts";

/** Counts failures; those that nobody expects, and those that mean somebody lies, are for the operator too. */
export function failureReport(metrics: Metrics, warn: (line: string) => void): (error: ServedError) => void {
  return (error) => {
    const { code } = error;
    metrics.count("modfront_failures_total", { code });
    if (code === "internal" || /^checksum-(mismatch|forged|fork)$/.test(code)) warn(`${code}: ${explain(error)}`);
  };
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} (${explain(error.cause)})`;
}
