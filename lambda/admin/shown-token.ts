import type { TokenRecord } from "../access/token-store.ts";

/** A token as JSON shows it: times as RFC 3339 has them, and never the token itself. */
export function shownToken({ id, subject, role, modules, created, expires, revoked }: TokenRecord) {
  const ended = revoked === undefined ? {} : { revoked: time(revoked) };
  const patterns = modules === "" ? [] : modules.split(",");
  return { id, subject, role, modules: patterns, created: time(created), expires: time(expires), ...ended };
}

function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
