import { explain } from "../../proxy/store/explain.ts";
import type { ServedError } from "../../proxy/store/served-error.ts";
import type { Metrics } from "./metrics.ts";

/** Counts failures; those that are alarming are for the operator too. */
export function failureReport(metrics: Metrics, warn: (line: string) => void): (error: ServedError) => void {
  return (error) => {
    const { code, traits } = error;
    metrics.count("modfront_failures_total", { code });
    if (traits.alarming) warn(`${code}: ${explain(error)}`);
  };
}
