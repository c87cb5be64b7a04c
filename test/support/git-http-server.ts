import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { deltaOf, type GitObjects, type PackPart, packOf } from "./git-objects.ts";

// A git server in this process, for tests on machines without git: what upload-pack answers of the little that is asked.

export interface GitRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The lines of the body, marks as `<flush>` and `<delimiter>`. */
  readonly lines: readonly string[];
}

export interface GitServerOptions {
  readonly protocol?: 0 | 1 | 2;
  readonly filter?: boolean;
  /** Bytes of a packfile in one packet. */
  readonly band?: number;
  /** Waited for before an answer. */
  readonly wait?: (request: GitRequest) => Promise<unknown> | undefined;
  /** Answers in place of the server: bytes of a body, or everything with the response. */
  readonly intercept?: (request: GitRequest, response: ServerResponse) => Buffer | undefined | "done";
  /** What is in the packfile, in place of what it should be. */
  readonly pack?: (request: GitRequest, objects: readonly string[]) => Buffer | undefined;
}

/** Branches, tags and HEAD by their full names; `HEAD` may be `ref: refs/heads/main`. */
export type Refs = Readonly<Record<string, string>>;

export class GitHttpServer implements AsyncDisposable {
  readonly requests: GitRequest[] = [];
  readonly git: GitObjects;
  refs: Record<string, string>;
  options: GitServerOptions;
  readonly #server: Server;

  private constructor(git: GitObjects, refs: Refs, options: GitServerOptions) {
    this.git = git;
    this.refs = { ...refs };
    this.options = options;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error) => response.destroy(error));
    });
  }

  static async start(git: GitObjects, refs: Refs, options: GitServerOptions = {}): Promise<GitHttpServer> {
    const server = new GitHttpServer(git, refs, options);
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    return server;
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/repo`);
  }

  /** What was asked so far, in short, and forgets it: `["GET", "ls-refs", "fetch"]`. */
  asked(): string[] {
    return this.requests.splice(0).map(({ method, lines }) => {
      const command = lines.find((line) => line.startsWith("command="));
      return method === "GET" ? "GET" : (command?.slice(8) ?? "fetch");
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString("latin1");
    const { method = "", url = "", headers } = incoming;
    const request = { method, url, headers, body, lines: linesOf(body) };
    this.requests.push(request);
    const isGet = method === "GET";
    await this.options.wait?.(request);
    const intercepted = this.options.intercept?.(request, response);
    if (intercepted === "done") return;
    const kind = isGet ? "advertisement" : "result";
    const known = url === "/repo/info/refs?service=git-upload-pack" || url === "/repo/git-upload-pack";
    if (!known && intercepted === undefined) return void response.writeHead(404).end();
    response.writeHead(200, { "content-type": `application/x-git-upload-pack-${kind}` });
    response.end(intercepted ?? (isGet ? this.#advertisement() : this.#command(request)));
  }

  #advertisement(): Buffer {
    const { protocol = 2, filter = true } = this.options;
    if (protocol === 2) {
      const fetch = `fetch=shallow wait-for-done${filter ? " filter" : ""}`;
      const lines = [
        "version 2",
        "agent=git/test",
        "ls-refs=unborn",
        fetch,
        "server-option",
        `object-format=${this.git.format}`,
      ];
      return Buffer.from(`${lines.map(packet).join("")}0000`);
    }
    const head = this.#head();
    const lines = this.#lines().flatMap(({ name, id, peeled }) => [
      `${id} ${name}`,
      ...(peeled === undefined ? [] : [`${peeled} ${name}^{}`]),
    ]);
    const symref = head.symref === undefined ? "" : ` symref=HEAD:${head.symref}`;
    const capabilities = `multi_ack side-band-64k ofs-delta shallow${symref} object-format=${this.git.format} agent=git/test`;
    const [first = `${"0".repeat(this.git.format === "sha1" ? 40 : 64)} capabilities^{}`, ...rest] = lines;
    const refs = [`${first}\0${capabilities}`, ...rest].map(packet).join("");
    return Buffer.from(
      `${packet("# service=git-upload-pack")}0000${protocol === 1 ? packet("version 1") : ""}${refs}0000`,
    );
  }

  #command(request: GitRequest): Buffer {
    if (!request.lines.includes("command=ls-refs")) return this.#fetch(request);
    const prefixes = request.lines.filter((line) => line.startsWith("ref-prefix ")).map((line) => line.slice(11));
    const lines = this.#lines()
      .filter(({ name }) => prefixes.length === 0 || prefixes.some((prefix) => name.startsWith(prefix)))
      .map(({ name, id, peeled, symref }) =>
        [
          id,
          name,
          ...(symref === undefined ? [] : [`symref-target:${symref}`]),
          ...(peeled === undefined ? [] : [`peeled:${peeled}`]),
        ].join(" "),
      );
    const { symref, id } = this.#head();
    if (symref !== undefined && id === undefined) lines.unshift(`unborn HEAD symref-target:${symref}`);
    return Buffer.from(`${lines.map(packet).join("")}0000`);
  }

  #head(): { readonly symref?: string; readonly id?: string | undefined } {
    const head = this.refs.HEAD;
    if (head === undefined) return {};
    return head.startsWith("ref: ") ? { symref: head.slice(5), id: this.refs[head.slice(5)] } : { id: head };
  }

  #lines(): { readonly name: string; readonly id: string; readonly peeled?: string; readonly symref?: string }[] {
    const { id: headId, symref } = this.#head();
    const head = headId === undefined ? [] : [{ name: "HEAD", id: headId, ...(symref !== undefined && { symref }) }];
    const others = Object.entries(this.refs).filter(([name]) => name !== "HEAD");
    return [
      ...head,
      ...others.map(([name, id]) => {
        const peeled = this.git.stored.has(id) ? this.git.peel(id) : id;
        return peeled === id ? { name, id } : { name, id, peeled };
      }),
    ];
  }

  #fetch(request: GitRequest): Buffer {
    const { protocol = 2, band = 65_515 } = this.options;
    const { lines } = request;
    const ids = (word: string) =>
      lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.split(" ")[1] ?? "");
    const unknown = ids("want").find((id) => !this.git.stored.has(id));
    if (unknown !== undefined) return Buffer.from(packet(`ERR upload-pack: not our ref ${unknown}`));
    const onlyTips = lines.includes("deepen 1");
    const filter = lines.find((line) => line.startsWith("filter "))?.slice(7);
    const shallow = new Set(ids("shallow"));
    const have = this.#closure(ids("have"), (id) => shallow.has(id), undefined);
    const wanted = this.#closure(ids("want"), () => onlyTips, filter);
    const sent = wanted.filter((id) => !have.includes(id));
    const pack =
      this.options.pack?.(request, sent) ??
      packOf(this.#parts(sent, lines.includes("thin-pack") ? have : []), this.git.format);
    const boundary = onlyTips ? ids("want").map((id) => packet(`shallow ${id}`)) : [];
    const before =
      protocol === 2
        ? [...(onlyTips ? [packet("shallow-info"), ...boundary, "0001"] : []), packet("packfile")]
        : [
            ...(onlyTips ? [...boundary, "0000"] : []),
            packet(ids("have").length > 0 ? `ACK ${ids("have")[0]}` : "NAK"),
          ];
    const bands: Buffer[] = [bandOf(2, Buffer.from("Counting objects: 3\r"))];
    for (let at = 0; at < pack.length; at += band) bands.push(bandOf(1, pack.subarray(at, at + band)));
    return Buffer.concat([Buffer.from(before.join("")), ...bands, Buffer.from("0000")]);
  }

  /** Blobs as deltas to the one before where that is shorter, or to one of `others`. */
  #parts(ids: readonly string[], others: readonly string[]): PackPart[] {
    const parts: PackPart[] = [];
    const bases = others.filter((id) => this.git.get(id).type === "blob");
    let last: { readonly number: number; readonly data: Buffer } | undefined;
    for (const [number, id] of ids.entries()) {
      const object = this.git.get(id);
      const thin = object.type === "blob" ? this.#thin(object.data, bases) : undefined;
      if (thin !== undefined) {
        parts.push(thin);
        continue;
      }
      const delta = object.type === "blob" && last !== undefined ? deltaOf(last.data, object.data) : undefined;
      const base = last?.number;
      parts.push(
        delta !== undefined && base !== undefined && delta.length < object.data.length ? { base, delta } : object,
      );
      if (object.type === "blob") last = { number, data: object.data };
    }
    return parts;
  }

  #thin(data: Buffer, bases: readonly string[]): PackPart | undefined {
    const parts = bases.map((base) => ({ base, delta: deltaOf(this.git.get(base).data, data) }));
    return parts.find(({ delta }) => delta.length < data.length / 2);
  }

  #closure(roots: readonly string[], isShallow: (id: string) => boolean, filter: string | undefined): string[] {
    const seen = new Set<string>();
    const way = roots.filter((id) => this.git.stored.has(id)).map((id) => ({ id, wanted: true }));
    for (let next = way.pop(); next !== undefined; next = way.pop()) {
      const { id, wanted } = next;
      const { type, data } = this.git.get(id);
      if (seen.has(id) || (!wanted && filter === "tree:0" && (type === "tree" || type === "blob"))) continue;
      if (!wanted && filter === "blob:none" && type === "blob") continue;
      seen.add(id);
      if (type === "tree" && filter === "tree:0") continue;
      const below = type === "commit" ? commitLinks(data, isShallow(id)) : type === "tree" ? this.#treeLinks(data) : [];
      way.push(...below.filter((each) => this.git.stored.has(each)).map((each) => ({ id: each, wanted: false })));
      if (type === "tag") way.push({ id: this.git.peel(id), wanted: true });
    }
    return [...seen];
  }

  #treeLinks(data: Buffer): string[] {
    const ids: string[] = [];
    const length = this.git.format === "sha1" ? 20 : 32;
    for (let at = 0; at < data.length; ) {
      const nul = data.indexOf(0, at);
      ids.push(data.toString("hex", nul + 1, nul + 1 + length));
      at = nul + 1 + length;
    }
    return ids;
  }
}

function commitLinks(data: Buffer, isShallow: boolean): string[] {
  const text = data.toString("latin1");
  const links = [...text.matchAll(/^(tree|parent) ([0-9a-f]+)$/gm)];
  return links.filter(([, word]) => word === "tree" || !isShallow).map(([, , id = ""]) => id);
}

export function packet(line: string): string {
  return `${(Buffer.byteLength(line) + 5).toString(16).padStart(4, "0")}${line}\n`;
}

export function bandOf(band: number, data: Buffer): Buffer {
  return Buffer.concat([Buffer.from((data.length + 5).toString(16).padStart(4, "0")), Buffer.of(band), data]);
}

function linesOf(body: string): string[] {
  const lines: string[] = [];
  for (let at = 0; at + 4 <= body.length; ) {
    const length = Number.parseInt(body.slice(at, at + 4), 16);
    if (length < 4) lines.push(length === 0 ? "<flush>" : "<delimiter>");
    else lines.push(body.slice(at + 4, at + length).replace(/\n$/, ""));
    at += Math.max(4, length);
  }
  return lines;
}
