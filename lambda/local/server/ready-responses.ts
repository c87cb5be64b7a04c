import type { ServerResponse } from "node:http";
import { LRUCache } from "lru-cache";

/** A whole 200 answer, as it goes out. */
export interface ReadyResponse {
  /** Flat, as node:http's `writeHead` takes them fastest. */
  readonly headers: readonly string[];
  /** Status line and headers as text, up to where those of the connection follow. */
  readonly head: string;
  /** `undefined` for what is made for one request. */
  readonly etag: string | undefined;
  readonly body: Uint8Array;
  /** A small body with a character for each byte. */
  readonly text: string | undefined;
  /** Milliseconds since the epoch; `Infinity` for what never changes. */
  readonly freshUntil: number;
  /** Called with the response that the body is sent by, where somebody must know. */
  readonly sentBy?: (response: ServerResponse) => void;
}

/** Largest body kept, and all bodies together, in bytes: one process's share of memory for hits. */
const largestBody = 256 << 10;
const allBodies = 32 << 20;

/** What an entry weighs beside its body: its key, headers and the cache's own bookkeeping. */
const entryWeight = 1024;

/**
 * Answers kept ready in bounded memory, by canonical path.
 *
 * Right across processes without a word between them: files never change, and everything else is kept only as long as
 * its time to live allows any cache to keep it, and not after a purge.
 */
export class ReadyResponses {
  readonly #responses = new LRUCache<string, ReadyResponse>({
    maxSize: allBodies,
    maxEntrySize: largestBody + entryWeight,
    sizeCalculation: ({ body, text = "" }) => body.length + text.length + entryWeight,
  });

  #purges = 0;

  /** The answer kept for `path`, while it is fresh at `now`. */
  get(path: string, now: number): ReadyResponse | undefined {
    const response = this.#responses.get(path);
    return response !== undefined && response.freshUntil > now ? response : undefined;
  }

  /** Forgets all that is good for a while only. */
  forgetLists(): void {
    this.#purges++;
    for (const [path, { freshUntil }] of this.#responses.entries())
      if (freshUntil !== Number.POSITIVE_INFINITY) this.#responses.delete(path);
  }

  /** How often it was forgotten: what was asked for before the last time says nothing about now. */
  get purges(): number {
    return this.#purges;
  }

  /**
   * Keeps an answer; what is too large for memory is let go, and the answer to a path with a percent sign: requests are
   * looked up as they were received, where `%20` is something else than in a path.
   */
  set(path: string, response: ReadyResponse): void {
    if (!path.includes("%")) this.#responses.set(path, response);
  }
}

/** True when a body of `size` bytes may be kept. Asked before a file is read into memory. */
export function fitsInMemory(size: number): boolean {
  return size <= largestBody;
}

/** Up to this size in bytes a body is also kept as text. */
const largestText = 8 << 10;

/** Makes an answer ready. */
export function readyResponse(
  headers: Readonly<Record<string, string>>,
  etag: string | undefined,
  body: Uint8Array,
  freshUntil: number,
): ReadyResponse {
  const text = body.length <= largestText ? Buffer.from(body).toString("latin1") : undefined;
  const flat = flatHeaders(headers, body.length);
  return { headers: flat, head: headText(flat), etag, body, text, freshUntil };
}

/** `"HTTP/1.1 200 OK\r\ncontent-type: …\r\n"`. */
function headText(flat: readonly string[]): string {
  const lines = flat.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${flat[i + 1]}\r\n`] : []));
  return `HTTP/1.1 200 OK\r\n${lines.join("")}`;
}

/** Headers as a flat list with the length of the body: `["content-type", "…", "content-length", "12"]`. */
export function flatHeaders(headers: Readonly<Record<string, string>>, length: number): string[] {
  return [...Object.entries(headers).flat(), "content-length", String(length)];
}
