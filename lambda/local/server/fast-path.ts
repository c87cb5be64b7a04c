import { readFileSync, type Stats, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { TLSSocket } from "node:tls";
import { type ByteRange, parseRange } from "../../http/byte-range.ts";
import { entityTag, matchesTag } from "../../http/entity-tag.ts";
import { pour, pourBytes, watchTaking } from "./file-pour.ts";
import type { HotFiles } from "./hot-files.ts";
import {
  fitsInMemory,
  flatHeaders,
  type ReadyResponse,
  type ReadyResponses,
  readyResponse,
} from "./ready-responses.ts";

// What CloudFront and S3 do when deployed: answer from what is stored, without any of the product's code.

/** Sends a ready answer: the whole, a part, or that the client has it already. Returns the status. */
export function sendReady(request: IncomingMessage, response: ServerResponse, ready: ReadyResponse): number {
  const status = isConditional(request) ? sendConditional(request, response, ready) : undefined;
  if (status !== undefined) return status;
  response.writeHead(200, ready.headers as string[]);
  if (request.method === "HEAD") response.end();
  // As text it leaves in one write together with the headers, and not in two.
  else if (ready.text !== undefined) response.end(ready.text, "latin1");
  else endWith(response, ready, ready.body);
  return 200;
}

function endWith(response: ServerResponse, { sentBy }: ReadyResponse, body: Uint8Array): void {
  sentBy?.(response);
  if (response.socket instanceof TLSSocket) pourBytes(body, response);
  else {
    if (!fitsInMemory(body.length)) response.on("close", watchTaking(response, body.length));
    response.end(body);
  }
}

/** Looks at the names as they came: `request.headers` would make an object of them, which costs more than all the rest. */
function isConditional({ rawHeaders }: IncomingMessage): boolean {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 5 && name.toLowerCase() === "range") return true;
    if (name.length === 13 && name.toLowerCase() === "if-none-match") return true;
  }
  return false;
}

/** The answer to a request with a condition or a range; `undefined` where it is the whole after all. */
function sendConditional(request: IncomingMessage, response: ServerResponse, ready: ReadyResponse): number | undefined {
  const condition = request.headers["if-none-match"];
  if (condition !== undefined && matchesTag(condition, ready.etag))
    return sendHead(response, 304, withoutLength(ready.headers));
  const range = requestedRange(request, ready.etag, ready.body.length);
  if (range === "unsatisfiable") return sendUnsatisfiable(response, ready.body.length);
  return range === undefined ? undefined : sendPart(response, ready, range);
}

/** What is kept in memory for hits. */
export interface HitMemory {
  readonly ready: ReadyResponses;
  readonly hot: HotFiles;
}

/** What a file on disk is answered with, beside its own bytes. */
export interface FileAnswer {
  readonly path: string;
  /** Under which name it is kept in memory. */
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Sends a file that never changes, from disk in pieces when it is large and not wanted again and again; returns the
 * status, or `undefined` when there is no such file and nothing was sent.
 *
 * Looking, which each miss does, and reading a small file are synchronous: durable-files.ts says why.
 */
export async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  answer: FileAnswer,
  memory: HitMemory,
): Promise<number | undefined> {
  const info = orUndefined(() => statSync(answer.path, { throwIfNoEntry: false }));
  if (info === undefined || !info.isFile()) return undefined;
  if (!fitsInMemory(info.size)) return sendLarge(request, response, { ...answer, info }, memory);
  const body = orUndefined(() => readFileSync(answer.path));
  if (body === undefined) return undefined;
  const ready = readyFile(answer.headers, entityTag(body), body);
  memory.ready.set(answer.key, ready);
  return sendReady(request, response, ready);
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

async function sendLarge(
  request: IncomingMessage,
  response: ServerResponse,
  { info, ...answer }: FileAnswer & { readonly info: Stats },
  memory: HitMemory,
): Promise<number | undefined> {
  await using file = await open(answer.path, "r").catch(() => undefined);
  if (file === undefined) return undefined;
  // Of a large file only its name on disk is taken for the tag, the same in all processes.
  const etag = `"${info.size.toString(36)}-${Math.floor(info.mtimeMs).toString(36)}"`;
  const read = async () => readyFile(answer.headers, etag, await file.readFile());
  const hot = await memory.hot.keep(answer.key, info.size, read);
  if (hot !== undefined) return sendReady(request, response, hot);
  const headers = { ...answer.headers, etag, "accept-ranges": "bytes" };
  return await streamFile(request, response, file, { size: info.size, etag, headers });
}

/** The answer with a stored file, which never changes. */
function readyFile(headers: Readonly<Record<string, string>>, etag: string, body: Uint8Array): ReadyResponse {
  const all = { ...headers, etag, "accept-ranges": "bytes" };
  return readyResponse(all, etag, body, Number.POSITIVE_INFINITY);
}

interface LargeFile {
  readonly size: number;
  readonly etag: string;
  readonly headers: Readonly<Record<string, string>>;
}

async function streamFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: FileHandle,
  { size, etag, headers }: LargeFile,
): Promise<number> {
  const condition = request.headers["if-none-match"];
  if (condition !== undefined && matchesTag(condition, etag))
    return sendHead(response, 304, Object.entries(headers).flat());
  const range = requestedRange(request, etag, size);
  if (range === "unsatisfiable") return sendUnsatisfiable(response, size);
  const status = range === undefined ? 200 : 206;
  const { start, end } = range ?? { start: 0, end: size - 1 };
  const part = range === undefined ? {} : { "content-range": `bytes ${start}-${end}/${size}` };
  response.writeHead(status, flatHeaders({ ...headers, ...part }, end - start + 1));
  if (request.method === "HEAD") response.end();
  else await pour(file, response, { start, end });
  return status;
}

/** `If-Range` holds the range to the copy the client has: another one gets the whole (RFC 9110, 13.1.5). */
function requestedRange(
  request: IncomingMessage,
  etag: string | undefined,
  size: number,
): ReturnType<typeof parseRange> {
  const { range, "if-range": condition } = request.headers;
  if (range === undefined || request.method !== "GET" || (condition !== undefined && condition !== etag))
    return undefined;
  return parseRange(range, size);
}

function sendPart(response: ServerResponse, ready: ReadyResponse, range: ByteRange): number {
  const part = ready.body.subarray(range.start, range.end + 1);
  const contentRange = `bytes ${range.start}-${range.end}/${ready.body.length}`;
  const headers = [
    ...withoutLength(ready.headers),
    "content-range",
    contentRange,
    "content-length",
    String(part.length),
  ];
  response.writeHead(206, headers);
  endWith(response, ready, part);
  return 206;
}

function sendUnsatisfiable(response: ServerResponse, size: number): number {
  const line = `the range begins behind the end: there are ${size} bytes\n`;
  response.writeHead(416, {
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-range": `bytes */${size}`,
    "content-length": line.length,
  });
  response.end(line);
  return 416;
}

function sendHead(response: ServerResponse, status: number, headers: readonly string[]): number {
  response.writeHead(status, headers as string[]);
  response.end();
  return status;
}

/** `flatHeaders` puts the length last. */
function withoutLength(headers: readonly string[]): readonly string[] {
  return headers.slice(0, -2);
}
