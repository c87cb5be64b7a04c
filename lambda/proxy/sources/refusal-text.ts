const maxLines = 6;
const maxBytes = 500;

/**
 * What an upstream's text may say to the person at the `go` command: its first lines up to a blank one, printable, at
 * most 500 bytes of UTF-8; `undefined` when nothing is left or when it is a page for browsers.
 *
 * The text is the upstream's, thus hostile: it ends in terminals, where control and format characters (escape sequences,
 * bidirectional overrides) could rewrite what was printed before.
 */
export function refusalText(text: string): string | undefined {
  if (/<(!doctype|html|head|body|script)\b/i.test(text)) return undefined;
  const lines: string[] = [];
  for (const raw of text.slice(0, 8 * maxBytes).split(/\r\n|\r|\n/)) {
    const line = raw.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ").trim();
    if (line === "" && lines.length > 0) break;
    if (line !== "") lines.push(line);
    if (lines.length === maxLines) break;
  }
  return shorten(lines.join("\n")) || undefined;
}

function shorten(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  let end = maxBytes - 3;
  // Never in the middle of a character: bytes 10xxxxxx continue one.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return `${bytes.subarray(0, end).toString("utf8")}...`;
}
