import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

// An upstream on 127.0.0.1 that asks the real one once for each path and afterwards answers from its own folder, after
// a delay of choice: every run of the benchmark meets the same upstream. A process of its own, so that its work is not
// counted as anybody else's; it is told and asked over the channel of `fork`.

/** What the benchmark tells it. */
export interface ReplayControl {
  /** Milliseconds before each answer. */
  readonly delay: number;
  /** Paths that are answered as another path is, from now on. */
  readonly copies?: Readonly<Record<string, string>>;
  /** Paths that are answered with a file on this machine, from now on. */
  readonly files?: Readonly<Record<string, string>>;
}

/** What it says when it is told: since it was told the last time, how often each path was asked for. */
export interface ReplayReport {
  readonly url: string;
  readonly requests: Readonly<Record<string, number>>;
  /** Requests that needed the real upstream: a run that made any is no measurement. */
  readonly recorded: number;
}

/** Larger bodies are streamed, so that this process stays small beside those that are measured. */
const largestInMemory = 16 << 20;

interface Recording {
  readonly status: number;
  readonly body: Buffer | { readonly path: string; readonly size: number };
}

class Replay {
  readonly #folder: string;
  readonly #real: string;
  readonly #memory = new Map<string, Promise<Recording>>();
  #requests: Record<string, number> = {};
  #recorded = 0;
  #delay = 0;

  constructor(folder: string, real: string) {
    this.#folder = folder;
    this.#real = real;
  }

  obey({ delay, copies = {}, files = {} }: ReplayControl): void {
    this.#delay = delay;
    for (const [path, other] of Object.entries(copies)) this.#memory.set(path, this.#find(other));
    for (const [path, file] of Object.entries(files)) this.#memory.set(path, readRecording(200, file));
  }

  /** What happened since the last report. */
  report(url: string): ReplayReport {
    const report = { url, requests: this.#requests, recorded: this.#recorded };
    this.#requests = {};
    this.#recorded = 0;
    return report;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? "/";
    this.#requests[path] = (this.#requests[path] ?? 0) + 1;
    const [recording] = await Promise.all([this.#find(path), this.#delay > 0 ? sleep(this.#delay) : undefined]);
    const { status, body } = recording;
    const length = "path" in body ? body.size : body.length;
    response.writeHead(status, { "content-type": contentType(path), "content-length": length });
    if (!("path" in body)) response.end(body);
    else createReadStream(body.path, { highWaterMark: 1 << 20 }).pipe(response);
  }

  #find(path: string): Promise<Recording> {
    const known = this.#memory.get(path);
    if (known !== undefined) return known;
    const found = this.#load(path);
    this.#memory.set(path, found);
    found.catch(() => this.#memory.delete(path));
    return found;
  }

  async #load(path: string): Promise<Recording> {
    const file = join(this.#folder, createHash("sha256").update(path).digest("hex"));
    const status = await readFile(`${file}.status`, "utf8").catch(() => this.#record(path, file));
    return readRecording(Number(status), file);
  }

  /** The body first: a status without one would be taken for a recording. */
  async #record(path: string, file: string): Promise<string> {
    this.#recorded++;
    const answer = await fetch(this.#real + path, { signal: AbortSignal.timeout(120_000) });
    if (answer.status !== 200 && answer.status !== 404 && answer.status !== 410 && answer.status !== 403)
      throw new Error(`the real upstream answered ${answer.status}`);
    await writeFile(`${file}.new`, new Uint8Array(await answer.arrayBuffer()));
    await rename(`${file}.new`, file);
    await writeFile(`${file}.status`, String(answer.status));
    return String(answer.status);
  }
}

async function readRecording(status: number, file: string): Promise<Recording> {
  const { size } = await stat(file);
  return { status, body: size > largestInMemory ? { path: file, size } : await readFile(file) };
}

/** Upstreams name the types that the protocol has; caches pass them on. */
function contentType(path: string): string {
  if (path.endsWith(".zip")) return "application/zip";
  return /\.info$|\/@latest$/.test(path) ? "application/json" : "text/plain; charset=utf-8";
}

async function main(folder: string, real: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const replay = new Replay(folder, real);
  const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
    replay.answer(request, response).catch(() => {
      if (!response.headersSent) response.writeHead(502).end();
      else response.destroy();
    });
  });
  server.listen(0, "127.0.0.1", () => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    process.send?.(replay.report(url));
    process.on("message", (control: ReplayControl) => {
      replay.obey(control);
      process.send?.(replay.report(url));
    });
  });
}

if (process.send !== undefined) {
  process.on("disconnect", () => process.exit(0));
  await main(process.argv[2] ?? "", process.argv[3] ?? "");
}
