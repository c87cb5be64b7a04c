import { hash } from "node:crypto";
import { request } from "node:http";
import { buffer } from "node:stream/consumers";
import { ChecksumDatabase } from "./checksum-database.ts";
import { makeDataFolder } from "./data-folder.ts";
import { addFixture, filePath, type ModuleFixture, versionsPath, zipOf } from "./module-fixture.ts";
import { type Product, startProduct } from "./product.ts";
import { ScriptedUpstream } from "./scripted-upstream.ts";

/** Of headers that depend on the connection or the time, nothing is asserted. */
const passing = new Set(["date", "connection", "keep-alive"]);

/** What is sent; by default a GET. */
export interface Asked {
  readonly method?: string;
  readonly path: string;
  /** A header of several values is sent several times. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
}

/**
 * An answer as one text: status, headers in alphabetical order, an empty line, the body.
 *
 * Bodies that are not text are told by their length and SHA-256: `"<1234 bytes 0123456789abcdef>"`.
 */
export function ask(url: string, { method = "GET", path, headers = {} }: Asked): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, path, headers, agent: false, setDefaultHeaders: true }, (response) => {
      buffer(response).then((body) => {
        const { statusCode, rawHeaders } = response;
        resolve([`${statusCode}`, ...formatHeaders(rawHeaders), "", formatBody(body)].join("\n"));
      }, reject);
    });
    outgoing.on("error", reject).end();
  });
}

function formatHeaders(raw: readonly string[]): string[] {
  const lines: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] ?? "").toLowerCase();
    if (!passing.has(name)) lines.push(`${name}: ${raw[i + 1]}`);
  }
  return lines.sort();
}

function formatBody(body: Buffer): string {
  const text = body.toString("utf8");
  const isText = Buffer.from(text).equals(body) && !text.includes("\0");
  return isText ? text : `<${body.length} bytes ${hash("sha256", body).slice(0, 16)}>`;
}

/**
 * The composed product with a public upstream, a checksum database of its own behind it, and a private upstream for
 * corp.example.
 */
export class FrontDoor implements AsyncDisposable {
  readonly open: ScriptedUpstream;
  readonly corp: ScriptedUpstream;
  readonly database: ChecksumDatabase;
  readonly data: string;
  #product: Product;
  readonly #start: () => Promise<Product>;
  readonly #remove: () => void;

  private constructor(
    parts: Pick<FrontDoor, "open" | "corp" | "database">,
    folder: ReturnType<typeof makeDataFolder>,
    product: Product,
    start: () => Promise<Product>,
  ) {
    this.open = parts.open;
    this.corp = parts.corp;
    this.database = parts.database;
    this.data = folder.path;
    this.#remove = folder.remove;
    this.#product = product;
    this.#start = start;
  }

  /** Starts it; `config` is added to the configuration, `patterns` are those of private modules. */
  static async start(config: object = {}, patterns = "corp.example"): Promise<FrontDoor> {
    const folder = makeDataFolder();
    const [open, corp] = [await ScriptedUpstream.start(), await ScriptedUpstream.start()];
    const database = new ChecksumDatabase();
    open.otherwise(async ({ path }) => checksumReply(database, path));
    const upstreams = [
      { patterns, chain: corp.url },
      { patterns: "*", chain: open.url },
    ];
    const all = { upstreams, private: patterns, sumdb: { name: database.vkey }, ...config };
    const startAgain = () => startProduct({ data: folder.path, config: all });
    return new FrontDoor({ open, corp, database }, folder, await startAgain(), startAgain);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#product.stop();
    await Promise.all([this.open.close(), this.corp.close()]);
    this.#remove();
  }

  /** Stops it and starts it again on its folder, under another address. */
  async restart(): Promise<void> {
    await this.#product.stop();
    this.#product = await this.#start();
  }

  /** Stops it, and leaves its folder. */
  stop(): Promise<void> {
    return this.#product.stop();
  }

  get url(): string {
    return this.#product.url;
  }

  /** What the operator was told. */
  get warnings(): readonly string[] {
    return this.#product.warnings;
  }

  /** Puts the files of a public module version on its upstream, and its record into the checksum database. */
  async publish(module: ModuleFixture): Promise<void> {
    script(this.open, module);
    await addFixture(this.database, module);
  }

  /** Asks for a path, or for whatever else. */
  ask(asked: string | Asked): Promise<string> {
    return ask(this.url, typeof asked === "string" ? { path: asked } : asked);
  }

  /** Only the status of an answer. */
  async status(path: string): Promise<number> {
    return Number((await this.ask(path)).slice(0, 3));
  }
}

/** Puts the files of a module version on an upstream. */
export function script(upstream: ScriptedUpstream, module: ModuleFixture): void {
  for (const kind of ["info", "mod", "zip"] as const) upstream.on(filePath(module, kind), { body: module[kind] });
}

/** Puts a module on an upstream that is no more than a list, the `.info` of each version, and one go.mod for all, alone in their zips. */
export function scriptVersions(
  upstream: ScriptedUpstream,
  path: string,
  list: string,
  goMod = `module ${path}\n`,
): void {
  upstream.on(`${versionsPath({ path })}/list`, { body: list });
  for (const version of list.split("\n").filter((line) => line !== "")) {
    const info = JSON.stringify({ Version: version, Time: "2024-01-02T03:04:05Z" });
    upstream.on(filePath({ path, version }, "info"), { body: info });
    upstream.on(filePath({ path, version }, "mod"), { body: goMod });
    upstream.on(filePath({ path, version }, "zip"), { body: zipOf({ path, version, mod: Buffer.from(goMod) }, []) });
  }
}

async function checksumReply(database: ChecksumDatabase, path: string) {
  const below = "/sumdb/sum.example.com";
  if (!path.startsWith(`${below}/`)) return undefined;
  if (path === `${below}/supported`) return { body: "" };
  try {
    return { body: await database.get(path.slice(below.length), 4_000_000) };
  } catch {
    return { status: 404, body: "not found: no such module\n" };
  }
}
