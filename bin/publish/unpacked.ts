import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { openZip } from "../../lambda/golang/dirhash.ts";
import { checkOpenZip } from "../../lambda/golang/zip.ts";
import { readContent } from "../../lambda/golang/zip-content.ts";
import type { ModuleArchive } from "./module-archive.ts";

/** Writes the files of a module below a folder, which is to be there and empty: by x/mod's rules no name leads out of it. */
export async function unpack({ module, file }: ModuleArchive, folder: string): Promise<void> {
  const prefix = `${module.path}@${module.version}/`;
  const opened = openZip(file);
  try {
    for (const entry of checkOpenZip(module, opened).entries) {
      const path = join(folder, Buffer.from(entry.name, "latin1").toString().slice(prefix.length));
      mkdirSync(dirname(path), { recursive: true });
      const output = openSync(path, "wx");
      try {
        await readContent(opened, entry, (piece) => {
          for (let at = 0; at < piece.length; ) at += writeSync(output, piece, at);
        });
      } finally {
        closeSync(output);
      }
    }
  } finally {
    opened.close();
  }
}
