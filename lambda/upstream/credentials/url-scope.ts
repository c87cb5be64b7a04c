/** A host, and maybe a path below it, as a rule names them: `"git.corp.example/team"`. */
export interface UrlScope {
  /** As `URL` has it: in lower case, with the port where it is not the usual one. */
  readonly host: string;
  readonly elements: readonly string[];
}

/** Reads `"host"` or `"host/path"`, without a scheme; `undefined` for anything else. */
export function parseScope(text: string): UrlScope | undefined {
  if (!/^[^\s\\/?#@%:[\]]*(?:\[[0-9a-fA-F:.]+\])?(?::\d{1,5})?(?:\/[^\s\\?#@]*)?$/.test(text)) return undefined;
  const url = URL.canParse(`https://${text}`) ? new URL(`https://${text}`) : undefined;
  if (url === undefined || url.hostname === "") return undefined;
  const elements = pathElements(url);
  // What URL repaired would match something else than was written.
  const written = text.split("/").slice(1).join("/").replace(/\/$/, "");
  return elements.join("/") === written && !elements.includes("") ? { host: url.host, elements } : undefined;
}

/** The one spelling of a scope: `"git.corp.example/team"` of `"GIT.corp.example:443/team/"`. */
export function formatScope({ host, elements }: UrlScope): string {
  return [host, ...elements].join("/");
}

/**
 * True when a URL lies in the scope, by whole elements of its path; the last of a scope also names a repository that is
 * spelt with `.git`.
 */
export function isInScope(url: URL, { host, elements }: UrlScope): boolean {
  if (url.host !== host) return false;
  const path = pathElements(url);
  const last = elements.length - 1;
  return elements.every((element, i) => path[i] === element || (i === last && path[i] === `${element}.git`));
}

function pathElements(url: URL): string[] {
  const path = url.pathname.replace(/^\//, "").replace(/\/$/, "");
  return path === "" ? [] : path.split("/");
}
