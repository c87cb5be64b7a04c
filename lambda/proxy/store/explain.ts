/** Causes that are told, and characters of all of them: what an upstream or a client sent may be among them. */
const mostCauses = 8;
const longest = 2_000;

/** What went wrong, down to its first cause, in one line for the log only: `"upstream x failed (answered 503 (…))"`. */
export function explain(error: unknown): string {
  const messages: string[] = [];
  for (let at = error; at !== undefined && messages.length < mostCauses; at = (at as Error).cause) {
    messages.push(at instanceof Error ? at.message : String(at));
    if (!(at instanceof Error)) break;
  }
  const text = messages.join(" (") + ")".repeat(Math.max(0, messages.length - 1));
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
