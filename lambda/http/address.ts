import { unescapeLetters } from "../edge/routed-path.ts";

/** What the parameters of an address stand for in a path: `{ module: "github.com/Azure/x", version: "v1.0.0" }`. */
export type Parameters = Readonly<Record<string, string>>;

/** Returns the parameters of a canonical path, or undefined where the path is not of the address. */
export type AddressMatcher = (path: string) => Parameters | undefined;

/** How the parameters are written that are more than one plain element: their names say what they are. */
const forms: Readonly<Record<string, string>> = {
  module: "[^@]+",
  version: "[^/@]+",
  path: ".+",
};

/** A module path and a version come escaped (`!azure`), as in the module protocol. */
const escaped: ReadonlySet<string> = new Set(["module", "version"]);

/**
 * Returns the matcher of an address: literal text, parameters in angle brackets, and parts that may be absent in square
 * ones. `"/-/api/blocks/<module>[@<version>]"` takes `"/-/api/blocks/github.com/!azure/x@v1.0.0"`.
 *
 * `<module>` is elements without `@`, `<version>` one element, `<path>` whatever is left, any other name one element.
 * Paths are whatever a client sends, so no two parameters may meet without a character between them that the first
 * cannot have: then matching takes linear time.
 */
export function matchAddress(address: string): AddressMatcher {
  const pattern = new RegExp(`^${sourceOf(address)}$`, "s");
  return (path) => {
    const found = pattern.exec(path);
    return found === null ? undefined : readParameters(found.groups ?? {});
  };
}

function sourceOf(address: string): string {
  return address.replace(/<(\w+)>|(\[)|(\])|[\\^$.*+?(){}|]/g, (text, name?: string, open?: string, close?: string) => {
    if (name !== undefined) return `(?<${name}>${forms[name] ?? "[^/]+"})`;
    if (open !== undefined) return "(?:";
    return close === undefined ? `\\${text}` : ")?";
  });
}

function readParameters(groups: Readonly<Record<string, string | undefined>>): Parameters | undefined {
  const parameters: Record<string, string> = {};
  for (const [name, text] of Object.entries(groups)) {
    if (text === undefined) continue;
    const value = escaped.has(name) ? unescapeLetters(text) : text;
    if (value === undefined) return undefined;
    parameters[name] = value;
  }
  return parameters;
}
