import { longestShown, printable, withoutCredentials, withoutTokens } from "../../golang/shown-text.ts";

/** One request as it is logged: no header, no query string, no identity. */
export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly milliseconds: number;
  /** Why it failed, in the words the client was given. */
  readonly error: string | undefined;
}

export type LogFormat = "text" | "json" | "off";

/** Writes one line per request to `write`; `undefined` when nothing is to be written. */
export function requestLog(
  format: LogFormat,
  write: (line: string) => void,
  now: () => Date,
): ((request: LoggedRequest) => void) | undefined {
  if (format === "off") return undefined;
  const line = format === "text" ? textLine : jsonLine;
  return (request) =>
    write(
      line(
        {
          ...request,
          path: withoutTokens(shownPath(request.path)).slice(0, longestShown),
          error: request.error?.slice(0, longestShown),
        },
        now(),
      ),
    );
}

/**
 * A client that takes us for a forward proxy sends a whole URL, with a password if it has one.
 *
 * What is before the last `@` of the authority goes; and where that leaves no host, or what should be a port is none,
 * the password had a slash, and all before the last `@` goes.
 */
function shownPath(path: string): string {
  const [, scheme = "", authority = "", rest = ""] = /^((?:[a-z][-+.a-z0-9]*:)?\/\/)([^/]*)(.*)$/is.exec(path) ?? [];
  if (scheme === "") return path;
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  const isHost = /^(?:\[[0-9a-f:.]+\]|[-.\w]*\.[-.\w]*|localhost)(?::\d*)?$/i.test(host);
  const isWhole = isHost || (host === authority && !authority.includes(":"));
  return isWhole ? scheme + host + rest : withoutCredentials(path);
}

function textLine(request: LoggedRequest, time: Date): string {
  const { method, path, status, milliseconds, error } = request;
  const why = error === undefined ? "" : `  ${printable(error)}`;
  return `${time.toISOString().slice(11, 23)} ${status} ${method} ${printable(path)} ${milliseconds.toFixed(1)}ms${why}\n`;
}

function jsonLine(request: LoggedRequest, time: Date): string {
  return `${JSON.stringify({ time: time.toISOString(), ...request })}\n`;
}
