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
  return (request) => write(line({ ...request, path: withoutCredentials(request.path) }, now()));
}

/** A client that takes us for a forward proxy sends a whole URL, with a password if it has one. */
function withoutCredentials(path: string): string {
  return path.startsWith("/") ? path : path.replace(/^([a-z]+:\/\/)[^/]*@/i, "$1");
}

function textLine(request: LoggedRequest, time: Date): string {
  const { method, path, status, milliseconds, error } = request;
  const why = error === undefined ? "" : `  ${printable(error)}`;
  return `${time.toISOString().slice(11, 23)} ${status} ${method} ${printable(path)} ${milliseconds.toFixed(1)}ms${why}\n`;
}

function jsonLine(request: LoggedRequest, time: Date): string {
  return `${JSON.stringify({ time: time.toISOString(), ...request })}\n`;
}

/** Control characters of a hostile path must not write lines of their own into a terminal. */
function printable(text: string): string {
  return text.slice(0, 1200).replace(/[\u0000-\u001f\u007f-\u009f]/g, "?");
}
