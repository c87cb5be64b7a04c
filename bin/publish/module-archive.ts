import { statSync } from "node:fs";
import { CodedError } from "../../lambda/golang/coded-error.ts";
import { hashGoMod, openZip } from "../../lambda/golang/dirhash.ts";
import { inspectZip } from "../../lambda/golang/inspect-zip.ts";
import type { ModuleVersion } from "../../lambda/golang/module.ts";
import { checkOpenZip } from "../../lambda/golang/zip.ts";
import type { MadeZip } from "./made-zip.ts";

/** A zip that can be published, and what go.sum has of it. */
export interface ModuleArchive {
  readonly module: ModuleVersion;
  readonly file: string;
  /** Bytes of the zip. */
  readonly size: number;
  /** Names within the module, with the bytes that each has unpacked. */
  readonly files: readonly { readonly path: string; readonly size: number }[];
  readonly sum: string;
  readonly goModSum: string;
}

/** Reads a zip as the server is going to. Throws `CodedError` "not-published". */
export async function readArchive({ module, file, goMod }: MadeZip): Promise<ModuleArchive> {
  const { hash: sum, goMod: zipped = new Uint8Array() } = await inspectZip(module, file);
  if (goMod !== undefined && Buffer.compare(goMod, zipped) !== 0) {
    const why =
      "its .gitattributes change go.mod, whose hash would then not be that of the repository: add the line go.mod -text";
    throw new CodedError("not-published", why);
  }
  return { module, file, size: statSync(file).size, files: filesOf(module, file), sum, goModSum: hashGoMod(zipped) };
}

function filesOf(module: ModuleVersion, file: string): ModuleArchive["files"] {
  const prefix = `${module.path}@${module.version}/`;
  const opened = openZip(file);
  try {
    const { entries } = checkOpenZip(module, opened);
    return entries.map(({ name, uncompressedSize: size }) => {
      return { path: Buffer.from(name, "latin1").toString().slice(prefix.length), size };
    });
  } finally {
    opened.close();
  }
}
