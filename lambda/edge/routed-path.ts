import type { ProtocolRouteName, RouteName } from "./routes.ts";

/** A path taken apart, once: who finds the route hands this on, so that nobody behind it reads the path again. */
export interface RoutedPath {
  readonly route: RouteName;
  /** The canonical path: escaped as in the module protocol, without percent forms: `/github.com/!azure/x/@v/list`. */
  readonly path: string;
  /** The module path with its upper-case letters: `github.com/Azure/x`. Not checked beyond its escapes. */
  readonly module?: string | undefined;
  /** The version or query of info, mod, zip and checksum lookups, unescaped, without the file type. */
  readonly version?: string | undefined;
  /** The channel that the received path named: `"/~canary"`, which is no part of `path`, or empty. */
  named?: string;
  /** Whether the module is private, where that has been looked at. */
  hidden?: boolean | undefined;
}

/** Why a path has no route: the reason is a sentence for the person who sent it. */
export interface PathFault {
  readonly status: 400 | 404;
  readonly reason: string;
}

export const malformed = "the path is malformed, or has a character that no module path has";

export const nowhere: PathFault = { status: 404, reason: "this is not a path of the module proxy protocol" };

export function bad(reason: string): PathFault {
  return { status: 400, reason };
}

/**
 * Returns a received path with its percent forms decoded once, or undefined where that would not be the same path: an
 * encoded slash, forms that are malformed or not UTF-8, and bytes that a client must encode.
 */
export function decodePath(path: string): string | undefined {
  if (/[^\x21-\x7e]/.test(path)) return undefined;
  if (path.indexOf("%") < 0) return path;
  if (/%2f/i.test(path)) return undefined;
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** Returns a canonical path as a URI that CloudFront, S3 and browsers read back as the same path: `+` becomes `%2B`. */
export function encodePath(path: string): string {
  return encodeURI(path).replace(/[+#]/g, encodeURIComponent);
}

/** The page at `/` has another address, because the API's routes end in `{path+}`, which needs an element. */
export const pagePath = "/-/page";

/**
 * Finds the route of a path whose percent forms are decoded as `routePath` does, behind the name of a channel maybe:
 * `"/~canary/a.b/@v/list"`. Below a name there is only the module protocol.
 */
export function routeChannelled(path: string): RoutedPath | PathFault {
  const end = path[1] === "~" ? path.indexOf("/", 1) : 0;
  const found = routePath(path.slice(end));
  if ("reason" in found) return found;
  found.named = path.slice(0, end);
  return end && found.route === "site" ? nowhere : found;
}

/**
 * Finds the route of a path whose percent forms are decoded, or says why there is none.
 *
 * It refuses what cannot be an escaped path (x/mod's UnescapePath: upper case, a stray `!`), `.` and `..` elements and
 * whatever no store can hold. The complete rules for module paths and versions are lambda/golang's.
 */
export function routePath(path: string): RoutedPath | PathFault {
  if (path === "/" || path === pagePath) return { route: "site", path: "/" };
  const unsound = checkElements(path);
  if (unsound) return bad(unsound);
  if (path.startsWith("/-/")) return { route: "site", path };
  if (path.startsWith("/sumdb/")) return routeChecksums(path);
  // "@" cannot occur in a module path, so the first "/@" ends it.
  const at = path.indexOf("/@");
  if (at < 1) return nowhere;
  const file = /^(?:v\/([^/]+)\.(info|mod|zip)|v\/(list)|(latest))$/.exec(path.slice(at + 2));
  if (!file) return nowhere;
  return routeModule((file[2] || file[3] || file[4]) as ProtocolRouteName, path, path.slice(1, at), file[1]);
}

/** Only lookups name a module; heads and tiles belong to all of a database's modules. */
function routeChecksums(path: string): RoutedPath | PathFault {
  const lookup = path.indexOf("/lookup/", "/sumdb".length);
  if (lookup < 0) return { route: "sumdb", path };
  const key = path.slice(lookup + "/lookup/".length);
  const at = key.indexOf("@");
  if (at < 1 || key.indexOf("/", at) >= 0) return bad("a lookup is /lookup/module@version");
  return routeModule("sumdb", path, key.slice(0, at), key.slice(at + 1));
}

function routeModule(
  route: ProtocolRouteName,
  path: string,
  escapedModule: string,
  escapedVersion: string | undefined,
): RoutedPath | PathFault {
  const module = unescapeLetters(escapedModule);
  const version = escapedVersion && unescapeLetters(escapedVersion);
  if (module === undefined || (version === undefined && escapedVersion !== undefined)) {
    return bad("upper-case letters are written as ! and the lower-case letter");
  }
  return { route, path, module, version };
}

/** Returns what is wrong with a path as a key: file names end at 255 bytes of UTF-8, S3 keys at 1,024. */
function checkElements(path: string): string | undefined {
  if (/\/\.{0,2}(?:\/|$)/.test(path)) return "the path has an empty, . or .. element";
  if (/[\x00-\x1f\x7f-\x9f\\?]/.test(path)) return malformed;
  if (!/^[\x00-\x7f]{0,255}$/.test(path)) {
    const bytes = encodeURI(path).replace(/%../g, "x");
    if (/[^/]{256}/.test(bytes)) return "a path element is longer than 255 bytes";
    if (bytes.length > 1 + 1024) return "the path is longer than 1,024 bytes";
  }
  // A "%" that is left after decoding was encoded twice, but in a query: a branch may be called "100%".
  return /%(?![^/]*\.info$)/.test(path) ? malformed : undefined;
}

/** Returns an escaped path or version with its upper-case letters, or undefined where x/mod finds the escape malformed. */
export function unescapeLetters(escaped: string): string | undefined {
  if (/[A-Z]|!(?![a-z])/.test(escaped)) return undefined;
  if (escaped.indexOf("!") < 0) return escaped;
  return escaped.replace(/![a-z]/g, (pair) => pair.charAt(1).toUpperCase());
}
