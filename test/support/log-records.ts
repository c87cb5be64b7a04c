import { createHash } from "node:crypto";
import type { LogRecord } from "../../lambda/proxy/store/log-store.ts";

/** A hash in the form of dirhash, of nothing in particular. */
export function hashOf(text: string): string {
  return `h1:${createHash("sha256").update(text).digest("base64")}`;
}

/** The i'th of any number of records, each of a module version of its own. */
export function recordOf(i: number | string, path = "corp.example/Upper"): LogRecord {
  const module = { path: `${path}/m${i}`, version: "v1.0.0" };
  return { module, zip: hashOf(`zip ${path} ${i}`), goMod: hashOf(`mod ${path} ${i}`), proof: undefined };
}

export function recordsOf(count: number, from = 0): LogRecord[] {
  return Array.from({ length: count }, (_, i) => recordOf(from + i));
}
