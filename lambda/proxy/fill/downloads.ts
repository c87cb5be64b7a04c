import { escapePath, escapeVersion } from "../../golang/module.ts";
import type { ReceivedZip } from "../intake/unit.ts";
import { readInfo } from "../intake/verification.ts";
import type { ZipInspector } from "../intake/zip-inspector.ts";
import { type ModuleSource, readBody } from "../sources/module-source.ts";
import { infoLimit } from "../sources/version-info.ts";
import type { FileKind, ModuleVersion } from "../store/layout.ts";
import type { TemporaryFiles } from "../store/temporary-files.ts";

/** Bytes: `go` refuses more (x/mod/zip MaxZipFile, MaxGoMod). */
const limits = { zip: 500 << 20, mod: 16 << 20, info: infoLimit } as const;

export interface DownloadsParts {
  readonly source: ModuleSource;
  readonly inspector: ZipInspector;
  readonly temporaryFiles: TemporaryFiles;
  /** Milliseconds for one file: upstreams clone on demand, and a zip is large. */
  readonly budget: number;
}

/**
 * The files of module versions from their upstreams, each read as soon as it is here: what cannot be right is a failure
 * of the upstream, and a chain may go on to the next.
 */
export class Downloads {
  readonly #parts: DownloadsParts;

  constructor(parts: DownloadsParts) {
    this.#parts = parts;
  }

  small(kind: "info" | "mod", module: ModuleVersion): Promise<Uint8Array> {
    return this.#parts.source.fetch(module.path, upstreamPath(module, kind), {
      limit: limits[kind],
      budget: this.#parts.budget,
      consume: async (body) => {
        const bytes = await readBody(body);
        return kind === "info" ? readInfo(module, bytes) : bytes;
      },
    });
  }

  /** Writes a zip to `path`, which is the caller's to remove. */
  zip(module: ModuleVersion, path: string): Promise<ReceivedZip> {
    const { source, temporaryFiles, inspector } = this.#parts;
    inspector.prepare();
    return source.fetch(module.path, upstreamPath(module, "zip"), {
      limit: limits.zip,
      budget: this.#parts.budget,
      consume: async (body) => {
        const size = await temporaryFiles.write(path, body.chunks);
        return { path, size, facts: await inspector.inspect(module, path) };
      },
    });
  }
}

/** The path of a file at an upstream: the same as its key at ours. */
function upstreamPath(module: ModuleVersion, kind: FileKind): string {
  return `/${escapePath(module.path)}/@v/${escapeVersion(module.version)}.${kind}`;
}
