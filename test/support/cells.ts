import type { TestContext } from "node:test";
import { dataFolder } from "./data-folder.ts";
import { filePath, type ModuleFixture, moduleFixture, versionsPath } from "./module-fixture.ts";
import { type Got, get, type Product, type ProductOptions, startProduct, storedKeys } from "./product.ts";
import { type Reply, ScriptedUpstream } from "./scripted-upstream.ts";

export const fileKinds = ["list", "latest", "info", "mod", "zip", "query"] as const;

/** Everything that a module is asked for. */
export type AskedKind = (typeof fileKinds)[number];

/** One case of a large table: a module, where it comes from, and what goes wrong with one kind of file. */
export interface Cell {
  readonly name: string;
  readonly kind: AskedKind;
  /** What the faulty upstream answers instead of the truth. */
  readonly reply: Reply | ((module: ModuleFixture) => Reply);
  /**
   * How the chain goes on around the faulty upstream, `"FAULTY"` alone when absent: `"FAULTY,HEALTHY"`, `"ABSENT|FAULTY"`.
   * REFUSED is a port where nobody listens.
   */
  readonly chain?: string;
  /** The zip of the faulty upstream, where it is another one, too. */
  readonly alsoZip?: (module: ModuleFixture) => Uint8Array;
}

/** The module of the cell with this number. */
export function cellModule(i: number): ModuleFixture {
  return moduleFixture(`c${i}.example/m`);
}

/** A module of the table while it is tried. */
export interface TriedCell<C extends Cell> {
  readonly cell: C;
  readonly module: ModuleFixture;
  /** The path that is asked for. */
  readonly path: string;
}

/** The path that asks for this kind of file of a module. */
export function askedPath(module: ModuleFixture, kind: AskedKind): string {
  if (kind === "list") return `${versionsPath(module)}/list`;
  if (kind === "latest") return versionsPath(module).replace(/@v$/, "@latest");
  return kind === "query" ? `${versionsPath(module)}/main.info` : filePath(module, kind);
}

/**
 * All cells of a table at once in one product: each is a private module with upstreams of its own, which are paths of
 * one server, so that retries and timeouts of all of them pass at the same time.
 */
export class CellTable<C extends Cell> {
  readonly tried: readonly TriedCell<C>[];
  readonly #upstream: ScriptedUpstream;
  readonly #product: Product;
  readonly #data: string;
  #healthy = false;

  private constructor(tried: readonly TriedCell<C>[], upstream: ScriptedUpstream, product: Product, data: string) {
    this.tried = tried;
    this.#upstream = upstream;
    this.#product = product;
    this.#data = data;
    upstream.otherwise(({ path }) => this.#answer(path));
  }

  static async start<C extends Cell>(
    t: TestContext,
    cells: readonly C[],
    options: Pick<ProductOptions, "timeouts"> & { readonly config?: object } = {},
  ): Promise<CellTable<C>> {
    const upstream = await ScriptedUpstream.start();
    t.after(() => upstream.close());
    const refused = await closedPort();
    const tried = cells.map((cell, i) => {
      const module = cellModule(i);
      return { cell, module, path: askedPath(module, cell.kind) };
    });
    const rules = tried.map(({ cell }, i) => {
      const chain = (cell.chain ?? "FAULTY")
        .replace("REFUSED", refused)
        .replace(/FAULTY|HEALTHY|ABSENT/g, (word) => `${upstream.url}/${word}/${i}`);
      return { patterns: [`c${i}.example`], chain };
    });
    const ttl = { list: 0, query: 0, notFound: 0 };
    const config = { upstreams: rules, private: "*.example", sumdb: { name: "off" }, ttl, ...options.config };
    const data = dataFolder(t);
    const product = await startProduct({ data, config, ...(options.timeouts && { timeouts: options.timeouts }) });
    t.after(() => product.stop());
    return new CellTable(tried, upstream, product, data);
  }

  get data(): string {
    return this.#data;
  }

  get url(): string {
    return this.#product.url;
  }

  /** From now on the faulty upstreams tell the truth. */
  heal(): void {
    this.#healthy = true;
  }

  /** Asks for each cell's file, all at the same time. */
  askAll(): Promise<readonly (readonly [TriedCell<C>, Got])[]> {
    const ask = async (tried: TriedCell<C>) => [tried, await get(this.#product.url, tried.path)] as const;
    return Promise.all(this.tried.map(ask));
  }

  /** Has the upstreams' server answer a path of its own. */
  serve(path: string, reply: Reply): void {
    this.#upstream.on(path, reply);
  }

  /** What all upstreams together have sent, in bytes. */
  get bytesSent(): number {
    return this.#upstream.bytesSent;
  }

  /** The stored files of a cell's module, without what they have in common: `[".info"]`. */
  stored({ module }: TriedCell<C>): readonly string[] {
    const prefix = `${versionsPath(module).slice(1)}/${module.version}`;
    return storedKeys(this.#data).flatMap((key) => (key.startsWith(prefix) ? [key.slice(prefix.length)] : []));
  }

  /** How often the faulty upstream of a cell was asked for its file. */
  count(tried: TriedCell<C>): number {
    return this.#upstream.count(`/FAULTY/${this.tried.indexOf(tried)}${tried.path}`);
  }

  #answer(path: string): Reply | undefined {
    const [, role, number = "", rest = ""] = /^\/([A-Z]+)\/(\d+)(\/.*)$/.exec(path) ?? [];
    const tried = this.tried[Number(number)];
    if (tried === undefined || role === "ABSENT") return undefined;
    const { cell, module } = tried;
    const isFaulty = rest === tried.path || (cell.kind === "latest" && rest === askedPath(module, "list"));
    if (role === "FAULTY" && !this.#healthy && isFaulty) {
      return typeof cell.reply === "function" ? cell.reply(module) : cell.reply;
    }
    if (cell.alsoZip !== undefined && rest === askedPath(module, "zip")) return { body: cell.alsoZip(module) };
    return healthyReply(module, rest);
  }
}

/** The URL of a port where nobody listens. */
async function closedPort(): Promise<string> {
  await using server = await ScriptedUpstream.start();
  return server.url;
}

function healthyReply(module: ModuleFixture, path: string): Reply | undefined {
  const kind = fileKinds.find((each) => askedPath(module, each) === path);
  if (kind === undefined) return undefined;
  if (kind === "list") return { body: `${module.version}\n` };
  return { body: kind === "latest" || kind === "query" ? module.info : module[kind] };
}
