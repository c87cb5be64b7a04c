import { hashGoMod } from "../../golang/dirhash.ts";
import type { Checksums } from "../checksums/checksums.ts";
import type { Intake } from "../intake/intake.ts";
import { needsZip } from "../intake/public-intake.ts";
import { recordOf } from "../intake/records.ts";
import { findStored, type StoredFile } from "../intake/stored-file.ts";
import { together } from "../intake/together.ts";
import type { ReceivedZip } from "../intake/unit.ts";
import type { ZipInspector } from "../intake/zip-inspector.ts";
import type { Clock } from "../store/clock.ts";
import type { FileKind, ModuleVersion } from "../store/layout.ts";
import type { Leases } from "../store/leases.ts";
import type { LogRecord } from "../store/log-store.ts";
import { missingFile } from "../store/missing-names.ts";
import type { ModuleStore } from "../store/module-store.ts";
import type { NotFoundMemory } from "../store/not-found-memory.ts";
import { ServedError } from "../store/served-error.ts";
import type { TemporaryFiles } from "../store/temporary-files.ts";
import type { Downloads } from "./downloads.ts";

export interface PublicFillParts {
  readonly store: ModuleStore;
  readonly leases: Leases;
  readonly intake: Intake;
  readonly downloads: Downloads;
  readonly checksums: Checksums;
  readonly inspector: ZipInspector;
  readonly temporaryFiles: TemporaryFiles;
  readonly missing: NotFoundMemory;
  readonly clock: Pick<Clock, "now">;
  readonly budget: number;
  /** A file of the same version, from the store or from here. */
  readonly fill: (kind: FileKind, module: ModuleVersion, waitUntil: number) => Promise<StoredFile>;
}

const origin = "upstream";

/** Files of public modules, each under a lease of its own: what was asked is obtained, a zip together with both small files. */
export class PublicFill {
  readonly #parts: PublicFillParts;

  constructor(parts: PublicFillParts) {
    this.#parts = parts;
  }

  /** A file that was not stored a moment ago. */
  async file(kind: FileKind, module: ModuleVersion, waitUntil: number): Promise<StoredFile> {
    const { leases, missing, intake, store, clock, budget } = this.#parts;
    await missing.refuse(module.path, missingFile(kind, module));
    return leases.run(`${module.path}@${module.version} ${kind}`, {
      look: () => findStored(store, kind, module),
      work: () => this.#obtain(kind, module, waitUntil),
      adopt: async (found) => {
        await intake.publicly.adopt(kind, module, found, origin);
        return found;
      },
      deadline: Math.min(clock.now() + budget, waitUntil),
    });
  }

  /** Logs the version by the hashes that are proved of it, without its files; where nothing proves any, by its stored zip. */
  async record(module: ModuleVersion, waitUntil: number): Promise<void> {
    const { checksums, intake, fill } = this.#parts;
    const proved = await checksums.hashes(module);
    if (proved !== undefined) return intake.publicly.log(recordOf(module, proved));
    const [zip, mod] = await together(fill("zip", module, waitUntil), fill("mod", module, waitUntil));
    await this.#logFiles(module, zip, mod);
  }

  async known(module: ModuleVersion): Promise<LogRecord | undefined> {
    const proved = await this.#parts.checksums.kept(module);
    return proved && recordOf(module, proved);
  }

  async logByFiles(module: ModuleVersion): Promise<boolean> {
    const { store } = this.#parts;
    const [zip, mod] = await Promise.all([findStored(store, "zip", module), findStored(store, "mod", module)]);
    if (zip === undefined || mod === undefined) return false;
    await this.#logFiles(module, zip, mod);
    return true;
  }

  /** Makes the version of a stored file visible. */
  async reveal(kind: FileKind, module: ModuleVersion): Promise<void> {
    const { store, intake } = this.#parts;
    const found = await findStored(store, kind, module);
    if (found !== undefined) await intake.publicly.adopt(kind, module, found, origin);
  }

  async #obtain(kind: FileKind, module: ModuleVersion, waitUntil: number): Promise<StoredFile> {
    try {
      if (kind === "zip") return await this.#withFile((file) => this.#obtainZip(module, file, waitUntil));
      return kind === "mod" ? await this.#obtainGoMod(module) : await this.#obtainInfo(module);
    } catch (error) {
      await this.#parts.missing.remember(module.path, missingFile(kind, module), error);
      throw error;
    }
  }

  async #obtainInfo(module: ModuleVersion): Promise<StoredFile> {
    const { downloads, checksums, intake } = this.#parts;
    const [bytes, hashes] = await together(downloads.small("info", module), checksums.hashes(module));
    return intake.publicly.enterInfo(module, bytes, { origin, hashes });
  }

  async #obtainGoMod(module: ModuleVersion): Promise<StoredFile> {
    const { downloads, checksums, intake } = this.#parts;
    const [bytes, hashes] = await together(downloads.small("mod", module), checksums.hashes(module));
    const enter = (zip: ReceivedZip | undefined) => intake.publicly.enterGoMod(module, bytes, { origin, hashes, zip });
    if (!needsZip(module, bytes, hashes)) return enter(undefined);
    return this.#withFile(async (file) => enter(await downloads.zip(module, file)));
  }

  /** The small files and the checksum database's answer are on their way while the zip is. */
  async #obtainZip(module: ModuleVersion, file: string, waitUntil: number): Promise<StoredFile> {
    const { downloads, checksums, intake, fill } = this.#parts;
    const [zip, mod, hashes] = await together(
      downloads.zip(module, file),
      fill("mod", module, waitUntil),
      checksums.hashes(module),
      fill("info", module, waitUntil),
    );
    return intake.publicly.enterZip(module, zip, { origin, hashes, goMod: mod.bytes ?? new Uint8Array() });
  }

  async #logFiles(module: ModuleVersion, zip: StoredFile, mod: StoredFile): Promise<void> {
    const { store, inspector, intake } = this.#parts;
    await this.#withFile(async (file) => {
      if ((await store.copy(zip.key, file)) === undefined)
        throw new ServedError("store-failed", "a stored file is gone: try again");
      const { hash } = await inspector.inspect(module, file);
      const goMod = hashGoMod(mod.bytes ?? new Uint8Array());
      await intake.publicly.log({ module, zip: hash, goMod, proof: undefined });
    });
  }

  async #withFile<T>(work: (file: string) => Promise<T>): Promise<T> {
    const file = this.#parts.temporaryFiles.next();
    try {
      return await work(file);
    } finally {
      await this.#parts.temporaryFiles.remove(file);
    }
  }
}
