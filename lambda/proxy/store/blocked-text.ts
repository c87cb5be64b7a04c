import { printable } from "../../golang/shown-text.ts";
import type { Ruling } from "./ruling-store.ts";

/**
 * What the person at `go` reads of something that is blocked: two lines, below the 648 bytes that `go` prints of an answer.
 *
 * `version` is the one that was asked for; empty where none was.
 */
export function blockedText({ module, reason, until }: Ruling, version: string): string {
  const name = version === "" ? module : `${module}@${version}`;
  const end = until === undefined ? "" : ` (until ${new Date(until).toISOString().slice(0, 10)})`;
  return `blocked: ${printable(name, 150)}: ${printable(reason, longestReason)}${end}\nmodfront explain says more`;
}

/** Characters of a reason. */
export const longestReason = 100;
