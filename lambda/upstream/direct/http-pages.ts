import { UpstreamFailure } from "../../proxy/sources/upstream.ts";
import type { Credentials } from "../credentials/credentials.ts";
import type { RawAnswer } from "../http/exchange.ts";
import { followRedirects } from "../http/followed-answer.ts";
import { readBody } from "../http/http-body.ts";
import { toUpstreamFailure } from "../http/http-failure.ts";
import type { Visits } from "./visits.ts";

/** Bytes of a page, and milliseconds for it. */
const limit = 1 << 20;
const time = 30_000;

/** A page, whatever its status. */
export interface Page {
  readonly status: number;
  /** The beginning up to the end of its head, a character for each byte. */
  readonly text: string;
}

export interface HttpPagesParts {
  readonly visits: Pick<Visits, "to">;
  readonly credentials: Credentials;
}

/** The pages that say where modules are, from hosts that nobody vouches for. */
export class HttpPages {
  readonly #parts: HttpPagesParts;

  constructor(parts: HttpPagesParts) {
    this.#parts = parts;
  }

  /**
   * GETs `https://<path>?go-get=1`, or what the configuration has instead, on behalf of a module at or below `path`.
   *
   * As for go any status counts of a page that says where a module is. One that does not is an answer with 200, 404 and 410
   * only: what is not known to be absent fails. Throws `UpstreamFailure`, or the signal's reason.
   */
  async get(path: string, module: string, signal?: AbortSignal): Promise<Page> {
    const late = AbortSignal.timeout(time);
    const either = signal === undefined ? late : AbortSignal.any([signal, late]);
    try {
      return await this.#fetch(path, module, either);
    } catch (error) {
      signal?.throwIfAborted();
      throw late.aborted ? new UpstreamFailure("timeout", "did not answer in time") : toUpstreamFailure(error);
    }
  }

  async #fetch(path: string, module: string, signal: AbortSignal): Promise<Page> {
    const { visits, credentials } = this.#parts;
    const { url, client, anonymous } = visits.to(`https://${path}?go-get=1`, module);
    for (let renewed = false; ; renewed = true) {
      const authorization = anonymous ? undefined : await credentials.authorize(url, signal);
      const { answer, shown } = await followRedirects(client, url, authorization, { signal });
      const page = await readPage(answer, signal);
      if (answers(page)) return page;
      const refused = page.status === 401 && shown && !renewed;
      if (!refused || !(await authorization?.renew(signal))) throw notRead(path, page);
    }
  }
}

function answers({ status, text }: Page): boolean {
  return status === 200 || status === 404 || status === 410 || /go-import/i.test(text);
}

/** The host by the name that was asked for, not by that which a rewrite has. */
function notRead(path: string, { status }: Page): UpstreamFailure {
  const [host] = path.split("/");
  return new UpstreamFailure("status", `cannot read its page at ${host}: it answered ${status}`, {
    details: { status },
  });
}

/** Reads on to the end of the head: what is cut off before is no page that says nothing. */
async function readPage(answer: RawAnswer, signal: AbortSignal): Promise<Page> {
  const chunks: Uint8Array[] = [];
  let tail = "";
  for await (const chunk of readBody(answer, { limit, signal, onEnd: () => {} }).chunks) {
    chunks.push(chunk);
    // A tag may lie across chunks.
    tail = tail.slice(-8) + Buffer.from(chunk).toString("latin1");
    if (/<\/head|<body/i.test(tail)) break;
  }
  return { status: answer.statusCode, text: Buffer.concat(chunks).toString("latin1") };
}
