import { createReadStream } from "node:fs";
import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";

/** What is sent: JSON, the content of a file, or nothing. */
export type Content =
  | { readonly json: unknown }
  | { readonly file: string; readonly size: number; readonly onSent: (bytes: number) => void };

/** One request, which is never led elsewhere by a redirect. */
export interface Question {
  readonly method: "GET" | "POST" | "PUT";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly content?: Content | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The beginning of the body. */
  readonly text: string;
}

/** Milliseconds without a byte in either direction: whoever takes in 500 MiB looks at all of it before the first word. */
const patience = 300_000;

/** Bytes of an answer: more are no answer to this. */
const longestAnswer = 256 << 10;

/** Sends a request with its content and returns the answer, which may come before all is sent. Rejects as node:http does. */
export async function exchange({ method, url, headers, content }: Question): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const send = url.protocol === "https:" ? requestTls : requestPlain;
  const sent = send(url, { method, headers: { ...headers, ...describe(content) }, timeout: patience });
  sent.on("timeout", () => sent.destroy(Object.assign(new Error("silence"), { code: "ETIMEDOUT" })));
  sent.on("response", (response) => read(response).then(resolve, reject)).on("error", reject);
  const stop = pour(content, sent);
  try {
    return await promise;
  } finally {
    stop();
    sent.destroy();
  }
}

function describe(content: Content | undefined): Record<string, string> {
  if (content === undefined) return {};
  return "json" in content ? { "content-type": "application/json" } : { "content-length": String(content.size) };
}

/** Writes the content, and returns what ends that. */
function pour(content: Content | undefined, sent: ClientRequest): () => void {
  if (content === undefined || "json" in content) {
    sent.end(content && JSON.stringify(content.json));
    return () => {};
  }
  let bytes = 0;
  const source = createReadStream(content.file, { highWaterMark: 1 << 17 });
  source.on("data", (chunk) => {
    bytes += chunk.length;
    content.onSent(bytes);
  });
  source.on("error", (error) => sent.destroy(error)).pipe(sent);
  return () => source.destroy();
}

async function read(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    length += chunk.length;
    if (length > longestAnswer) throw Object.assign(new Error("too long"), { code: "ETOOLONG" });
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() };
}
