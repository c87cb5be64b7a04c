import { constants, createWriteStream, lstatSync, readdirSync, readFileSync, type Stats } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { CheckedFilesError, maxGoMod } from "../../lambda/golang/checked-files.ts";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import { modulePath } from "../../lambda/golang/modfile.ts";
import { create, type ModuleFile } from "../../lambda/golang/zip.ts";
import type { MadeZip } from "./made-zip.ts";

/** Folders of version control systems, which are no part of a module. */
const systems = new Set([".bzr", ".git", ".hg", ".svn"]);

/**
 * The files of a folder that may belong into its module's zip, by the rules of zip.CreateFromDir of golang.org/x/mod: not those of
 * version control systems and of nested modules. Links are never followed. `zip.create` leaves out what else does not belong there.
 */
export function folderFiles(folder: string): readonly ModuleFile[] {
  const files: ModuleFile[] = [];
  const open = [""];
  for (let directory = open.pop(); directory !== undefined; directory = open.pop()) {
    for (const entry of readdirSync(join(folder, directory), { withFileTypes: true })) {
      const path = directory === "" ? entry.name : `${directory}/${entry.name}`;
      if (!entry.isDirectory()) files.push(new FolderFile(folder, path));
      else if (!systems.has(entry.name) && !isModule(join(folder, path))) open.push(path);
    }
  }
  return files;
}

function isModule(folder: string): boolean {
  const goMod = lstatSync(join(folder, "go.mod"), { throwIfNoEntry: false });
  return goMod !== undefined && !goMod.isDirectory();
}

class FolderFile implements ModuleFile {
  readonly path: string;
  readonly #folder: string;

  constructor(folder: string, path: string) {
    this.#folder = folder;
    this.path = path;
  }

  lstat(): Stats {
    return lstatSync(join(this.#folder, this.path));
  }

  /** Not through a link that has taken the file's place since, and without waiting at a pipe that has. */
  async open(): Promise<AsyncIterable<Uint8Array>> {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = await open(join(this.#folder, this.path), flags);
    return file.createReadStream({ highWaterMark: 1 << 18 });
  }
}

/** Makes the zip of the module in a folder that is in no repository. Throws `CodedError` "not-published". */
export async function zipFolder(folder: string, version: string, output: string): Promise<MadeZip> {
  const path = pathOf(folder);
  const file = join(output, "module.zip");
  try {
    await pipeline(await create({ path, version }, folderFiles(folder)), createWriteStream(file));
  } catch (error) {
    if (!(error instanceof CheckedFilesError)) throw error;
    throw new CodedError("not-published", `create zip: ${error.message}`, { cause: error });
  }
  return { module: { path, version }, file };
}

function pathOf(folder: string): string {
  const info = lstatSync(join(folder, "go.mod"), { throwIfNoEntry: false });
  if (!info?.isFile())
    throw new CodedError(
      "not-published",
      "there is no go.mod, or it is no file: a module without one is not published",
    );
  if (info.size > maxGoMod) throw new CodedError("not-published", `go.mod is larger than ${maxGoMod} bytes`);
  const path = modulePath(readFileSync(join(folder, "go.mod")));
  if (path === "") throw new CodedError("not-published", "go.mod names no module");
  return path;
}
