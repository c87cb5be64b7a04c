// x/mod's MatchPrefixPatterns and the path.Match under it, for the edge, which may import nothing of lambda/golang.
// A test holds one against the other.

/**
 * True when one of the comma-separated patterns (GOPRIVATE syntax) matches a leading run of the module path's elements:
 * `"corp.example/*"` covers `"corp.example/tools/v2"`. A malformed pattern matches nothing.
 */
export function coversModule(patterns: string, module: string): boolean {
  if (patterns === "") return false;
  const globs = patterns.split(",");
  for (let i = 0; i < globs.length; i++) {
    const glob = (globs[i] as string).replace(/\/$/, "");
    const prefix = glob === "" ? undefined : leadingElements(module, glob.split("/").length);
    if (prefix !== undefined && matchGlob(glob, prefix)) return true;
  }
  return false;
}

function leadingElements(path: string, count: number): string | undefined {
  let end = -1;
  for (let i = 0; i < count; i++) {
    if (end === path.length) return undefined;
    const slash = path.indexOf("/", end + 1);
    end = slash < 0 ? path.length : slash;
  }
  return path.slice(0, end);
}

/** Only the latest star is tried again, as in path.Match: the time is bounded by pattern length times name length. */
function matchGlob(pattern: string, name: string): boolean {
  let p = 0;
  let n = 0;
  let star = -1;
  let starred = 0;
  while (p < pattern.length || n < name.length) {
    if (pattern.charAt(p) === "*") {
      star = p++;
      starred = n;
      continue;
    }
    const next = p < pattern.length && n < name.length ? matchOne(pattern, p, name.charAt(n)) : 0;
    if (next > 0) {
      p = next;
      n++;
      continue;
    }
    if (star < 0 || starred >= name.length || name.charAt(starred) === "/") return false;
    n = ++starred;
    p = star + 1;
  }
  return true;
}

/** Returns the index after the piece of the pattern that matches this one character, or 0. */
function matchOne(pattern: string, at: number, character: string): number {
  const first = pattern.charAt(at);
  if (first === "[") return matchClass(pattern, at + 1, character);
  if (first === "?") return character === "/" ? 0 : at + 1;
  const literal = first === "\\" ? at + 1 : at;
  return pattern.charAt(literal) === character ? literal + 1 : 0;
}

function matchClass(pattern: string, start: number, character: string): number {
  const negated = pattern.charAt(start) === "^";
  let matched = false;
  let at = negated ? start + 1 : start;
  for (let ranges = 0; ; ranges++) {
    if (ranges > 0 && pattern.charAt(at) === "]") return matched !== negated ? at + 1 : 0;
    const low = classEnd(pattern, at);
    if (low === 0) return 0;
    let high = low;
    if (pattern.charAt(low) === "-") high = classEnd(pattern, low + 1);
    if (high === 0) return 0;
    if (pattern.charAt(low - 1) <= character && character <= pattern.charAt(high - 1)) matched = true;
    at = high;
  }
}

/** Returns the index after one, maybe escaped, character of a class, or 0 where path.Match finds it malformed. */
function classEnd(pattern: string, at: number): number {
  const first = pattern.charAt(at);
  if (first === "" || first === "-" || first === "]") return 0;
  return first === "\\" ? at + 2 : at + 1;
}
