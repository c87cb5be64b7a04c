/** The digits of the standard alphabet, and behind them the two that the URL alphabet has for the last two. */
const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_";

/** What a digit stands for, by its character code. */
const values: number[] = [];
for (let i = 0; i < digits.length; i++) values[digits.charCodeAt(i)] = i > 63 ? i - 2 : i;

/**
 * Returns the bytes that base64 text stands for as a string of characters 0 to 255, or undefined where it is not base64.
 *
 * Takes the standard and the URL alphabet, with or without padding: Basic credentials use one, tokens the other.
 */
export function decodeBase64(text: string): string | undefined {
  const characters = text.replace(/={1,2}$/, "");
  if (characters.length % 4 === 1) return undefined;
  let decoded = "";
  let bits = 0;
  for (let i = 0; i < characters.length; i++) {
    const value = values[characters.charCodeAt(i)];
    if (value === undefined) return undefined;
    bits = (bits << 6) | value;
    // Of every four characters the second, third and fourth complete a byte, with 4, 2 and 0 bits left over.
    const place = i % 4;
    if (place > 0) decoded += String.fromCharCode((bits >> (6 - 2 * place)) & 0xff);
  }
  return decoded;
}
