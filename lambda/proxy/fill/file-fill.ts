import type { Checksums } from "../checksums/checksums.ts";
import type { Intake } from "../intake/intake.ts";
import { findStored, type StoredFile, type StoredUnit } from "../intake/stored-file.ts";
import type { ZipInspector } from "../intake/zip-inspector.ts";
import type { ModuleSource } from "../sources/module-source.ts";
import type { Clock } from "../store/clock.ts";
import { type FileKind, fileKey, type ModuleVersion } from "../store/layout.ts";
import type { Leases } from "../store/leases.ts";
import type { LogRecord } from "../store/log-store.ts";
import type { ModuleStore } from "../store/module-store.ts";
import { NotFoundMemory } from "../store/not-found-memory.ts";
import { SingleFlight } from "../store/single-flight.ts";
import type { TemporaryFiles } from "../store/temporary-files.ts";
import type { VersionIndex } from "../store/version-index.ts";
import { Downloads } from "./downloads.ts";
import { PrivateFill } from "./private-fill.ts";
import { PublicFill } from "./public-fill.ts";

export interface FileFillParts {
  readonly store: ModuleStore;
  readonly index: VersionIndex;
  readonly leases: Leases;
  readonly intake: Intake;
  readonly source: ModuleSource;
  readonly checksums: Checksums;
  readonly inspector: ZipInspector;
  readonly temporaryFiles: TemporaryFiles;
  readonly clock: Pick<Clock, "now">;
  /** Seconds for which an upstream's 404 is remembered. */
  readonly notFoundSeconds: number;
  /** Milliseconds for one file, from all upstreams and with all tries. */
  readonly budget: number;
}

/**
 * The files of module versions: from the store, or obtained from upstream, each once, and let in by intake.
 *
 * `SingleFlight` joins those who ask at the same moment in this process, a lease those in all processes; what the
 * upstream does not have is remembered for a while.
 */
export class FileFill {
  readonly #store: ModuleStore;
  readonly #index: VersionIndex;
  readonly #source: ModuleSource;
  readonly #intake: Intake;
  readonly #public: PublicFill;
  readonly #private: PrivateFill;
  readonly #flights = new SingleFlight<StoredFile>();

  constructor(parts: FileFillParts) {
    this.#store = parts.store;
    this.#index = parts.index;
    this.#source = parts.source;
    this.#intake = parts.intake;
    const obtaining = { ...parts, downloads: new Downloads(parts), missing: new NotFoundMemory(parts) };
    this.#public = new PublicFill({
      ...obtaining,
      fill: (kind, module, waitUntil) => this.fill(kind, module, waitUntil),
    });
    this.#private = new PrivateFill(obtaining);
  }

  /**
   * Makes the version of a file visible that is stored, where it is not: a process may have died between the two. Of a
   * private version only whole ones with a claim. Nothing is obtained, and doing it again changes nothing.
   */
  async reveal(kind: FileKind, module: ModuleVersion): Promise<void> {
    const { versions } = await this.#index.module(module.path);
    if (versions.some(({ version }) => version === module.version)) return;
    await this.#fillOf(module).reveal(kind, module);
  }

  /**
   * The file of a module version; a public zip comes with both small files, of a private version all come together.
   *
   * Waits for the fetch of another process until `waitUntil` (milliseconds since the epoch) at the latest.
   */
  fill(kind: FileKind, module: ModuleVersion, waitUntil = Number.POSITIVE_INFINITY): Promise<StoredFile> {
    return this.#flights.run(
      fileKey(module, kind),
      async () => (await findStored(this.#store, kind, module)) ?? this.#obtain(kind, module, waitUntil),
    );
  }

  /**
   * Has our log say what a version is: a private one comes in whole for that, of a public one what is proved of it is
   * enough. Doing it again changes nothing. Throws as `fill` does, and what an append throws.
   */
  record(module: ModuleVersion, waitUntil: number): Promise<void> {
    return this.#fillOf(module).record(module, waitUntil);
  }

  /** What the log is to say of a version, where that is known without its files and without asking: by its claim, or by a proof that is kept. */
  known(module: ModuleVersion): Promise<LogRecord | undefined> {
    return this.#fillOf(module).known(module);
  }

  /** Logs a version by its stored files; false where they are not all there. Nothing is obtained. */
  logByFiles(module: ModuleVersion): Promise<boolean> {
    return this.#fillOf(module).logByFiles(module);
  }

  /** Completes a private version whose three files are stored, under its lease. */
  adoptUnit(module: ModuleVersion, found: StoredUnit): Promise<StoredUnit> {
    return this.#private.adopt(module, found);
  }

  /** Nobody is asked for what may not come in. */
  async #obtain(kind: FileKind, module: ModuleVersion, waitUntil: number): Promise<StoredFile> {
    await this.#intake.judge(module);
    return this.#fillOf(module).file(kind, module, waitUntil);
  }

  #fillOf({ path }: ModuleVersion): PublicFill | PrivateFill {
    return this.#source.isPrivate(path) ? this.#private : this.#public;
  }
}
