import { type FileKind, fileKey, type ModuleVersion } from "../store/layout.ts";
import type { ModuleStore } from "../store/module-store.ts";

/** A file that is stored; `bytes` unless it is a zip. */
export interface StoredFile {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  readonly bytes: Uint8Array | undefined;
}

/** The file of a module version, where it is stored. */
export async function findStored(
  store: ModuleStore,
  kind: FileKind,
  module: ModuleVersion,
): Promise<StoredFile | undefined> {
  const key = fileKey(module, kind);
  if (kind === "zip") {
    const size = await store.size(key);
    return size === undefined ? undefined : { key, size, bytes: undefined };
  }
  const bytes = await store.read(key);
  return bytes === undefined ? undefined : { key, size: bytes.length, bytes };
}

/** The three files of a private version, all of them stored. */
export type StoredUnit = Readonly<Record<FileKind, StoredFile>>;

/** All three files of a module version, or `undefined` when one is missing: one call where the zip is. */
export async function findStoredUnit(store: ModuleStore, module: ModuleVersion): Promise<StoredUnit | undefined> {
  const zip = await findStored(store, "zip", module);
  if (zip === undefined) return undefined;
  const [info, mod] = await Promise.all([findStored(store, "info", module), findStored(store, "mod", module)]);
  return info && mod && { info, mod, zip };
}
