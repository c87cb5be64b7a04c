import type { IncomingHttpHeaders } from "node:http";

export interface KeptAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface CacheTimes {
  readonly min: number;
  readonly default: number;
  readonly max: number;
}

/** CloudFront keeps these for the error TTL whatever their headers say. */
const always = new Set([400, 403, 405, 500, 501, 502, 503, 504]);
/** And these, unless their headers say how long. */
const unlessSaid = new Set([404, 414, 416]);
/** What it does when a distribution says nothing of an error. */
const errorDefault = 10;

/** Seconds for which CloudFront keeps an answer, by the rules of its documentation; 0 is not at all. */
export function keptSeconds(
  answer: Pick<KeptAnswer, "status" | "headers">,
  times: CacheTimes,
  errorTtl: ReadonlyMap<number, number>,
): number {
  const { status } = answer;
  const said = saidSeconds(answer.headers["cache-control"]);
  if (always.has(status)) return errorTtl.get(status) ?? errorDefault;
  if (unlessSaid.has(status)) return Math.max(errorTtl.get(status) ?? errorDefault, said ?? 0);
  return Math.min(Math.max(said ?? times.default, times.min), times.max);
}

/** What Cache-Control allows a shared cache; `undefined` when it does not say. */
function saidSeconds(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/\b(no-store|no-cache|private)\b/.test(header)) return 0;
  const age = /\bs-maxage=(\d+)/.exec(header)?.[1] ?? /\bmax-age=(\d+)/.exec(header)?.[1];
  return age === undefined ? undefined : Number(age);
}

interface Entry {
  readonly answer: KeptAnswer;
  readonly until: number;
}

/** Answers by behaviour and path. An expired one is kept, for when the origin fails. */
export class EdgeCache {
  readonly #entries = new Map<string, Entry>();

  get(key: string, now: number): { readonly answer: KeptAnswer; readonly fresh: boolean } | undefined {
    const entry = this.#entries.get(key);
    return entry && { answer: entry.answer, fresh: now < entry.until };
  }

  set(key: string, answer: KeptAnswer, until: number): void {
    this.#entries.set(key, { answer, until });
  }

  /** Forgets the answers that have a tag in this header. */
  forget(header: string, tag: string): void {
    for (const [key, { answer }] of this.#entries)
      if (
        String(answer.headers[header] ?? "")
          .split(",")
          .some((each) => each.trim() === tag)
      )
        this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }
}
