import { UpstreamFailure } from "../../proxy/sources/upstream.ts";

const statuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** True for the statuses whose `Location` is followed; 304 and 300 lead nowhere by themselves. */
export function isRedirect(status: number): boolean {
  return statuses.has(status);
}

/**
 * The URL that the `Location` headers of an answer lead to, of which there is to be one.
 *
 * The header is the upstream's and parsed strictly: printable ASCII without spaces and backslashes (URL would repair them), http or
 * https, no credentials, and from https to http only where `mayDowngrade` trusts the target.
 * Throws `UpstreamFailure` "redirects".
 */
export function redirectTarget(locations: readonly string[], from: URL, mayDowngrade: (target: URL) => boolean): URL {
  const wrong = (what: string) => new UpstreamFailure("redirects", `redirected ${what}`);
  const [location = "", ...more] = locations;
  if (location === "") throw wrong("to nowhere");
  if (more.length > 0) throw wrong("to more than one place");
  if (location.length > 8_192 || !/^[\x21-\x5b\x5d-\x7e]+$/.test(location) || !URL.canParse(location, from.href)) {
    throw wrong("to something that is not a URL");
  }
  const target = new URL(location, from);
  if (target.protocol !== "http:" && target.protocol !== "https:")
    throw wrong("to something that is not http or https");
  if (target.username !== "" || target.password !== "") throw wrong("to a URL with credentials");
  if (from.protocol === "https:" && target.protocol === "http:" && !mayDowngrade(target)) {
    throw wrong("from https to plain http");
  }
  return target;
}
