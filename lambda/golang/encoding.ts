// Comparison, base64 and decimals the way Go's strings, encoding/base64 and strconv do them. JavaScript's own are close
// enough to pass a test and wrong on hostile input: `<` orders UTF-16 units, Buffer decodes junk, BigInt("") is 0.

/**
 * Compares two strings as Go does, by the bytes of their UTF-8: -1, 0 or +1.
 *
 * UTF-16 order differs: `"\u{ff5e}"` is before `"\u{1f600}"` in bytes and after it in UTF-16 units.
 */
export function compareStrings(a: string, b: string): -1 | 0 | 1 {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return utf8Rank(x) < utf8Rank(y) ? -1 : 1;
  }
  if (a.length === b.length) return 0;
  return a.length < b.length ? -1 : 1;
}

/** Surrogates stand for code points above U+FFFF, so they sort after every other unit. */
function utf8Rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** Compares two byte strings in byte order, a prefix before what it is a prefix of: -1, 0 or +1 (Go's bytes.Compare). */
export function compareBytes(a: Uint8Array, b: Uint8Array): -1 | 0 | 1 {
  return Buffer.compare(a, b);
}

/**
 * Returns the bytes that padded standard base64 stands for, or undefined where Go's `base64.StdEncoding` refuses.
 *
 * Like Go it ignores CR and LF and does not look at the unused bits of the last character; it refuses the URL alphabet,
 * spaces, missing, short or surplus padding and anything after the padding.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  const characters = text.replaceAll(/[\r\n]/g, "");
  if (characters.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(characters)) return undefined;
  return new Uint8Array(Buffer.from(characters, "base64"));
}

/** Returns padded standard base64 of the bytes, on one line. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

const maxInt64 = 2n ** 63n - 1n;

/**
 * Returns the number a decimal stands for, or undefined unless it is exactly what Go prints for an int64 ≥ 0: digits
 * only, no sign, no leading zero, at most 2^63-1.
 */
export function parseDecimal(text: string): bigint | undefined {
  if (!/^(?:0|[1-9][0-9]{0,18})$/.test(text)) return undefined;
  const value = BigInt(text);
  return value <= maxInt64 ? value : undefined;
}

/** Compares two numbers given as digits without leading zeros, of any length: -1, 0 or +1. */
export function compareDecimals(a: string, b: string): -1 | 0 | 1 {
  if (a.length !== b.length) return a.length < b.length ? -1 : 1;
  return compareStrings(a, b);
}

/** Returns digits for the number one higher, for digits of any length: `"1299"` becomes `"1300"`, `"99"` becomes `"100"`. */
export function incrementDecimal(digits: string): string {
  const nines = trailing(digits, "9");
  const head = digits.slice(0, digits.length - nines);
  const zeros = "0".repeat(nines);
  if (head === "") return `1${zeros}`;
  return `${head.slice(0, -1)}${Number(head.slice(-1)) + 1}${zeros}`;
}

/** Returns digits for the number one lower, or undefined for zero: `"1300"` becomes `"1299"`, `"100"` becomes `"99"`. */
export function decrementDecimal(digits: string): string | undefined {
  const zeros = trailing(digits, "0");
  const head = digits.slice(0, digits.length - zeros);
  if (head === "") return undefined;
  const nines = "9".repeat(zeros);
  if (head === "1" && zeros > 0) return nines;
  return `${head.slice(0, -1)}${Number(head.slice(-1)) - 1}${nines}`;
}

function trailing(digits: string, digit: string): number {
  let count = 0;
  while (count < digits.length && digits[digits.length - 1 - count] === digit) count++;
  return count;
}
