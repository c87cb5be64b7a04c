/** What a refusal says, piece by piece. */
export interface Refusal {
  readonly facts: { readonly path: string; readonly version: string };
  readonly rule: { readonly name: string; readonly about: string; readonly reason: string | undefined };
  /** Milliseconds since the epoch. */
  readonly until: number | undefined;
  /** A version that is allowed. */
  readonly instead: string | undefined;
  readonly contact: string | undefined;
}

/** Bytes of UTF-8 for each piece: with their labels and line ends all six stay below the 640 that an error text may have. */
const room = { subject: 180, rule: 100, why: 120, until: 24, instead: 60, ask: 70 } as const;

/**
 * The lines that the person at `go` reads: what is refused, by which rule and why, until when, what to take instead and
 * whom to ask. `go` prints 8 lines of at most 648 bytes, up to the first blank one.
 */
export function refusalLines({ facts, rule, until, instead, contact }: Refusal): readonly string[] {
  const why = fit(rule.reason ?? "", room.why);
  const ask = fit(contact ?? "", room.ask);
  return [
    `${fit(`${facts.path}@${facts.version}`, room.subject)} is refused by this proxy's policy`,
    `rule: ${fit(`${rule.name} (${rule.about})`, room.rule)}`,
    ...(why === "" ? [] : [`why: ${why}`]),
    ...(until === undefined ? [] : [`until: ${timeOf(until)}`]),
    ...(instead === undefined ? [] : [`instead: ${fit(instead, room.instead)}`]),
    `ask: ${ask || "whoever runs this proxy"}`,
  ];
}

/** `"2026-12-01T00:00:00Z"`; a time that no calendar has is far away. */
function timeOf(until: number): string {
  const time = new Date(until);
  return Number.isNaN(time.getTime()) ? "further notice" : `${time.toISOString().slice(0, -5)}Z`;
}

/** One printable line of at most so many bytes: what somebody typed ends in terminals. */
function fit(text: string, bytes: number): string {
  const line = text
    .slice(0, 4 * bytes)
    .replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, " ")
    .trim();
  if (Buffer.byteLength(line) <= bytes) return line;
  let kept = "";
  let size = 3;
  for (const character of line) {
    size += Buffer.byteLength(character);
    if (size > bytes) break;
    kept += character;
  }
  return `${kept}...`;
}
