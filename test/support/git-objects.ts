import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import type { ObjectFormat } from "../../lambda/upstream/git/pack/object-id.ts";

// What git stores, written by hand: repositories and packfiles for tests that need no git, and bad ones that git never makes.

export type ObjectType = "commit" | "tree" | "blob" | "tag";

const typeNumbers = { commit: 1, tree: 2, blob: 3, tag: 4 } as const;

export interface StoredObject {
  readonly type: ObjectType;
  readonly data: Buffer;
}

export function idOf({ type, data }: StoredObject, format: ObjectFormat = "sha1"): string {
  return createHash(format).update(`${type} ${data.length}\0`).update(data).digest("hex");
}

/** A file of a tree by its path: its content, or its content and mode; a submodule is the commit's id. */
export type FileSpec =
  | string
  | Buffer
  | { readonly mode: string; readonly data?: string | Buffer; readonly id?: string };

/** The objects of a repository in memory. Everything added returns its id. */
export class GitObjects {
  readonly format: ObjectFormat;
  readonly stored = new Map<string, StoredObject>();

  constructor(format: ObjectFormat = "sha1") {
    this.format = format;
  }

  add(type: ObjectType, data: string | Buffer): string {
    const object = { type, data: Buffer.from(data) };
    const id = idOf(object, this.format);
    this.stored.set(id, object);
    return id;
  }

  /** A tree of lines as they are given, in their order. */
  rawTree(lines: readonly (readonly [mode: string, name: string | Buffer, id: string])[]): string {
    const parts = lines.flatMap(([mode, name, id]) => [
      Buffer.from(`${mode} `),
      Buffer.from(name),
      Buffer.of(0),
      Buffer.from(id, "hex"),
    ]);
    return this.add("tree", Buffer.concat(parts));
  }

  /** The tree of some files, folders included. */
  tree(files: Readonly<Record<string, FileSpec>>): string {
    const folders = new Map<string, Record<string, FileSpec>>();
    const lines: [string, string, string][] = [];
    for (const [path, file] of Object.entries(files)) {
      const slash = path.indexOf("/");
      if (slash < 0) lines.push(this.#line(path, file));
      else {
        const folder = folders.get(path.slice(0, slash)) ?? {};
        folder[path.slice(slash + 1)] = file;
        folders.set(path.slice(0, slash), folder);
      }
    }
    for (const [name, inside] of folders) lines.push(["40000", name, this.tree(inside)]);
    const key = ([mode, name]: [string, string, string]) => Buffer.from(mode === "40000" ? `${name}/` : name);
    return this.rawTree(lines.sort((a, b) => Buffer.compare(key(a), key(b))));
  }

  #line(name: string, file: FileSpec): [string, string, string] {
    if (typeof file === "string" || Buffer.isBuffer(file)) return ["100644", name, this.add("blob", file)];
    return [file.mode, name, file.id ?? this.add("blob", file.data ?? "")];
  }

  commit(
    tree: string,
    options: { readonly parents?: readonly string[]; readonly time?: number; readonly message?: string } = {},
  ): string {
    const { parents = [], time = 1_700_000_000, message = "a change" } = options;
    const who = `A U Thor <author@corp.example> ${time} +0200`;
    const lines = [`tree ${tree}`, ...parents.map((id) => `parent ${id}`), `author ${who}`, `committer ${who}`];
    return this.add("commit", `${lines.join("\n")}\n\n${message}\n`);
  }

  /** The tag object of an annotated tag. */
  tag(name: string, target: string): string {
    const type = this.stored.get(target)?.type ?? "commit";
    return this.add(
      "tag",
      `object ${target}\ntype ${type}\ntag ${name}\ntagger A U Thor <author@corp.example> 1700000000 +0000\n\n${name}\n`,
    );
  }

  /** What a tag object comes to in the end. */
  peel(id: string): string {
    const object = this.stored.get(id);
    return object?.type === "tag" ? this.peel(/^object (\S+)/.exec(object.data.toString("latin1"))?.[1] ?? "") : id;
  }

  get(id: string): StoredObject {
    const object = this.stored.get(id);
    if (object === undefined) throw new Error(`no object ${id}`);
    return object;
  }
}

/** An entry of a packfile: a whole object, a delta to the entry with that number, or to an id; or bytes as they are. */
export type PackPart =
  | StoredObject
  | { readonly base: number | string; readonly delta: Buffer }
  | { readonly raw: Buffer };

/** A packfile of these entries; its trailer is right unless `damage` changes what stands before. */
export function packOf(parts: readonly PackPart[], format: ObjectFormat = "sha1", count = parts.length): Buffer {
  const header = Buffer.from("PACK\0\0\0\x02\0\0\0\0", "latin1");
  header.writeUInt32BE(count, 8);
  const chunks: Buffer[] = [header];
  const offsets: number[] = [];
  let at = header.length;
  for (const part of parts) {
    offsets.push(at);
    const entry = packEntry(part, at, offsets);
    chunks.push(entry);
    at += entry.length;
  }
  return sealed(Buffer.concat(chunks), format);
}

/** Bytes with their hash behind them, as a packfile ends. */
export function sealed(bytes: Buffer, format: ObjectFormat = "sha1"): Buffer {
  return Buffer.concat([bytes, createHash(format).update(bytes).digest()]);
}

function packEntry(part: PackPart, at: number, offsets: readonly number[]): Buffer {
  if ("raw" in part) return part.raw;
  if ("type" in part) {
    return Buffer.concat([entryHeader(typeNumbers[part.type], part.data.length), deflateSync(part.data)]);
  }
  const base =
    typeof part.base === "number" ? distanceBytes(at - (offsets[part.base] ?? 0)) : Buffer.from(part.base, "hex");
  const type = typeof part.base === "number" ? 6 : 7;
  return Buffer.concat([entryHeader(type, part.delta.length), base, deflateSync(part.delta)]);
}

export function entryHeader(type: number, size: number): Buffer {
  const bytes = [(type << 4) | (size & 15)];
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 0x80;
    bytes.push(rest & 0x7f);
  }
  return Buffer.from(bytes);
}

export function distanceBytes(distance: number): Buffer {
  const bytes = [distance & 0x7f];
  for (let rest = distance >> 7; rest > 0; rest >>= 7) bytes.unshift(0x80 | (--rest & 0x7f));
  return Buffer.from(bytes);
}

export function sizeBytes(size: number): Buffer {
  const bytes: number[] = [];
  let rest = size;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push(0x80 | (rest & 0x7f));
  return Buffer.from([...bytes, rest]);
}

export function copyInstruction(offset: number, size: number): Buffer {
  const bytes = [0x80];
  for (let i = 0; i < 4; i++) pushByte(bytes, i, Math.floor(offset / 256 ** i) & 255);
  for (let i = 0; i < 3; i++) pushByte(bytes, 4 + i, Math.floor((size === 0x10000 ? 0 : size) / 256 ** i) & 255);
  return Buffer.from(bytes);
}

function pushByte(bytes: number[], bit: number, byte: number): void {
  if (byte === 0) return;
  bytes[0] = (bytes[0] ?? 0) | (1 << bit);
  bytes.push(byte);
}

export function insertInstructions(data: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < data.length; at += 127) {
    const part = data.subarray(at, at + 127);
    parts.push(Buffer.of(part.length), part);
  }
  return Buffer.concat(parts);
}

/** A delta that keeps the common beginning and end. */
export function deltaOf(base: Buffer, target: Buffer): Buffer {
  const most = Math.min(base.length, target.length);
  let head = 0;
  while (head < most && base[head] === target[head]) head++;
  let tail = 0;
  while (tail < most - head && base.at(-1 - tail) === target.at(-1 - tail)) tail++;
  const copies = (from: number, size: number) => {
    const parts: Buffer[] = [];
    for (let at = 0; at < size; at += 0x10000) parts.push(copyInstruction(from + at, Math.min(0x10000, size - at)));
    return parts;
  };
  return Buffer.concat([
    sizeBytes(base.length),
    sizeBytes(target.length),
    ...copies(0, head),
    insertInstructions(target.subarray(head, target.length - tail)),
    ...copies(base.length - tail, tail),
  ]);
}
