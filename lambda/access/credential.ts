import { CodedError } from "../golang/coded-error.ts";

/**
 * Returns what a GOAUTH command prints (go help goauth): the servers' URLs, an empty line, the header, an empty line.
 *
 * `asked` is the URL that go passes when it asks a second time, after a 4xx; for one that is not of these servers the
 * answer is empty, so that the token never goes anywhere else. Throws `CodedError` "bad-server" for a URL that is not
 * https (go sends credentials nowhere else) or cannot stand on a line.
 */
export function formatCredential(servers: readonly string[], token: string, asked?: string): string {
  const prefixes = servers.map(checkServer);
  if (asked !== undefined && !prefixes.some((prefix) => `${asked}/`.startsWith(`${prefix}/`))) return "";
  const basic = Buffer.from(`modfront:${token}`).toString("base64");
  return `${prefixes.join("\n")}\n\nAuthorization: Basic ${basic}\n\n`;
}

function checkServer(server: string): string {
  if (/^https:\/\/[^\s/@?#]+(?:\/[^\s?#]*)?$/.test(server)) return server.replace(/\/+$/, "");
  throw new CodedError("bad-server", "a server is an https URL without user name, query and fragment");
}
