import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { HandlerName } from "../../lambda/config/env.ts";
import { inspectBundle } from "../../lib/bundle.ts";

// Which calls of AWS a bundle can make: read off the sources that are in it, because a class brings all its methods along.

const root = join(import.meta.dirname, "../..");

/** A function or method by its name, or `undefined` for what runs when a module is loaded. */
interface Part {
  readonly name: string | undefined;
  readonly isMethod: boolean;
  readonly text: string;
}

const begins =
  /^(?:(?:export )?(?:async )?function\*? (\w+)| {2}(?:async )?(?:static )?\*?(#?\w+)(?:<[^>]*>)?\((?!.*;$))/;

/** The parts of a source as the formatter lays it out: what begins at the edge of the file or of a class ends there. */
function partsOf(source: string): readonly Part[] {
  const parts: Part[] = [];
  const loaded: string[] = [];
  let open: { readonly name: string; readonly indent: string; readonly lines: string[] } | undefined;
  for (const line of source.split("\n")) {
    const begun = begins.exec(line);
    const name = begun?.[1] ?? begun?.[2];
    if (open === undefined && name !== undefined && !["if", "for", "while", "switch", "constructor"].includes(name))
      open = { name, indent: begun?.[1] === undefined ? "  " : "", lines: [] };
    (open?.lines ?? loaded).push(line);
    // A method of an interface, over more than one line, has no body.
    if (open?.indent === "  " && /^ {2}\).*;$/.test(line)) open = undefined;
    if (open === undefined || line !== `${open.indent}}`) continue;
    parts.push({ name: open.name, isMethod: open.indent !== "", text: open.lines.join("\n") });
    open = undefined;
  }
  if (open !== undefined) throw new Error(`${open.name} does not end`);
  const text = loaded.join("\n").replace(/^import [^;]*;/gm, "");
  return [...parts, { name: undefined, isMethod: false, text }];
}

/** The names of the commands that can be sent by a bundle: `"PutObject"`; of a method that nobody calls by name none. */
export function sentCommands(handler: HandlerName): readonly string[] {
  const { outputs } = inspectBundle(handler).metafile;
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  const own = inputs.filter(([path, { bytesInOutput }]) => path.startsWith("lambda/") && bytesInOutput > 0);
  const waiting = new Set(
    own.flatMap(([path]) => partsOf(readFileSync(join(root, path), "utf8").replace(/^ *(?:\/\/|\/?\*).*\n/gm, ""))),
  );
  let reached = "";
  for (let before = -1; before !== waiting.size; ) {
    before = waiting.size;
    for (const part of waiting) {
      if (part.name !== undefined && !mentions(reached, part)) continue;
      // Its own name, where it is declared, is no call.
      reached += part.text.replace(part.name === undefined ? /$^/ : part.name, "");
      waiting.delete(part);
    }
  }
  const sent = [...reached.matchAll(/new (\w+)Command\(|\bpaginate(\w+)\(/g)].map(
    (match) => match[1] ?? match[2] ?? "",
  );
  return [...new Set(sent)].sort();
}

/** Methods are called with a dot; functions without one, handed on, or spread with three. */
function mentions(text: string, { name = "", isMethod }: Part): boolean {
  return new RegExp(isMethod ? `\\.${name}[(<]` : `(?<![\\w#]|(?<!\\.\\.)\\.)${name}(?!\\w)`).test(text);
}
