// The lines of .gitattributes files, as git's attr.c reads them. Texts are byte strings: a character for each byte.

/** What a line says of an attribute: set, unset (`-text`), unspecified again (`!text`), or a value. */
export type AttributeState = true | false | undefined | string;

/** One line, its attributes in their order. */
export type AttributeLine =
  | { readonly pattern: string; readonly states: readonly (readonly [name: string, state: AttributeState])[] }
  | { readonly macro: string; readonly states: readonly (readonly [name: string, state: AttributeState])[] };

/** Bytes of a line that git ignores as too long. */
const longestLine = 2048;
const macroPrefix = "[attr]";

/**
 * The lines of a file that say something. git warns of those it cannot read and goes on, and so they are left out:
 * negative patterns, malformed attributes, and macros where `allowMacros` is false (below the root).
 */
export function* attributeLines(text: string, allowMacros: boolean): Generator<AttributeLine> {
  const end = text.indexOf("\0");
  for (const raw of (end < 0 ? text : text.slice(0, end)).split("\n")) {
    const line = parseLine(raw, allowMacros);
    if (line !== undefined) yield line;
  }
}

function parseLine(raw: string, allowMacros: boolean): AttributeLine | undefined {
  const line = raw.replace(/^[ \t\r]+/, "");
  if (line === "" || line.startsWith("#") || raw.length >= longestLine) return undefined;
  const { name, rest } = readName(line);
  const isMacro = name.startsWith(macroPrefix) && name.length > macroPrefix.length;
  if (isMacro && !allowMacros) return undefined;
  const states = readStates(rest);
  if (states === undefined) return undefined;
  if (!isMacro) return name.startsWith("!") ? undefined : { pattern: name, states };
  const macro = /[^ \t\r]*/.exec(name.slice(macroPrefix.length).replace(/^[ \t\r]+/, ""))?.[0] ?? "";
  return isName(macro) ? { macro, states } : undefined;
}

function readName(line: string): { readonly name: string; readonly rest: string } {
  const quoted = line.startsWith('"') ? unquote(line) : undefined;
  if (quoted !== undefined) return quoted;
  const end = line.search(/[ \t\r]/);
  return end < 0 ? { name: line, rest: "" } : { name: line.slice(0, end), rest: line.slice(end) };
}

const escapes: Readonly<Record<string, string>> = {
  ...{ a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" },
  ...{ "\\": "\\", '"': '"' },
};

/** A name in quotes with C's escapes; `undefined` when it is not properly quoted, and then the quote is part of it. */
function unquote(line: string): { readonly name: string; readonly rest: string } | undefined {
  let name = "";
  for (let at = 1; at < line.length; at++) {
    const character = line[at] ?? "";
    if (character === '"') return { name, rest: line.slice(at + 1) };
    if (character !== "\\") name += character;
    else {
      const octal = /^[0-3][0-7][0-7]/.exec(line.slice(at + 1, at + 4))?.[0];
      const escaped =
        octal === undefined ? escapes[line[at + 1] ?? ""] : String.fromCharCode(Number.parseInt(octal, 8));
      if (escaped === undefined) return undefined;
      name += escaped;
      at += octal === undefined ? 1 : 3;
    }
  }
  return undefined;
}

/** The attributes of a line; one that is malformed spoils them all. */
function readStates(text: string): readonly (readonly [string, AttributeState])[] | undefined {
  const states: (readonly [string, AttributeState])[] = [];
  for (const word of text.split(/[ \t\r]+/)) {
    if (word === "") continue;
    const sign = /^[-!]/.exec(word)?.[0];
    const equals = word.indexOf("=");
    const name = word.slice(sign === undefined ? 0 : 1, equals < 0 ? undefined : equals);
    if (!isName(name)) return undefined;
    states.push([name, sign === "-" ? false : sign === "!" ? undefined : equals < 0 ? true : word.slice(equals + 1)]);
  }
  return states;
}

function isName(name: string): boolean {
  return /^[.0-9A-Za-z_][-.0-9A-Za-z_]*$/.test(name);
}
