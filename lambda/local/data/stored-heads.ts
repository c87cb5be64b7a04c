import { DatabaseSync } from "node:sqlite";
import { parseSumdbKey } from "../../proxy/store/layout.ts";
import type { ModuleStore } from "../../proxy/store/module-store.ts";
import type { TreeHeadStore } from "../../proxy/store/tree-head-store.ts";

/** The size of the tree that a note is the signed head of, or `undefined` unless the database `name` signed it. */
export type ReadHead = (name: string, note: Uint8Array) => bigint | undefined;

/** Signed notes by the names of their databases. */
export type Heads = ReadonlyMap<string, Uint8Array>;

/** Heads that can still be read in a damaged index. They are believed only as far as their signatures go. */
export function salvageHeads(path: string): Heads {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    const rows = database.prepare("SELECT name, note FROM head").all() as { name?: unknown; note?: unknown }[];
    const heads = rows.flatMap(({ name, note }): [string, Uint8Array][] =>
      typeof name === "string" && note instanceof Uint8Array ? [[name, note]] : [],
    );
    return new Map(heads);
  } catch {
    return new Map();
  } finally {
    database?.close();
  }
}

/** The newest signed head of each database, among those salvaged and those stored with its lookups. */
export async function newestHeads(store: ModuleStore, salvaged: Heads, readHead: ReadHead): Promise<Heads> {
  const newest = new Map<string, { readonly note: Uint8Array; readonly size: bigint }>();
  const offer = (name: string, note: Uint8Array) => {
    const size = readHead(name, note);
    const best = newest.get(name);
    if (size !== undefined && (best === undefined || size > best.size)) newest.set(name, { note, size });
  };
  for (const [name, note] of salvaged) offer(name, note);
  for await (const key of store.keys("sumdb/")) {
    const { name = "", path = "" } = parseSumdbKey(key) ?? {};
    if (path !== "latest" && !path.startsWith("lookup/")) continue;
    const bytes = await store.read(key);
    const note = bytes && (path === "latest" ? bytes : noteOfLookup(bytes));
    if (note !== undefined) offer(name, note);
  }
  return new Map([...newest].map(([name, { note }]) => [name, note]));
}

/** What follows the record and its blank line: a lookup is `id\nrecord lines\n\nsigned note`. */
function noteOfLookup(bytes: Uint8Array): Uint8Array | undefined {
  const blank = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf("\n\n");
  return blank < 0 ? undefined : bytes.slice(blank + 2);
}

/** Makes the candidates the heads where there is none or an older one; says how often it did. */
export async function adoptHeads(heads: TreeHeadStore, candidates: Heads, readHead: ReadHead): Promise<number> {
  let adopted = 0;
  for (const [name, note] of candidates) {
    for (;;) {
      const present = await heads.read(name);
      const size = present && readHead(name, present);
      if (size !== undefined && size >= (readHead(name, note) ?? 0n)) break;
      if (!(await heads.replace(name, present, note))) continue;
      adopted++;
      break;
    }
  }
  return adopted;
}
