import { type Steps, stepsPerTurn } from "../../../golang/steps.ts";
import { Absence } from "./absence.ts";
import { MarkupError, tagsOf } from "./markup.ts";

/** One `<meta name="go-import" content="prefix vcs root [directory]">` of a page. */
export interface GoImport {
  readonly prefix: string;
  readonly system: string;
  readonly root: string;
  readonly directory: string;
}

/**
 * What a page says of its repositories, those that a module proxy has first (parseMetaGoImports of
 * cmd/go/internal/vcs/discovery.go).
 *
 * Only the head counts, and of what is malformed all that was before it. Throws `MarkupError` when nothing was. `page` has
 * a character for each byte.
 */
export function* goImports(page: string): Steps<readonly GoImport[]> {
  const found: GoImport[] = [];
  let steps = 0;
  try {
    for (const tag of tagsOf(page)) {
      if (++steps % stepsPerTurn === 0) yield;
      if (tag === undefined) continue;
      const name = tag.name.toLowerCase();
      if ((tag.kind === "start" && name === "body") || (tag.kind === "end" && name === "head")) break;
      if (tag.kind === "start" && name === "meta") found.push(...importOf(tag.attributes));
    }
  } catch (error) {
    if (!(error instanceof MarkupError) || found.length === 0) throw error;
  }
  const proxies = found.filter(({ system }) => system === "mod");
  const shadowed = new Set(proxies.map(({ prefix }) => prefix));
  return [...proxies, ...found.filter(({ system, prefix }) => system !== "mod" && !shadowed.has(prefix))];
}

function importOf(attributes: readonly (readonly [string, string])[]): readonly GoImport[] {
  const value = (wanted: string) => attributes.find(([name]) => name.toLowerCase() === wanted)?.[1] ?? "";
  if (value("name") !== "go-import") return [];
  const fields = value("content")
    .split(/[\s\x85]+/)
    .filter((field) => field !== "");
  const [prefix = "", system = "", root = "", directory = ""] = fields;
  return fields.length === 3 || fields.length === 4 ? [{ prefix, system, root, directory }] : [];
}

/** The one of them that is about the module. Throws `Absence` where there is none, or more than one. */
export function matchingImport(imports: readonly GoImport[], path: string): GoImport {
  const matching = imports.filter(
    ({ prefix }) => path === prefix || path.startsWith(prefix.endsWith("/") ? prefix : `${prefix}/`),
  );
  const [first, second] = matching;
  if (first === undefined) throw new Absence(`no go-import meta tags for ${path}`);
  // Proxies come first, and where one is named nothing behind them counts.
  if (second !== undefined && !(first.system === "mod" && second.system !== "mod")) {
    throw new Absence(`multiple meta tags match import path "${path}"`);
  }
  return first;
}
