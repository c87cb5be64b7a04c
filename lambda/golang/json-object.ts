// How Go's encoding/json reads an object into a struct, where JSON.parse would answer otherwise: names are compared without
// case, each member in its turn sets its field, so that the last one counts, and null leaves a field as it is.

import { CodedError } from "./coded-error.ts";

/** Thrown with `invalid-json` for what is not one JSON object, or is nested more deeply than Go reads. */
export class JsonError extends CodedError<"invalid-json"> {}

/** A member of an object: its name as `foldName` has it, and its value as JSON text. */
export interface JsonMember {
  readonly name: string;
  readonly value: string;
}

/** encoding/json's maxNestingDepth. */
const deepest = 10_000;

/**
 * Returns the name as it is compared: encoding/json's foldName, as far as names of ASCII letters can be meant.
 *
 * Two characters beyond ASCII fold to one in it: the Kelvin sign, and the long s.
 */
export function foldName(name: string): string {
  return name
    .replaceAll("\u017f", "s")
    .replaceAll("\u212a", "k")
    .replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/**
 * Returns the members of the JSON object that `text` is, in their order and with all that occur twice; of `null` none.
 *
 * Time and memory are linear in the text, however deep and wide it is.
 */
export function jsonMembers(text: string): readonly JsonMember[] {
  try {
    if (JSON.parse(text) === null) return [];
  } catch (cause) {
    throw new JsonError("invalid-json", "is not JSON", { cause });
  }
  const start = afterSpace(text, 0);
  if (text[start] !== "{") throw new JsonError("invalid-json", "is not a JSON object");
  return readMembers(text, start);
}

/** The text is known to be JSON, so that only the ends of things have to be found. */
function readMembers(text: string, start: number): readonly JsonMember[] {
  const members: JsonMember[] = [];
  for (let at = afterSpace(text, start + 1); text[at] !== "}"; ) {
    const nameEnd = endOfString(text, at);
    const valueStart = afterSpace(text, afterSpace(text, nameEnd) + ":".length);
    const valueEnd = endOfValue(text, valueStart);
    const name = foldName(JSON.parse(text.slice(at, nameEnd)));
    members.push({ name, value: text.slice(valueStart, valueEnd).trimEnd() });
    at = text[valueEnd] === "," ? afterSpace(text, valueEnd + 1) : valueEnd;
  }
  return members;
}

function afterSpace(text: string, start: number): number {
  let at = start;
  while (" \t\r\n".includes(text[at] ?? "x")) at++;
  return at;
}

const [quote, backslash] = [0x22, 0x5c];

function endOfString(text: string, start: number): number {
  for (let at = start + 1; ; at++) {
    const unit = text.charCodeAt(at);
    if (unit === quote) return at + 1;
    if (unit === backslash) at++;
  }
}

/** Where the comma or brace stands that ends the value. */
function endOfValue(text: string, start: number): number {
  let depth = 1;
  for (let at = start; ; at++) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at) - 1;
    else if (character === "{" || character === "[") depth++;
    else if (depth === 1 && (character === "," || character === "}")) return at;
    else if (character === "}" || character === "]") depth--;
    if (depth > deepest) throw new JsonError("invalid-json", "is nested too deeply");
  }
}
