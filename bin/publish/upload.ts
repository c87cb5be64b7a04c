import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import { escapePath, escapeVersion } from "../../lambda/golang/module.ts";
import { printable } from "../../lambda/golang/shown-text.ts";
import type { ServedModfront } from "../verbs/served-modfront.ts";
import type { Terminal } from "../verbs/verb.ts";
import type { Answer, Question } from "./exchange.ts";
import { ask, detailOf, parse } from "./final-answer.ts";
import { progressOf } from "./progress.ts";
import type { Publication } from "./publication.ts";
import { PassingFailure, retried } from "./retries.ts";

/** Bytes that go to modfront itself in one request, wherever it runs: a larger zip goes where it says. */
const largestRequest = 4_000_000;

/** Answers to a commit that is still under way, each after 25 seconds or so. */
const mostPolls = 60;

/** Whether it is new, or the same was there before. */
export interface Published {
  readonly isNew: boolean;
}

export interface UploadParts extends Pick<Terminal, "note" | "progress"> {
  /** Resolves after so many seconds; for tests. */
  readonly pause?: (seconds: number) => Promise<unknown>;
}

/**
 * Hands what is published to a modfront: in one request, or by a place that it names, and a second one.
 *
 * What fails on the way is tried again, which changes nothing where it had arrived: the same bytes again are no conflict.
 * Throws `CodedError` "answer", "conflict" and "other-hash".
 */
export async function upload(server: ServedModfront, publication: Publication, parts: UploadParts): Promise<Published> {
  const { note, progress, pause = (seconds: number) => sleep(seconds * 1000) } = parts;
  const task = new Upload(server, publication, progress);
  return await retried(() => task.attempt(), { note, pause });
}

class Upload {
  readonly #server: ServedModfront;
  readonly #publication: Publication;
  readonly #progress: Terminal["progress"];
  readonly #path: string;

  constructor(server: ServedModfront, publication: Publication, progress: Terminal["progress"]) {
    this.#server = server;
    this.#publication = publication;
    this.#progress = progress;
    const { path, version } = publication.module;
    this.#path = `/-/publish/${escapePath(path)}/@v/${escapeVersion(version)}.zip`;
  }

  async attempt(): Promise<Published> {
    const { size } = this.#publication;
    return this.#settled(size <= largestRequest ? await this.#direct() : await this.#staged());
  }

  #direct(): Promise<Answer> {
    const query = new URLSearchParams(reportOf(this.#publication)).toString();
    return this.#put(this.#destination(query === "" ? this.#path : `${this.#path}?${query}`));
  }

  async #staged(): Promise<Answer> {
    const { size, file } = this.#publication;
    const json = { size, sha256: await sha256Of(file), ...reportOf(this.#publication) };
    const place = await ask({ ...this.#destination(this.#path), method: "POST", content: { json } });
    // It has no other places, and takes it itself whatever its size.
    if (place.status === 405) return await this.#direct();
    if (place.status !== 200) return place;
    const { upload, commit: address } = parse(place.text);
    const { url, headers } = (upload ?? {}) as { readonly url?: unknown; readonly headers?: unknown };
    const put = await this.#put({ url: this.#checkedUrl(url), headers: checkedHeaders(headers) });
    // 412: it is there, by a try whose answer was lost.
    if (put.status !== 412 && (put.status < 200 || put.status > 299)) throw notStaged(put);
    return this.#commit(this.#checkedPath(address));
  }

  /** Asks until it is done: what a large zip takes may be more than one answer waits for. */
  async #commit(path: string): Promise<Answer> {
    let answer = await ask({ ...this.#destination(path), method: "POST", content: { json: {} } });
    for (let polls = 0; answer.status === 202 && polls < mostPolls; polls++) {
      const next = this.#checkedPath(answer.headers.location);
      answer = await ask({ ...this.#destination(next), method: "POST", content: { json: {} } });
    }
    return answer;
  }

  #put(to: Pick<Question, "url" | "headers">): Promise<Answer> {
    const { file, size } = this.#publication;
    const onSent = progressOf(size, this.#progress);
    return ask({ ...to, method: "PUT", content: { file, size, onSent } }).finally(() => this.#progress(""));
  }

  #destination(path: string): Pick<Question, "url" | "headers"> {
    const { url, headers } = this.#server.destination(path);
    return { url, headers: { ...headers, accept: "application/json" } };
  }

  /** What is no secret of whoever publishes goes there, but not in the clear. */
  #checkedUrl(url: unknown): URL {
    const parsed = typeof url === "string" && URL.canParse(url) ? new URL(url) : undefined;
    const own = this.#server.destination(this.#path).url;
    if (parsed?.protocol === "https:" || (parsed?.protocol === "http:" && own.protocol === "http:")) return parsed;
    throw new CodedError("answer", "the server names no place to send the zip to");
  }

  /** An address of the same server, whatever it says. */
  #checkedPath(address: unknown): string {
    const own = this.#server.destination("").url;
    const base = own.href.replace(/\/$/, "");
    if (typeof address === "string" && address.startsWith("/-/")) return address;
    if (typeof address === "string" && address.startsWith(`${base}/-/`)) return address.slice(base.length);
    throw new CodedError("answer", "the server names no address by which this would be done");
  }

  #settled(answer: Answer): Published {
    const { status, text } = answer;
    const said = parse(text);
    if (status === 200 || status === 201) return this.#checked(said, status === 201);
    if (status === 409) throw this.#conflict(said, answer);
    const line = detailOf(answer, said);
    throw new CodedError("answer", status === 401 ? `${line}: modfront login, or a token in MODFRONT_TOKEN` : line);
  }

  #checked({ sum, goModSum }: Readonly<Record<string, unknown>>, isNew: boolean): Published {
    const own = this.#publication;
    if (sum === own.sum && goModSum === own.goModSum) return { isNew };
    const why = `the server has it as ${shown(sum)} with a go.mod of ${shown(goModSum)}, which is not what was sent`;
    throw new CodedError("other-hash", why);
  }

  #conflict(said: Readonly<Record<string, unknown>>, answer: Answer): CodedError {
    const { sum, goModSum } = (said.stored ?? {}) as Readonly<Record<string, unknown>>;
    const own = this.#publication;
    const lines = [
      detailOf(answer, said),
      `stored: ${shown(sum)}, go.mod ${shown(goModSum)}`,
      `here:   ${own.sum}, go.mod ${own.goModSum}`,
      "publish it as the next version",
    ];
    return new CodedError("conflict", sum === undefined ? (lines[0] ?? "") : lines.join("\n"));
  }
}

/** In hex: the place takes these bytes and no others. */
async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest("hex");
}

/** What is said of where the version comes from: nothing of an API that was held against nothing. */
function reportOf({ tag, commit, api }: Publication): Record<string, string> {
  return {
    ...(tag !== undefined && { tag }),
    ...(commit !== undefined && { commit }),
    ...(api?.state === "compared" && api.base !== "none" && { api: api.verdict, base: api.base }),
  };
}

/** A place that takes it no more, because its time is over say: the next try is given another. */
function notStaged({ status }: Answer): PassingFailure {
  return new PassingFailure(`the place to send the zip to answered ${status}`);
}

function checkedHeaders(headers: unknown): Record<string, string> {
  const own = typeof headers === "object" && headers !== null ? Object.entries(headers) : [];
  return Object.fromEntries(own.filter(([, value]) => typeof value === "string" && !/[^\x20-\x7e]/.test(value)));
}

function shown(hash: unknown): string {
  return typeof hash === "string" ? printable(hash, 100) : "nothing";
}
