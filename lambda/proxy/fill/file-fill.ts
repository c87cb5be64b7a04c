import { hashGoMod } from "../../golang/dirhash.ts";
import { modulePath } from "../../golang/modfile.ts";
import { escapePath, escapeVersion } from "../../golang/module.ts";
import type { Checksums, VersionHashes } from "../checksums/checksums.ts";
import type { ZipFacts, ZipInspector } from "../intake/zip-inspector.ts";
import { type ModuleSource, missTime, readBody } from "../sources/module-source.ts";
import { checkInfo, formatInfo, infoLimit, parseInfo } from "../sources/version-info.ts";
import type { Clock } from "../store/clock.ts";
import { type FileKind, fileKey, type ModuleVersion, policyOf } from "../store/layout.ts";
import type { Leases } from "../store/leases.ts";
import type { FileSource, ModuleStore } from "../store/module-store.ts";
import { NotFoundMemory } from "../store/not-found-memory.ts";
import { ServedError } from "../store/served-error.ts";
import { SingleFlight } from "../store/single-flight.ts";
import type { TemporaryFiles } from "../store/temporary-files.ts";
import type { VersionFacts } from "../store/version-facts.ts";
import type { MemoryName, VersionIndex } from "../store/version-index.ts";

/** Bytes: `go` refuses more (x/mod/zip MaxZipFile, MaxGoMod). */
const limits = { zip: 500 << 20, mod: 16 << 20, info: infoLimit } as const;

/** Milliseconds within which a miss ends; a zip may take as long as its bytes keep coming. */
const budgets = { info: missTime, mod: missTime, zip: 15 * 60_000 } as const;

export interface FileFillParts {
  readonly store: ModuleStore;
  readonly index: VersionIndex;
  readonly leases: Leases;
  readonly source: ModuleSource;
  readonly checksums: Checksums;
  readonly isPrivate: (module: string) => boolean;
  readonly inspector: ZipInspector;
  readonly temporaryFiles: TemporaryFiles;
  readonly clock: Clock;
  /** Seconds for which an upstream's 404 is remembered. */
  readonly notFoundSeconds: number;
}

/** A file that is stored from now on; `bytes` unless it is a zip. */
export interface FilledFile {
  readonly key: string;
  readonly size: number;
  readonly bytes: Uint8Array | undefined;
}

/**
 * Fetches, verifies and stores the files of module versions, each once.
 *
 * The order of writes is the design: verified file first, index row last. A crash in between leaves a file without its
 * row and a lease that was not released: whoever takes that lease over writes the row, as does the next start of a local
 * server. A row that could not be written otherwise is tried again after the next one that could.
 */
export class FileFill {
  readonly #parts: FileFillParts;
  readonly #missing: NotFoundMemory;
  readonly #flights = new SingleFlight<FilledFile>();
  /** Versions with a stored file and no row, because writing it failed. */
  readonly #invisible = new Map<string, { readonly module: ModuleVersion; readonly facts: VersionFacts }>();

  constructor(parts: FileFillParts) {
    this.#parts = parts;
    this.#missing = new NotFoundMemory(parts);
  }

  /** The file of a module version, from the store or else from its upstream; a zip together with both small files. */
  fill(kind: FileKind, module: ModuleVersion): Promise<FilledFile> {
    const key = fileKey(module, kind);
    return this.#flights.run(key, async () => (await this.#stored(kind, module)) ?? this.#fetchOnce(kind, module));
  }

  async #stored(kind: FileKind, module: ModuleVersion): Promise<FilledFile | undefined> {
    const { store } = this.#parts;
    const key = fileKey(module, kind);
    if (kind === "zip") {
      const size = await store.size(key);
      return size === undefined ? undefined : { key, size, bytes: undefined };
    }
    const bytes = await store.read(key);
    return bytes === undefined ? undefined : { key, size: bytes.length, bytes };
  }

  async #fetchOnce(kind: FileKind, module: ModuleVersion): Promise<FilledFile> {
    await this.#missing.refuse(module.path, missingFile(kind, module));
    return this.#parts.leases.run(`${module.path}@${module.version} ${kind}`, {
      look: () => this.#stored(kind, module),
      work: () => this.#fetch(kind, module),
      adopt: async (found) => {
        await this.#addRow(module, factsOf(kind, found.bytes));
        return found;
      },
      deadline: this.#parts.clock.now() + budgets[kind],
    });
  }

  async #fetch(kind: FileKind, module: ModuleVersion): Promise<FilledFile> {
    try {
      return kind === "zip" ? await this.#fetchZip(module) : await this.#fetchSmall(kind, module);
    } catch (error) {
      await this.#missing.remember(module.path, missingFile(kind, module), error);
      throw error;
    }
  }

  async #fetchSmall(kind: "info" | "mod", module: ModuleVersion): Promise<FilledFile> {
    const [bytes, hashes] = await together(this.#download(kind, module), this.#parts.checksums.hashes(module));
    if (kind === "mod") checkGoMod(module, bytes, hashes);
    if (kind === "mod" && hashes === undefined && modulePath(bytes) !== module.path) await this.#confirm(module, bytes);
    return this.#commit(kind, module, bytes, { size: bytes.length, facts: factsOf(kind, bytes) });
  }

  #download(kind: "info" | "mod", module: ModuleVersion): Promise<Uint8Array> {
    return this.#parts.source.fetch(module.path, upstreamPath(module, kind), {
      limit: limits[kind],
      budget: budgets[kind],
      consume: async (body) => {
        const bytes = await readBody(body);
        return kind === "info" ? rewriteInfo(module, bytes) : bytes;
      },
    });
  }

  /**
   * Believes a go.mod that names another module only when the zip has the same: a fork used by `replace` has one, but so
   * has an upstream that mixes up its answers, and a wrong go.mod would stay for ever and keep the true zip out.
   */
  async #confirm(module: ModuleVersion, goMod: Uint8Array): Promise<void> {
    const file = this.#parts.temporaryFiles.next();
    try {
      checkZipFacts(module, await this.#downloadZip(module, file), goMod, undefined);
    } finally {
      await this.#parts.temporaryFiles.remove(file);
    }
  }

  /** The small files and the checksum database's answer are on their way while the zip is. */
  async #fetchZip(module: ModuleVersion): Promise<FilledFile> {
    const file = this.#parts.temporaryFiles.next();
    try {
      const [facts, mod, hashes] = await together(
        this.#downloadZip(module, file),
        this.fill("mod", module),
        this.#parts.checksums.hashes(module),
        this.fill("info", module),
      );
      checkZipFacts(module, facts, mod.bytes ?? new Uint8Array(), hashes);
      const { size, hash } = facts;
      const kept = { ...factsOf("mod", mod.bytes), zipSize: size, zipHash: hash };
      return await this.#commit("zip", module, { path: file }, { size, facts: kept });
    } finally {
      await this.#parts.temporaryFiles.remove(file);
    }
  }

  async #downloadZip(module: ModuleVersion, file: string): Promise<ZipFacts & { readonly size: number }> {
    const { source, temporaryFiles, inspector } = this.#parts;
    inspector.prepare();
    return source.fetch(module.path, upstreamPath(module, "zip"), {
      limit: limits.zip,
      budget: budgets.zip,
      consume: async (body) => {
        const size = await temporaryFiles.write(file, body.chunks);
        return { ...(await inspector.inspect(module, file)), size };
      },
    });
  }

  async #commit(
    kind: FileKind,
    module: ModuleVersion,
    source: FileSource,
    { size, facts }: { readonly size: number; readonly facts: VersionFacts },
  ): Promise<FilledFile> {
    const key = fileKey(module, kind);
    const policy = policyOf(kind, this.#parts.isPrivate(module.path));
    const created = await this.#parts.store.create(key, source, policy);
    await this.#addRow(module, facts);
    // What is stored is what everybody gets, also where somebody else was first in spite of the lease.
    const first = created ? undefined : await this.#stored(kind, module);
    return first ?? { key, size, bytes: source instanceof Uint8Array ? source : undefined };
  }

  async #addRow(module: ModuleVersion, facts: VersionFacts): Promise<void> {
    const { index, clock } = this.#parts;
    try {
      await index.addVersion(module.path, module.version, clock.now(), facts);
    } catch (error) {
      this.#invisible.set(`${module.path}@${module.version}`, { module, facts });
      throw error;
    }
    const late = [...this.#invisible.values()];
    this.#invisible.clear();
    await Promise.allSettled(late.map((each) => this.#addRow(each.module, each.facts)));
  }
}

/** What a small file tells of its version. */
function factsOf(kind: FileKind, bytes: Uint8Array | undefined): VersionFacts {
  return { origin: "upstream", ...(kind === "mod" && bytes && { goModHash: hashGoMod(bytes) }) };
}

function missingFile(kind: FileKind, module: ModuleVersion): MemoryName {
  return `missing ${module.version}.${kind}`;
}

/** The path of a file at an upstream: the same as its key at ours. */
function upstreamPath(module: ModuleVersion, kind: FileKind): string {
  return `/${escapePath(module.path)}/@v/${escapeVersion(module.version)}.${kind}`;
}

/**
 * Like `Promise.all`, but waits for every promise before it fails with the first failure in the order given: nothing
 * is still writing when the caller cleans up, and a file's own 404 is not hidden by what failed beside it.
 */
async function together<T extends readonly unknown[]>(...work: { readonly [K in keyof T]: Promise<T[K]> }): Promise<T> {
  const results = await Promise.allSettled(work);
  for (const result of results) if (result.status === "rejected") throw result.reason;
  return results.map((result) => (result as PromiseFulfilledResult<unknown>).value) as unknown as T;
}

function rewriteInfo(module: ModuleVersion, bytes: Uint8Array): Uint8Array {
  const info = parseInfo(module.path, bytes);
  checkInfo(module, info);
  return formatInfo(info);
}

function checkGoMod(module: ModuleVersion, bytes: Uint8Array, hashes: VersionHashes | undefined): void {
  const where = `go.mod of ${module.path}@${module.version}`;
  if (hashes === undefined && modulePath(bytes) === "")
    throw new ServedError("upstream-failed", `the ${where} names no module`);
  if (hashes !== undefined && hashGoMod(bytes) !== hashes.goMod) throw mismatch(where);
}

function checkZipFacts(
  module: ModuleVersion,
  facts: ZipFacts,
  mod: Uint8Array,
  hashes: VersionHashes | undefined,
): void {
  const where = `zip of ${module.path}@${module.version}`;
  if (hashes !== undefined && facts.hash !== hashes.zip) throw mismatch(where);
  const goMod = facts.goMod ?? new TextEncoder().encode(`module ${module.path}\n`);
  if (Buffer.compare(goMod, mod) !== 0)
    throw new ServedError("invalid-module", `the ${where} has another go.mod than the one served beside it`);
}

function mismatch(where: string): ServedError {
  return new ServedError("checksum-mismatch", `SECURITY ERROR: the ${where} differs from the checksum database`);
}
