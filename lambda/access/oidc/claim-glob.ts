/**
 * True when a glob fits all of a text. `*` stands for any text, also none, and crosses slashes; nothing else is special:
 * `"refs/heads/release-*"`, `"*@corp.example"`.
 *
 * Each piece between two stars is found at its first place behind the one before, which is never worse than a later one:
 * no choice is ever taken back.
 */
export function matchGlob(glob: string, text: string): boolean {
  const [first = "", ...rest] = glob.split("*");
  const last = rest.pop();
  if (last === undefined) return text === glob;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}
