// x/mod's MatchPrefixPatterns and the path.Match under it, for the edge, which may import nothing of lambda/golang.
// A test holds one against the other.

/**
 * True when one of the comma-separated patterns (GOPRIVATE syntax) matches a leading run of the module path's elements:
 * `"corp.example/*"` covers `"corp.example/tools/v2"`. A malformed pattern matches nothing.
 */
export function coversModule(patterns: string, module: string): boolean {
  const elements = module.split("/");
  return patterns.split(",").some((pattern) => {
    const glob = pattern.replace(/\/$/, "");
    const count = glob.split("/").length;
    return glob !== "" && elements.length >= count && matchGlob(glob, elements.slice(0, count).join("/"));
  });
}

/** Only the latest star is tried again, as in path.Match: the time is bounded by pattern length times name length. */
function matchGlob(pattern: string, name: string): boolean {
  let p = 0;
  let n = 0;
  let star = -1;
  let starred = 0;
  while (p < pattern.length || n < name.length) {
    if (pattern[p] === "*") {
      star = p++;
      starred = n;
      continue;
    }
    const next = n < name.length ? matchOne(pattern, p, name[n] as string) : 0;
    if (next > 0) {
      p = next;
      n++;
      continue;
    }
    if (star < 0 || starred >= name.length || name[starred] === "/") return false;
    n = ++starred;
    p = star + 1;
  }
  return true;
}

/** Returns the index after the piece of the pattern that matches this one character, or 0. */
function matchOne(pattern: string, at: number, character: string): number {
  const first = pattern[at];
  if (first === "[") return matchClass(pattern, at, character);
  if (first === "?") return character === "/" ? 0 : at + 1;
  const literal = first === "\\" ? at + 1 : at;
  return pattern[literal] === character ? literal + 1 : 0;
}

/** Of a range, the ends are the last characters of what may be escaped; a class that path.Match finds malformed is none. */
function matchClass(pattern: string, at: number, character: string): number {
  const found = /^\[(\^|(?!\^))((?:(?:\\.|[^\\\]-])(?:-(?:\\.|[^\\\]-]))?)+)\]/.exec(pattern.slice(at));
  if (!found) return 0;
  let matched = false;
  (found[2] as string).replace(/\\?(.)(?:-\\?(.))?/g, (range, low, high) => {
    if (low <= character && character <= (high || low)) matched = true;
    return range;
  });
  return matched === (found[1] === "") ? at + found[0].length : 0;
}
