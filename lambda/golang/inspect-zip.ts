import type { CheckedFiles } from "./checked-files.ts";
import { hashEntries, openZip } from "./dirhash.ts";
import type { ModuleVersion } from "./module.ts";
import { checkOpenZip } from "./zip.ts";

/** All that is learnt from a module zip. */
export interface ZipInspection {
  readonly checked: CheckedFiles;
  /** The `h1:` hash of the zip, as in go.sum. */
  readonly hash: string;
  /** The go.mod file at its root, or undefined when it has none. */
  readonly goMod: Uint8Array | undefined;
}

/**
 * Checks a module zip by the rules of x/mod/zip, hashes it and takes out its go.mod, reading the file once.
 *
 * Throws what `checkZip` and `hashZip` throw. Contents are verified against their sizes and checksums while they are
 * inflated, never past the declared size. Reads synchronously: meant for a worker thread; memory does not depend on the
 * size of the zip.
 */
export async function inspectZip(module: ModuleVersion, path: string): Promise<ZipInspection> {
  const file = openZip(path);
  try {
    const { checked, entries } = checkOpenZip(module, file);
    const goModName = `${module.path}@${module.version}/go.mod`;
    const goMod: Uint8Array[] = [];
    const hash = await hashEntries(file, entries, (entry, piece) => {
      if (entry.name === goModName) goMod.push(Uint8Array.from(piece));
    });
    const hasGoMod = entries.some((entry) => entry.name === goModName);
    return { checked, hash, goMod: hasGoMod ? new Uint8Array(Buffer.concat(goMod)) : undefined };
  } finally {
    file.close();
  }
}
