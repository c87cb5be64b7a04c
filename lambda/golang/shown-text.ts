// Text of others, made fit for a terminal and a log.

/** Most characters that are shown of a text. */
export const longestShown = 1200;

/**
 * The text as one bounded line without control and format characters: they could move the cursor, write lines of their
 * own, or turn the direction of what stands beside them.
 */
export function printable(text: string, longest = longestShown): string {
  return text.slice(0, longest).replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, "?");
}

/**
 * One line of text without all from its first `//` to its last `@`: a URL may carry credentials, and a password a slash,
 * a blank or another `@`. What is hidden besides is no loss in a line that says what is wrong.
 */
export function withoutCredentials(text: string): string {
  const start = text.indexOf("//");
  const end = text.lastIndexOf("@");
  return start < 0 || end < start ? text : text.slice(0, start + 2) + text.slice(end + 1);
}

/** The text with each token of ours in it cut off after its beginning: people send one where its id or a name is asked for. */
export function withoutTokens(text: string): string {
  return text.replace(/mf_[\w-]{20,}(?:\.[\w-]*)?/g, "mf_");
}
