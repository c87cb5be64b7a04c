import { Budget } from "./attribute-error.ts";
import { type AttributeLine, type AttributeState, attributeLines } from "./attribute-line.ts";
import { type AttributePattern, attributePattern } from "./attribute-pattern.ts";

/** The attributes that decide how a file's content is converted. */
export type ConversionAttribute = "crlf" | "eol" | "ident" | "text" | "working-tree-encoding";

/** What is said of a file; an attribute that nothing is said of, or that was unspecified again, is absent. */
export type ConversionAttributes = Readonly<Partial<Record<ConversionAttribute, true | false | string>>>;

const relevant: ReadonlySet<string> = new Set<ConversionAttribute>([
  ...(["crlf", "eol", "ident", "text", "working-tree-encoding"] as const),
]);

/** Comparisons, states and bytes for all files of a commit: about a second. */
const work = 300_000_000;

type States = AttributeLine["states"];

interface Rule {
  readonly matches: AttributePattern;
  readonly states: States;
}

const none: ConversionAttributes = {};

/**
 * The attributes of a commit's files, out of the `.gitattributes` files in all of its folders.
 *
 * Deeper folders come first, later lines first, and within a line later attributes; a macro stands for what it is defined
 * as in the root. What a machine's git has in its own configuration says nothing here.
 */
export class Attributes {
  /** By folder, `""` or `"sub/dir/"`; the last line first. */
  readonly #rules = new Map<string, readonly Rule[]>();
  readonly #macros = new Map<string, States>([["binary", [["text", false]]]]);
  readonly #budget = new Budget(work);

  /** `files`: content by folder, `""` or `"sub/dir/"`; byte strings all. */
  constructor(files: ReadonlyMap<string, string>) {
    for (const [folder, text] of files) this.#add(folder, [...attributeLines(text, folder === "")]);
    for (const [folder, rules] of this.#rules) {
      const kept = rules.filter(({ states }) => states.some(([name]) => relevant.has(name) || this.#macros.has(name)));
      if (kept.length > 0) this.#rules.set(folder, kept);
      else this.#rules.delete(folder);
    }
  }

  #add(folder: string, lines: readonly AttributeLine[]): void {
    const rules: Rule[] = [];
    for (const line of lines) {
      this.#budget.spend(1 + line.states.length);
      if ("macro" in line) this.#macros.set(line.macro, line.states);
      else rules.push({ matches: attributePattern(line.pattern), states: line.states });
    }
    this.#rules.set(folder, rules.reverse());
  }

  /** What is said of the file at `path`. Throws `AttributeError` "attributes-too-costly" when that took too much work. */
  of(path: string): ConversionAttributes {
    if (this.#rules.size === 0) return none;
    const found = new Map<string, AttributeState>();
    for (let slash = path.lastIndexOf("/"); ; slash = path.lastIndexOf("/", slash - 1)) {
      this.#apply(path.slice(0, slash + 1), path.slice(slash + 1), found);
      if (slash < 0) break;
    }
    const said = [...found].filter(([name, state]) => relevant.has(name) && state !== undefined);
    return Object.fromEntries(said);
  }

  #apply(folder: string, name: string, found: Map<string, AttributeState>): void {
    for (const { matches, states } of this.#rules.get(folder) ?? []) {
      if (matches(name, this.#budget)) this.#fill(states, found);
    }
  }

  #fill(states: States, found: Map<string, AttributeState>): void {
    // A stack instead of a recursion: macros may stand for macros, as deep as there are lines.
    const open = [...states];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const [name, state] = next;
      if (found.has(name)) continue;
      this.#budget.spend(1);
      found.set(name, state);
      if (state === true) open.push(...(this.#macros.get(name) ?? []));
    }
  }
}
