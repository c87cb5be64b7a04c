import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import { printable } from "../../lambda/golang/shown-text.ts";
import { ownToken } from "./own-token.ts";
import type { Terminal } from "./verb.ts";

/** What a modfront answered: bytes, or that whoever asked may not, or that it does not have it stored. */
export type Read = { readonly kind: "read"; readonly bytes: Uint8Array } | { readonly kind: "refused" | "absent" };

/** Bytes: the longest tile of records is far shorter. */
const largestRead = 4 << 20;

/** A modfront as a client reads it, with the token of MODFRONT_TOKEN, else that of `login`. */
export class ServedModfront {
  readonly #server: string;
  readonly #headers: Readonly<Record<string, string>>;

  private constructor(server: string, token: string | undefined) {
    this.#server = server;
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  /** Throws `CodedError` "usage" for what is no URL of a server. */
  static async open(url: string, terminal: Terminal): Promise<ServedModfront> {
    if (!/^https?:\/\//.test(url) || !URL.canParse(url))
      throw new CodedError("usage", "this takes the URL of a modfront");
    const server = url.replace(/\/+$/, "");
    return new ServedModfront(server, await ownToken(server, terminal));
  }

  /** Reads a path into memory. Throws `CodedError` "answer" for any other answer. */
  async read(path: string): Promise<Read> {
    const response = await this.#get(path);
    const refusal = await refusalOf(path, response);
    if (refusal !== undefined) return refusal;
    return { kind: "read", bytes: await bytesOf(path, response) };
  }

  /**
   * Writes what is stored under a path to a file, without having it fetched where it is not. Throws as `read` does, and for
   * what has more than `most` bytes, of which no more are written.
   */
  async save(path: string, file: string, most: number): Promise<Read["kind"]> {
    const response = await this.#get(path, { "cache-control": "only-if-cached" });
    const refusal = await refusalOf(path, response);
    if (refusal !== undefined) return refusal.kind;
    const body = Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]);
    await pipeline(body, (chunks: AsyncIterable<Uint8Array>) => bounded(path, chunks, most), createWriteStream(file));
    return "read";
  }

  /**
   * Asks for something to be done, or for JSON, and returns the JSON that is the answer.
   *
   * Throws `CodedError` "usage" for what the server finds wrong in the request, "answer" for every other refusal.
   */
  async ask(method: "GET" | "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<unknown> {
    this.#checkWay();
    const headers = { ...this.#headers, accept: "application/json", "content-type": "application/json" };
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const signal = AbortSignal.timeout(60_000);
    const request = { method, headers, signal, redirect: "error", ...content } as const;
    const response = await fetch(this.#server + path, request).catch((cause) => {
      throw new CodedError("answer", `${path}: no answer`, { cause });
    });
    const text = await textOf(path, response);
    const answer = parseObject(text);
    if (response.ok && answer !== undefined) return answer;
    const detail = typeof answer?.detail === "string" ? answer.detail : (lineOf(response, text) ?? "");
    const line = printable(detail === "" ? `answered ${response.status}` : detail, 300);
    throw new CodedError(response.status === 400 ? "usage" : "answer", line);
  }

  /** Where a path is, and what is shown there. Throws `CodedError` "usage" for a way on which others could read it. */
  destination(path: string): { readonly url: URL; readonly headers: Readonly<Record<string, string>> } {
    this.#checkWay();
    return { url: new URL(this.#server + path), headers: this.#headers };
  }

  #checkWay(): void {
    const { hostname, protocol } = new URL(this.#server);
    if (protocol === "http:" && !/^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname))
      throw new CodedError("usage", "a token goes over https only, but on this machine");
  }

  async #get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    if (this.#headers.authorization !== undefined) this.#checkWay();
    try {
      const signal = AbortSignal.timeout(600_000);
      return await fetch(this.#server + path, { headers: { ...this.#headers, ...headers }, signal });
    } catch (cause) {
      throw new CodedError("answer", `${path}: no answer`, { cause });
    }
  }
}

/** No more than that is ever in memory, whatever is sent. */
async function bytesOf(path: string, { body }: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bounded(path, body ?? [], largestRead)) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

async function* bounded(path: string, chunks: AsyncIterable<Uint8Array> | readonly Uint8Array[], most: number) {
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > most) throw new CodedError("answer", `${path} is longer than any answer should be`);
    yield chunk;
  }
}

async function textOf(path: string, response: Response): Promise<string> {
  return new TextDecoder().decode(await bytesOf(path, response));
}

/** 504 is what a cache says that was asked for nothing else (RFC 9111 5.2.1.7). */
async function refusalOf(path: string, response: Response): Promise<Read | undefined> {
  if (response.ok) return undefined;
  const line = printable((await textOf(path, response)).split("\n", 1)[0] ?? "", 200);
  if (response.status === 401 || response.status === 403) return { kind: "refused" };
  if (response.status === 404 || response.status === 504) return { kind: "absent" };
  throw new CodedError("answer", `${path} was answered ${response.status}: ${line}`);
}

/** What a refusal says in words: the edge of a deployment knows no JSON. */
function lineOf({ headers }: Response, text: string): string | undefined {
  return headers.get("content-type")?.startsWith("text/plain") ? text.split("\n", 1)[0] : undefined;
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
