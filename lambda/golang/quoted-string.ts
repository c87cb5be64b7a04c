// Port of Go's strconv.Unquote for the two kinds of strings that go.mod files use, and the way back for messages.

import { isPrint } from "./unicode.ts";

/** Returns the text in `"`, for a message: at most 200 characters, on one line, with nothing in it that a terminal obeys. */
export function quote(text: string): string {
  const short = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return JSON.stringify(short).replaceAll(/[^ -~]/gu, (character) =>
    isPrint(character) ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

/** Returns the string that a Go literal in `"` or backquotes stands for, or undefined if it is not one. Bytes that are not UTF-8 become U+FFFD. */
export function unquote(literal: string): string | undefined {
  if (literal.length < 2) return undefined;
  if (literal.startsWith("`")) {
    return literal.indexOf("`", 1) === literal.length - 1 ? literal.slice(1, -1).replaceAll("\r", "") : undefined;
  }
  if (/^"[^"\\\n]*"$/.test(literal)) return literal.slice(1, -1);
  return literal.startsWith('"') && literal.endsWith('"') ? unescapeBytes(literal.slice(1, -1)) : undefined;
}

const simpleEscapes: Readonly<Record<string, number>> = {
  a: 0x07,
  b: 0x08,
  f: 0x0c,
  n: 0x0a,
  r: 0x0d,
  t: 0x09,
  v: 0x0b,
  "\\": 0x5c,
  '"': 0x22,
};

const numericEscape = /\\(?:x([0-9a-fA-F]{2})|([0-3][0-7]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/y;

/** `\xc3\xa9` is one letter, so the string is put together as bytes. They are never more than the escapes took. */
function unescapeBytes(inner: string): string | undefined {
  const bytes = Buffer.alloc(Buffer.byteLength(inner));
  let length = 0;
  for (let at = 0; at < inner.length; ) {
    const backslash = inner.indexOf("\\", at);
    const plain = inner.slice(at, backslash < 0 ? inner.length : backslash);
    if (/["\n]/.test(plain)) return undefined;
    length += bytes.write(plain, length);
    if (backslash < 0) break;
    const simple = simpleEscapes[inner[backslash + 1] ?? ""];
    if (simple !== undefined) {
      bytes[length++] = simple;
      at = backslash + 2;
      continue;
    }
    numericEscape.lastIndex = backslash;
    const match = numericEscape.exec(inner);
    if (match === null) return undefined;
    const [whole, hex, octal, short, long] = match;
    if (hex !== undefined) bytes[length++] = Number.parseInt(hex, 16);
    else if (octal !== undefined) bytes[length++] = Number.parseInt(octal, 8);
    else {
      const character = characterOf(Number.parseInt(short ?? long ?? "", 16));
      if (character === undefined) return undefined;
      length += bytes.write(character, length);
    }
    at = backslash + whole.length;
  }
  return bytes.toString("utf8", 0, length);
}

/** Surrogates and numbers above U+10FFFF are no characters. */
function characterOf(codePoint: number): string | undefined {
  if (codePoint > 0x10ffff || (codePoint >= 0xd800 && codePoint <= 0xdfff)) return undefined;
  return String.fromCodePoint(codePoint);
}
