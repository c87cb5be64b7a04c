import { fixedPaths, type RouteName } from "./routes.ts";

/** A path taken apart, once: who finds the route hands this on, so that nobody behind it reads the path again. */
export interface RoutedPath {
  readonly route: RouteName;
  /** The canonical path: escaped as in the module protocol, without percent forms: `/github.com/!azure/x/@v/list`. */
  readonly path: string;
  /** The module path with its upper-case letters: `github.com/Azure/x`. Not checked beyond its escapes. */
  readonly module?: string | undefined;
  /** The version or query of info, mod, zip and checksum lookups, unescaped, without the file type. */
  readonly version?: string | undefined;
}

/** Why a path has no route: the reason is a sentence for the person who sent it. */
export interface PathFault {
  readonly code: "bad-request" | "not-found";
  readonly reason: string;
}

export const malformed = "the path is malformed, or has a character that no module path has";

const nowhere: PathFault = { code: "not-found", reason: "this is not a path of the module proxy protocol" };

function bad(reason: string): PathFault {
  return { code: "bad-request", reason };
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

/**
 * Finds the route of a path whose percent forms are decoded, or says why there is none.
 *
 * It refuses what cannot be an escaped path (x/mod's UnescapePath: upper case, a stray `!`), `.` and `..` elements and
 * whatever no store can hold. The complete rules for module paths and versions are lambda/golang's.
 */
export function routePath(path: string): RoutedPath | PathFault {
  const fixed = fixedPaths[path];
  if (fixed !== undefined) return { route: fixed, path };
  const unsound = checkElements(path);
  if (unsound !== undefined) return bad(unsound);
  if (path.startsWith("/-/")) return nowhere;
  if (path.startsWith("/sumdb/")) return routeChecksums(path);
  // "@" cannot occur in a module path, so the first "/@" ends it.
  const at = path.indexOf("/@");
  if (at < 1) return nowhere;
  const module = unescapeLetters(path.slice(1, at));
  if (module === undefined) return badEscape;
  const rest = path.slice(at + 2);
  if (rest === "latest") return { route: "latest", path, module };
  if (rest === "v/list") return { route: "list", path, module };
  return rest.startsWith("v/") ? routeFile(path, module, rest.slice(2)) : nowhere;
}

const badEscape = bad("upper-case letters are written as ! and the lower-case letter");

function routeFile(path: string, module: string, file: string): RoutedPath | PathFault {
  const match = /^([^/]+)\.(info|mod|zip)$/.exec(file);
  if (match === null) return nowhere;
  const version = unescapeLetters(match[1] as string);
  return version === undefined ? badEscape : { route: match[2] as RouteName, path, module, version };
}

/** Only lookups name a module; heads and tiles belong to all of a database's modules. */
function routeChecksums(path: string): RoutedPath | PathFault {
  const lookup = path.indexOf("/lookup/", "/sumdb".length);
  if (lookup < 0) return { route: "sumdb", path };
  const key = path.slice(lookup + "/lookup/".length);
  const at = key.indexOf("@");
  if (at < 1 || key.indexOf("/", at) >= 0) return bad("a lookup is /lookup/module@version");
  const module = unescapeLetters(key.slice(0, at));
  const version = unescapeLetters(key.slice(at + 1));
  if (module === undefined || version === undefined) return badEscape;
  return { route: "sumdb", path, module, version };
}

/** Returns what is wrong with a path as a key: file names end at 255 bytes of UTF-8, S3 keys at 1,024. */
function checkElements(path: string): string | undefined {
  if (/\/\.{0,2}(?:\/|$)/.test(path)) return "the path has an empty, . or .. element";
  // A "%" that is left after decoding was encoded twice.
  if (/[\x00-\x1f\x7f-\x9f\\?%]/.test(path)) return malformed;
  if (/^[\x00-\x7f]{0,255}$/.test(path)) return undefined;
  const bytes = encodeURI(path).replace(/%../g, "x");
  if (/[^/]{256}/.test(bytes)) return "a path element is longer than 255 bytes";
  return bytes.length > 1 + 1024 ? "the path is longer than 1,024 bytes" : undefined;
}

/** Returns an escaped path or version with its upper-case letters, or undefined where x/mod finds the escape malformed. */
function unescapeLetters(escaped: string): string | undefined {
  if (/[A-Z]|!(?![a-z])/.test(escaped)) return undefined;
  if (escaped.indexOf("!") < 0) return escaped;
  return escaped.replace(/![a-z]/g, (pair) => pair.charAt(1).toUpperCase());
}
