// git's patterns (wildmatch.c), matched in linear time. Texts and patterns are byte strings: a character for each byte.

import type { Budget } from "./attribute-error.ts";

/**
 * A state of the automaton. From `repeat` the same byte may come again; from `fork` what follows it may also be left out,
 * so many states of it.
 */
type State =
  | { readonly kind: "one"; readonly allows: Uint8Array }
  | { readonly kind: "repeat"; readonly allows: Uint8Array }
  | { readonly kind: "fork"; readonly skip: number };

/** What a pattern compiles to; `undefined` for one that matches nothing. */
export type Wildmatch = readonly State[] | undefined;

const slash = 0x2f;
const anyByte = new Uint8Array(256).fill(1);
const noSlash = withoutSlash(anyByte);

function withoutSlash(set: Uint8Array): Uint8Array {
  const copy = set.slice();
  copy[slash] = 0;
  return copy;
}

/** Compiles a pattern. `pathname`: only `**` matches a slash, as in patterns that have one. */
export function compile(pattern: string, pathname: boolean): Wildmatch {
  const states: State[] = [];
  for (let at = 0; at < pattern.length; ) {
    const character = pattern[at];
    if (character === "*") at = addStars(states, pattern, at, pathname);
    else if (character === "?") at = add(states, pathname ? noSlash : anyByte, at + 1);
    else if (character === "[") {
      const set = readSet(pattern, at);
      if (set === undefined) return undefined;
      at = add(states, pathname ? withoutSlash(set.allows) : set.allows, set.end);
    } else {
      const literal = character === "\\" ? at + 1 : at;
      if (literal === pattern.length) return undefined;
      at = add(states, only(pattern.charCodeAt(literal)), literal + 1);
    }
  }
  return states;
}

function add(states: State[], allows: Uint8Array, end: number): number {
  states.push({ kind: "one", allows });
  return end;
}

function only(byte: number): Uint8Array {
  const set = new Uint8Array(256);
  set[byte] = 1;
  return set;
}

function addStars(states: State[], pattern: string, start: number, pathname: boolean): number {
  let end = start;
  while (pattern[end] === "*") end++;
  const next = pattern[end];
  const alone = start === 0 || pattern[start - 1] === "/";
  const before = next === undefined || next === "/" || (next === "\\" && pattern[end + 1] === "/");
  const crosses = !pathname || (end - start > 1 && alone && before);
  // In "**/" the slash may be left out with the stars: it stands for no folder as well.
  if (pathname && crosses && next === "/") states.push({ kind: "fork", skip: 2 });
  states.push({ kind: "repeat", allows: crosses ? anyByte : noSlash });
  return end;
}

/** The set that begins with the bracket at `start`; `undefined` for one that never ends, which matches nothing. */
function readSet(pattern: string, start: number): { readonly allows: Uint8Array; readonly end: number } | undefined {
  let at = start + 1;
  const negated = pattern[at] === "!" || pattern[at] === "^";
  if (negated) at++;
  const set = new Uint8Array(256);
  let previous = -1;
  // The first character is part of the set, even a bracket that would close it.
  for (let first = true; first || pattern[at] !== "]"; first = false) {
    const item = readItem(pattern, at, previous);
    if (item === undefined) return undefined;
    item.add(set);
    ({ at, previous } = item);
  }
  const allows = negated ? set.map((bit) => 1 - bit) : set;
  return { allows, end: at + 1 };
}

interface Item {
  readonly add: (set: Uint8Array) => void;
  readonly at: number;
  /** The byte at which a range may begin, or -1. */
  readonly previous: number;
}

function readItem(pattern: string, at: number, previous: number): Item | undefined {
  const character = pattern[at];
  if (character === undefined) return undefined;
  const next = pattern[at + 1];
  if (character === "-" && previous > 0 && next !== undefined && next !== "]") return readRange(pattern, at, previous);
  if (character === "[" && next === ":") return readClass(pattern, at);
  const literal = character === "\\" ? at + 1 : at;
  if (literal === pattern.length) return undefined;
  const byte = pattern.charCodeAt(literal);
  return { add: (set) => set.fill(1, byte, byte + 1), at: literal + 1, previous: byte };
}

function readRange(pattern: string, dash: number, low: number): Item | undefined {
  const literal = pattern[dash + 1] === "\\" ? dash + 2 : dash + 1;
  if (literal === pattern.length) return undefined;
  const high = pattern.charCodeAt(literal);
  return { add: (set) => (low <= high ? set.fill(1, low, high + 1) : set), at: literal + 1, previous: -1 };
}

function readClass(pattern: string, bracket: number): Item | undefined {
  const end = pattern.indexOf("]", bracket + 2);
  if (end < 0) return undefined;
  const name = pattern.slice(bracket + 2, end - 1);
  if (end === bracket + 2 || pattern[end - 1] !== ":") {
    return { add: (set) => set.fill(1, 0x5b, 0x5c), at: bracket + 1, previous: 0x5b };
  }
  const members = Object.hasOwn(classes, name) ? classes[name] : undefined;
  if (members === undefined) return undefined;
  const add = (set: Uint8Array) => {
    for (let byte = 0; byte < 128; byte++) if (members.test(String.fromCharCode(byte))) set[byte] = 1;
  };
  return { add, at: end + 1, previous: -1 };
}

/** Of ASCII only, and by git's own table, in which form feed and vertical tab are no space. */
const classes: Readonly<Record<string, RegExp>> = {
  alnum: /[0-9A-Za-z]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  cntrl: /[\x00-\x1f\x7f]/,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t\r\n]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};

/** Reports whether the whole text matches: all states are followed at once, so that no pattern makes it try again. */
export function matches(wildmatch: Wildmatch, text: string, budget: Budget): boolean {
  if (wildmatch === undefined) return false;
  let here = new Uint8Array(wildmatch.length + 1);
  enter(wildmatch, here, 0);
  for (let at = 0; at < text.length; at++) {
    budget.spend(wildmatch.length + 1);
    const next = new Uint8Array(wildmatch.length + 1);
    if (!step(wildmatch, here, next, text.charCodeAt(at))) return false;
    here = next;
  }
  return here[wildmatch.length] === 1;
}

function step(states: readonly State[], here: Uint8Array, next: Uint8Array, byte: number): boolean {
  let alive = false;
  for (let i = 0; i < states.length; i++) {
    const state = states[i];
    if (here[i] !== 1 || state === undefined || state.kind === "fork" || state.allows[byte] !== 1) continue;
    enter(states, next, state.kind === "repeat" ? i : i + 1);
    alive = true;
  }
  return alive;
}

/** Marks a state and all that are reached from it without a byte. */
function enter(states: readonly State[], marks: Uint8Array, index: number): void {
  for (let i = index; marks[i] !== 1; i++) {
    marks[i] = 1;
    const state = states[i];
    if (state === undefined || state.kind === "one") return;
    if (state.kind === "fork") enter(states, marks, i + 1 + state.skip);
  }
}
