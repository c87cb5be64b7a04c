import type { Hmac } from "../edge/hmac.ts";
import { entryLength, fingerprint } from "../edge/revocations.ts";
import { CodedError } from "../golang/coded-error.ts";
import { isValue } from "./private-texts.ts";

const day = 86_400;
const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Returns what the edge is told of a revoked token: what stands for its id, and the last day on which it is in the way. */
export function revocationEntry(
  { id, expires }: { readonly id: string; readonly expires: number },
  hmac: Hmac,
): string {
  return fingerprint(id, hmac) + formatDay(Math.floor(expires / day));
}

/**
 * Returns the value of a text of revocations with one more entry, and without those whose tokens have ended.
 *
 * Throws `CodedError` "revocations-full" when it does not fit.
 */
export function addEntry(entries: string, entry: string, now: number): string {
  const today = Math.floor(now / day);
  const kept = splitEntries(entries).filter((each) => parseDay(each.slice(-3)) >= today && each !== entry);
  const value = `=${kept.join("")}${entry}`;
  if (isValue(value)) return value;
  throw new CodedError(
    "revocations-full",
    "too many tokens are revoked that have not ended: end all with modfront token rotate-key --drop-old, and make new ones",
  );
}

export function splitEntries(entries: string): readonly string[] {
  return Array.from({ length: Math.floor(entries.length / entryLength) }, (_, i) =>
    entries.slice(i * entryLength, (i + 1) * entryLength),
  );
}

/** Three digits to the base 64: until the year 2687. */
function formatDay(value: number): string {
  return [12, 6, 0].map((bits) => digits.charAt((value >> bits) & 63)).join("");
}

function parseDay(text: string): number {
  return [...text].reduce((value, digit) => value * 64 + digits.indexOf(digit), 0);
}
