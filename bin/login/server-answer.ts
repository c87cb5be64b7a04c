import { request } from "node:https";
import type { Readable } from "node:stream";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import { printable } from "../../lambda/golang/shown-text.ts";

/** A question to a modfront about tokens, and what it is asked with. */
export interface ServerQuestion {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: object;
  /** PEM of a client certificate and its key. */
  readonly certificate?: { readonly cert: Buffer; readonly key: Buffer };
}

/** What was answered: an object of JSON or else an empty one, and by the server's clock when (milliseconds). */
export interface ServerAnswer {
  readonly status: number;
  readonly date: number | undefined;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Why not, in one line that can be shown. */
  readonly detail: string;
}

/** Milliseconds. */
const patience = 30_000;

/** Bytes: an answer about tokens is far shorter. */
const largestAnswer = 256 << 10;

/**
 * Asks a server, which is never left for another by a redirect: what it is shown opens modules.
 *
 * Throws `CodedError` "login-unreachable" where nothing answers in time, or with more than any answer should be.
 */
export async function askServer(server: string, question: ServerQuestion): Promise<ServerAnswer> {
  const { method, path, body, certificate } = question;
  const headers = { accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }) };
  const signal = AbortSignal.timeout(patience);
  const { promise, resolve, reject } = Promise.withResolvers<ServerAnswer>();
  const sent = request(`${server}${path}`, { method, headers, signal, agent: false, ...certificate }, (response) => {
    read(response).then((text) => {
      const { statusCode = 0, headers } = response;
      const fields = parseObject(text);
      resolve({ status: statusCode, date: dateOf(headers.date), fields, detail: detailOf(statusCode, text, fields) });
    }, reject);
  });
  sent.on("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
  try {
    return await promise;
  } catch (cause) {
    const { code = "" } = cause as NodeJS.ErrnoException;
    const why = /^[A-Z_]{3,40}$/.test(code) ? ` (${code})` : "";
    throw new CodedError("login-unreachable", `${server} gives no answer about tokens${why}`, { cause });
  }
}

async function read(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > largestAnswer) throw new Error("longer than any answer should be");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function dateOf(header: string | undefined): number | undefined {
  const time = Date.parse(header ?? "");
  return Number.isNaN(time) ? undefined : time;
}

function detailOf(status: number, text: string, { detail }: ServerAnswer["fields"]): string {
  const line = typeof detail === "string" ? detail : (text.split("\n", 1)[0] ?? "");
  return line === "" || /^\s*[<{[]/.test(line) ? `answered ${status}` : printable(line, 300);
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
