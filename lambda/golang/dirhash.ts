// Port of golang.org/x/mod/sumdb/dirhash: the "h1:" hashes of go.sum and of the checksum database.

import { createHash, hash } from "node:crypto";
import { CodedError } from "./coded-error.ts";
import { FileWindow } from "./file-window.ts";
import { batches, readTogether } from "./zip-batch.ts";
import { readContent } from "./zip-content.ts";
import { readDirectory, type ZipEntry, ZipError } from "./zip-directory.ts";
import { checkApart } from "./zip-section.ts";

/** Thrown when a list of files has no hash: a name has a newline in it, or the list is too large. */
export class DirhashError extends CodedError<"newline-in-name" | "contents-too-large"> {}

/** Returns the content of a file of a list, whole or in pieces. */
export type OpenFile = (name: string) => Content | Promise<Content>;
type Content = Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** The most that the files of one archive may unpack to, in bytes: x/mod/zip's MaxZipFile. */
const maxContents = 500 << 20;

/**
 * Returns `"h1:"` and the base64 of a SHA-256 over one line for each file, in byte order of the names: hexadecimal
 * SHA-256 of the content, two spaces, name, newline. Names are hashed as UTF-8.
 *
 * Throws `newline-in-name`, and what `open` throws.
 */
export async function hash1(files: readonly string[], open: OpenFile): Promise<string> {
  const lines: HashedFile[] = [];
  for (const file of files) {
    refuseNewline(file);
    const content = await open(file);
    const digest = createHash("sha256");
    if (content instanceof Uint8Array) digest.update(content);
    else for await (const piece of content) digest.update(piece);
    lines.push({ name: Buffer.from(file).toString("latin1"), digest: digest.digest() });
  }
  return summarize(lines.sort(byName));
}

/** Returns the hash of a go.mod file that go.sum has in its `/go.mod` lines: of a list of one file, named `go.mod`. */
export function hashGoMod(content: Uint8Array): string {
  return summarize([{ name: "go.mod", digest: hash("sha256", content, "buffer") }]);
}

/**
 * Returns the hash of the files in a zip, as `dirhash.HashZip` does with Hash1; entries for directories are files too.
 *
 * Nothing but names and contents counts. Throws `newline-in-name`, `ZipError` for what Go cannot read, and
 * `contents-too-large` for more than 500 MiB declared or real. Reads synchronously: meant for a worker thread. Memory
 * does not depend on the size of the zip.
 */
export async function hashZip(path: string): Promise<string> {
  const file = openZip(path);
  try {
    return await hashEntries(file, readDirectory(file));
  } finally {
    file.close();
  }
}

/** Opens a file for reading as a zip; the caller closes it. Throws `zip-unreadable`. */
export function openZip(path: string): FileWindow {
  try {
    return new FileWindow(path);
  } catch (error) {
    throw new ZipError("zip-unreadable", "the zip file cannot be opened", { cause: error });
  }
}

type OnPiece = (entry: ZipEntry, piece: Uint8Array) => void;

/**
 * Returns the hash of an open zip's entries; `onPiece` sees every piece of content on its way to being hashed, and may
 * not keep it.
 */
export async function hashEntries(
  file: FileWindow,
  entries: readonly ZipEntry[],
  onPiece: OnPiece = () => {},
): Promise<string> {
  const sorted = [...entries].sort(byName);
  // Of entries with one name Go hashes the last, once for each of them.
  const hashed = sorted.filter(({ name }, i) => name !== sorted[i + 1]?.name);
  refuseUnhashable(hashed);
  checkApart(file, hashed);
  // In the order of the file, so that each part of it is read once.
  const order = [...hashed.keys()].sort((a, b) => offsetOf(hashed, a) - offsetOf(hashed, b));
  const digests = new Digests(order);
  const addWhole = (entry: ZipEntry, content: Uint8Array) => {
    digests.add(hash("sha256", content, "buffer"));
    onPiece(entry, content);
  };
  for (const batch of batches(order.flatMap((i) => hashed[i] ?? []))) {
    if (readTogether(file, batch, addWhole)) continue;
    for (const entry of batch) digests.add(await hashContent(file, entry, onPiece));
  }
  return summarize(linesOf(sorted, digests));
}

function offsetOf(entries: readonly ZipEntry[], i: number): number {
  return entries[i]?.headerOffset ?? 0;
}

/** The hashes of very many files, added in one order and read in another: a string for each would take five times as much. */
class Digests {
  readonly #order: readonly number[];
  readonly #bytes: Buffer;
  #count = 0;

  /** `order`: the numbers of the files, in the order in which they are added. */
  constructor(order: readonly number[]) {
    this.#order = order;
    this.#bytes = Buffer.alloc(order.length * 32);
  }

  add(digest: Buffer): void {
    digest.copy(this.#bytes, (this.#order[this.#count++] ?? 0) * 32);
  }

  of(i: number): Buffer {
    return this.#bytes.subarray(i * 32, (i + 1) * 32);
  }
}

/** One line for each entry, whose names are sorted; those of one name share a hash. */
function* linesOf(sorted: readonly ZipEntry[], digests: Digests): Generator<HashedFile> {
  let row = 0;
  for (const [i, { name }] of sorted.entries()) {
    yield { name, digest: digests.of(row) };
    if (name !== sorted[i + 1]?.name) row++;
  }
}

async function hashContent(file: FileWindow, entry: ZipEntry, onPiece: OnPiece): Promise<Buffer> {
  const digest = createHash("sha256");
  await readContent(file, entry, (piece) => {
    digest.update(piece);
    onPiece(entry, piece);
  });
  return digest.digest();
}

function refuseUnhashable(entries: readonly ZipEntry[]): void {
  let total = 0;
  for (const { name, uncompressedSize } of entries) {
    refuseNewline(name);
    total += Math.abs(uncompressedSize);
  }
  if (total > maxContents) throw new DirhashError("contents-too-large", "the files of the zip are too large");
}

function refuseNewline(name: string): void {
  if (name.includes("\n")) throw new DirhashError("newline-in-name", "a file name has a newline in it");
}

/** A name with one character for each of its bytes, and the hash of the content. */
interface HashedFile {
  readonly name: string;
  readonly digest: Buffer;
}

/** With a character for each byte, the order of UTF-16 units is the order of bytes. */
function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** `sorted` by name. */
function summarize(sorted: Iterable<HashedFile>): string {
  const summary = createHash("sha256");
  for (const { name, digest } of sorted) summary.update(`${digest.toString("hex")}  ${name}\n`, "latin1");
  return `h1:${summary.digest("base64")}`;
}
