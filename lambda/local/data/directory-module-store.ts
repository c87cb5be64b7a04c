import { constants, linkSync, lstatSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { copyFile, mkdir, opendir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { FileSource, ModuleStore } from "../../proxy/store/module-store.ts";
import { ServedError } from "../../proxy/store/served-error.ts";
import { sweepTemporaryFiles, temporaryName } from "../../runtime/temporary-files.ts";
import { mostAtOnce, sync, writeDurable } from "./durable-files.ts";
import { type Failpoint, noFailpoint } from "./failpoints.ts";
import { errno, fileFailure } from "./storage-failure.ts";

const largestRead = 16 << 20;

/** How many folders are remembered as durable before the memory starts anew; forgetting one costs an fsync. */
const rememberedFolders = 10_000;

/**
 * Module files in the folder `<data>/mod`, their keys as paths, so that the folder is a static GOPROXY tree.
 *
 * A new file is written and synced in `<data>/tmp` and then linked to its name: link(2) is atomic and refuses a name
 * that is taken, so that readers and crashes meet the whole file or none, and one of many creators wins.
 */
export class DirectoryModuleStore implements ModuleStore {
  readonly #root: string;
  readonly #temporary: string;
  readonly #failpoint: Failpoint;
  /** Folders whose names are known to have reached the disk, in this process. */
  readonly #durable = new Set<string>();

  private constructor(data: string, failpoint: Failpoint) {
    this.#root = join(data, "mod");
    this.#temporary = join(data, "tmp");
    this.#failpoint = failpoint;
  }

  /** Opens the store of a data folder, made where there is none, and sweeps what dead processes left there. */
  static async open(data: string, now: number, failpoint: Failpoint = noFailpoint): Promise<DirectoryModuleStore> {
    const store = new DirectoryModuleStore(data, failpoint);
    try {
      await makeFolder(store.#root);
      await makeFolder(store.#temporary);
      await sweepTemporaryFiles(store.#temporary, now);
    } catch (error) {
      throw fileFailure(error);
    }
    return store;
  }

  /** The path of the file that `key` names, whether it exists or not. Files never change, so they may be streamed from there. */
  path(key: string): string {
    checkKey(key);
    return join(this.#root, key);
  }

  async read(key: string): Promise<Uint8Array | undefined> {
    const path = this.path(key);
    return absentIsUndefined(async () => {
      const info = statSync(path, { throwIfNoEntry: false });
      if (info === undefined || !info.isFile()) return undefined;
      if (info.size > largestRead) throw new ServedError("store-failed", "a stored file is larger than 16 MiB");
      return new Uint8Array(info.size > mostAtOnce ? await readFile(path) : readFileSync(path));
    });
  }

  /** Not synchronous inside, unlike `read`: whoever asks in a loop until a zip is there gives way to who makes it. */
  async size(key: string): Promise<number | undefined> {
    const path = this.path(key);
    return absentIsUndefined(async () => {
      const info = await stat(path);
      return info.isFile() ? info.size : undefined;
    });
  }

  async copy(key: string, path: string): Promise<number | undefined> {
    const from = this.path(key);
    return absentIsUndefined(async () => {
      if (kind(from) !== "file") return undefined;
      await copyFile(from, path);
      return (await stat(path)).size;
    });
  }

  async create(key: string, source: FileSource): Promise<boolean> {
    const path = this.path(key);
    try {
      this.#failpoint("store.create.before");
      const created = kind(path) === undefined && (await this.#add(path, source));
      if (!created && kind(path) !== "file") {
        throw new ServedError("store-failed", "a folder stands in the data folder where a file is needed");
      }
      // Also when somebody else was first: they may have crashed before it got here.
      await this.#persist(dirname(path));
      this.#failpoint("store.create.after");
      return created;
    } catch (error) {
      throw fileFailure(error);
    }
  }

  async remove(key: string): Promise<void> {
    const path = this.path(key);
    await absentIsUndefined(async () => {
      this.#failpoint("store.remove.before");
      if (kind(path) === "file") rmSync(path, { force: true });
      this.#failpoint("store.remove.removed");
      // Also where there is none: who removed it may have crashed before it got here.
      if (kind(dirname(path)) === "other") await sync(dirname(path));
      this.#failpoint("store.remove.after");
    });
  }

  async *keys(prefix: string): AsyncIterable<string> {
    const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
    if (folder !== "") checkKey(folder.slice(0, -1));
    const folders = [folder];
    try {
      for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
        for (const entry of await entries(join(this.#root, at))) {
          const key = at + entry.name;
          // Not ours: create would have refused it.
          if (!isKey(key)) continue;
          if (entry.isFolder && `${key}/`.startsWith(prefix.slice(0, key.length + 1))) folders.push(`${key}/`);
          if (entry.isFile && key.startsWith(prefix)) yield key;
        }
      }
    } catch (error) {
      throw fileFailure(error);
    }
  }

  /** Brings the bytes onto the disk under a temporary name and gives them theirs; false when it is taken. */
  async #add(path: string, source: FileSource): Promise<boolean> {
    const linked = source instanceof Uint8Array ? undefined : await this.#linkSource(source.path, path);
    if (linked !== undefined) return linked;
    const temporary = join(this.#temporary, temporaryName());
    try {
      if (source instanceof Uint8Array) await writeDurable(temporary, source);
      else await copyDurable(source.path, temporary);
      this.#failpoint("store.create.written");
      return this.#link(temporary, path);
    } finally {
      rmSync(temporary, { force: true });
    }
  }

  /** Saves the copy where the source can be linked itself; `undefined` where it cannot. */
  async #linkSource(source: string, path: string): Promise<boolean | undefined> {
    await sync(source);
    if (kind(source) !== "file") return undefined;
    this.#failpoint("store.create.written");
    try {
      return this.#link(source, path);
    } catch (error) {
      // Another file system, too many links, or a system that links only files of one's own.
      if (["EXDEV", "EMLINK", "EPERM"].includes(errno(error) ?? "")) return undefined;
      throw error;
    }
  }

  #link(from: string, path: string): boolean {
    try {
      linkInto(from, path);
    } catch (error) {
      if (errno(error) === "EEXIST" && kind(path) !== undefined) return false;
      throw error;
    }
    this.#failpoint("store.create.linked");
    return true;
  }

  /** Syncs a folder, and each one above it whose name may not have reached the disk yet. */
  async #persist(folder: string): Promise<void> {
    const fresh: string[] = [];
    for (let at = folder; at !== this.#root && !this.#durable.has(at); at = dirname(at)) fresh.push(at);
    // At once: the disk takes many of them in one go, and nobody is told of any before all are done.
    await allSettled([folder, ...fresh.map(dirname)].map(sync));
    if (this.#durable.size + fresh.length > rememberedFolders) this.#durable.clear();
    for (const at of fresh) this.#durable.add(at);
  }
}

/** Checks `isKey`, or throws "internal": keys are made of paths that were checked, so one that is none is our mistake. */
export function checkKey(key: string): void {
  if (!isKey(key)) throw new ServedError("internal", "a file was asked for under a name that cannot be stored");
}

/** True when `key` is a path below the root on every file system, and a key of S3. */
export function isKey(key: string): boolean {
  return (
    Buffer.byteLength(key) <= 1024 &&
    key.isWellFormed() &&
    !/[\\\u0000-\u001f\u007f]/.test(key) &&
    key.split("/").every((element) => !["", ".", ".."].includes(element) && Buffer.byteLength(element) <= 255)
  );
}

async function absentIsUndefined<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    // ENOTDIR: a file stands where the key has a folder, so there is nothing below it.
    if (errno(error) === "ENOENT" || errno(error) === "ENOTDIR") return undefined;
    throw fileFailure(error);
  }
}

/** mkdir -p. Node's own never returns where a folder's name cannot be made at all, as in /proc. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (errno(error) === "EEXIST" && (await stat(path)).isDirectory()) return;
    if (errno(error) !== "ENOENT" || (await isFolder(dirname(path)))) throw error;
    await makeFolder(dirname(path));
    await mkdir(path);
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
}

/** link(2), making the folder where it is missing: it rarely is, only for the first version of a module. */
function linkInto(from: string, path: string): void {
  try {
    linkSync(from, path);
  } catch (error) {
    if (errno(error) !== "ENOENT") throw error;
    mkdirSync(dirname(path), { recursive: true });
    linkSync(from, path);
  }
}

function kind(path: string): "file" | "other" | undefined {
  const info = lstatSync(path, { throwIfNoEntry: false });
  return info && (info.isFile() ? "file" : "other");
}

async function copyDurable(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_EXCL);
  await sync(to);
}

/** `Promise.all` that leaves nothing running when it fails. */
async function allSettled(work: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === "rejected") throw result.reason;
}

async function entries(folder: string): Promise<readonly { name: string; isFile: boolean; isFolder: boolean }[]> {
  try {
    const found = [];
    for await (const entry of await opendir(folder)) {
      found.push({ name: entry.name, isFile: entry.isFile(), isFolder: entry.isDirectory() });
    }
    return found;
  } catch (error) {
    if (errno(error) === "ENOENT" || errno(error) === "ENOTDIR") return [];
    throw error;
  }
}
