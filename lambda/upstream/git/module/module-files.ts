import type { FileInfo, ModuleFile } from "../../../golang/zip.ts";
import { AttributeError } from "../attributes/attribute-error.ts";
import { Attributes } from "../attributes/attributes.ts";
import { type Conversion, conversionOf, convert, type StoredContent } from "../attributes/conversion.ts";
import type { Objects } from "../pack/objects.ts";
import type { TreeFile } from "../pack/tree-files.ts";

/** What of a commit's objects a zip is made of. */
export type CommitFiles = Pick<Objects, "files" | "blob" | "blobChunks">;

const attributesName = ".gitattributes";

/** Bytes of a `.gitattributes` file: no honest one is longer. */
const longestAttributes = 1 << 20;

/** Bytes of a licence; x/mod's rules for zips have the same limit, and say so. */
const longestLicense = (16 << 20) + 1;

/**
 * The paths of a commit that decide what is in the zip of the module in `directory`: its own, what converts them, and the
 * licence; `undefined` for all, which is what a module at the root has.
 */
export function pathsOfModule(directory: string): readonly string[] | undefined {
  if (directory === "") return undefined;
  const above = directory.split("/").map((_, i, all) => [...all.slice(0, i), attributesName].join("/"));
  return [...above, "LICENSE", directory];
}

/**
 * The files of the module in `directory`, as `git archive` gives them to the go command (Zip of
 * cmd/go/internal/modfetch/coderepo.go), in the order of the tree. Which of them get into the zip is for `zip.create` to say.
 *
 * A module below the root that has no LICENSE gets that of the root. Submodules of git are no files. Throws
 * `AttributeError`, and `GitFailure`, here, while they are gone through, or when a file is read.
 */
export function moduleFiles(objects: CommitFiles, tree: string, directory: string): Iterable<ModuleFile> {
  return new ModuleTree(objects, tree, directory);
}

/** Each time they are gone through the tree is: very many files are never in memory together. */
class ModuleTree implements Iterable<ModuleFile> {
  readonly #objects: CommitFiles;
  readonly #tree: string;
  readonly #directory: string;
  readonly #prefix: string;
  readonly #attributes: Attributes;
  readonly #license: ModuleFile | undefined;

  constructor(objects: CommitFiles, tree: string, directory: string) {
    this.#objects = objects;
    this.#tree = tree;
    this.#directory = directory;
    this.#prefix = directory === "" ? "" : `${directory}/`;
    const texts = new AttributeTexts(objects);
    let ownLicense = false;
    let license: string | undefined;
    for (const file of this.#files()) {
      texts.add(file);
      if (file.path === `${this.#prefix}LICENSE`) ownLicense = true;
      else if (file.path === "LICENSE") license = file.id;
    }
    this.#attributes = new Attributes(texts.byFolder);
    if (license === undefined || ownLicense) return;
    this.#license = wholeFile("LICENSE", objects.blob(license, longestLicense));
  }

  *[Symbol.iterator](): Generator<ModuleFile> {
    const archive = { objects: this.#objects, attributes: this.#attributes };
    const prefix = this.#prefix;
    for (const file of this.#files()) {
      if (file.path.startsWith(prefix)) yield new ArchivedFile(file, prefix.length, archive);
    }
    if (this.#license !== undefined) yield this.#license;
  }

  *#files(): Generator<TreeFile> {
    for (const file of this.#objects.files(this.#tree, pathsOfModule(this.#directory))) {
      if (file.kind !== "submodule") yield file;
    }
  }
}

/** The content of `.gitattributes` files, by their folders; byte strings. */
class AttributeTexts {
  readonly byFolder = new Map<string, string>();
  readonly #objects: CommitFiles;

  constructor(objects: CommitFiles) {
    this.#objects = objects;
  }

  add({ path, id, size }: TreeFile): void {
    if (path !== attributesName && !path.endsWith(`/${attributesName}`)) return;
    if ((size ?? 0) > longestAttributes) {
      throw new AttributeError(
        "attributes-too-costly",
        `a ${attributesName} file is larger than ${longestAttributes} bytes`,
      );
    }
    const folder = byteString(path.slice(0, -attributesName.length));
    this.byFolder.set(folder, this.#objects.blob(id, longestAttributes).toString("latin1"));
  }
}

/** git compares bytes. */
function byteString(path: string): string {
  return Buffer.from(path).toString("latin1");
}

interface Archive {
  readonly objects: CommitFiles;
  readonly attributes: Attributes;
}

/** A file as `git archive` gives it. */
class ArchivedFile implements ModuleFile {
  readonly path: string;
  readonly #file: TreeFile;
  readonly #archive: Archive;

  /** Its path in the module is that in the commit without the first `skipped` characters. */
  constructor(file: TreeFile, skipped: number, archive: Archive) {
    this.path = file.path.slice(skipped);
    this.#file = file;
    this.#archive = archive;
  }

  lstat(): FileInfo | Promise<FileInfo> {
    const size = this.#file.size ?? 0;
    const conversion = this.#conversion();
    if (conversion === undefined) return fileInfo(size, this.#file.kind === "symlink");
    // Twice, when the zip's rules look at it and when it is written, so that no content is kept in between.
    return convert(this.#stored(), conversion).then((converted) => fileInfo(converted.size, false));
  }

  async *open(): AsyncGenerator<Uint8Array> {
    const conversion = this.#conversion();
    yield* (conversion === undefined ? this.#stored() : await convert(this.#stored(), conversion)).chunks();
  }

  #conversion(): Conversion | undefined {
    const { path, kind } = this.#file;
    return kind === "symlink" ? undefined : conversionOf(this.#archive.attributes.of(byteString(path)));
  }

  #stored(): StoredContent {
    const { id, size = 0 } = this.#file;
    return { id, size, chunks: () => this.#archive.objects.blobChunks(id) };
  }
}

function wholeFile(path: string, content: Buffer): ModuleFile {
  return { path, lstat: () => fileInfo(content.length, false), open: () => once(content) };
}

async function* once(content: Buffer): AsyncGenerator<Uint8Array> {
  yield content;
}

function fileInfo(size: number, isLink: boolean): FileInfo {
  return { size, isFile: () => !isLink, isDirectory: () => false, isSymbolicLink: () => isLink };
}
