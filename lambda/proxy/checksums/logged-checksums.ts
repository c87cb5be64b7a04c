import { recordedHashes } from "../../golang/sumdb.ts";
import type { ModuleVersion } from "../store/layout.ts";
import type { RecordReads } from "../store/record-log.ts";
import { ServedError } from "../store/served-error.ts";
import type { Checksums, VersionHashes } from "./checksums.ts";

/**
 * What a checksum database says of public modules, held against what our own log said of them before, and that alone where
 * there is no database: a record stands, whichever database is configured later.
 */
export class LoggedChecksums implements Checksums {
  readonly #theirs: Checksums;
  readonly #ours: Pick<RecordReads, "lookup">;

  constructor(theirs: Checksums, ours: Pick<RecordReads, "lookup">) {
    this.#theirs = theirs;
    this.#ours = ours;
  }

  /** Throws as the database does, and `ServedError` "record-mismatch". */
  async hashes(module: ModuleVersion): Promise<VersionHashes | undefined> {
    const [theirs, ours] = await Promise.all([this.#theirs.hashes(module), this.#logged(module)]);
    if (theirs === undefined || ours === undefined) return theirs ?? ours;
    if (theirs.zip !== ours.zip) throw mismatch(module, "zip", ours.zip, theirs.zip);
    if (theirs.goMod !== ours.goMod) throw mismatch(module, "go.mod", ours.goMod, theirs.goMod);
    return theirs;
  }

  async kept(module: ModuleVersion): Promise<VersionHashes | undefined> {
    return (await this.#theirs.kept(module)) ?? (await this.#logged(module));
  }

  async #logged(module: ModuleVersion): Promise<VersionHashes | undefined> {
    const logged = await this.#ours.lookup(module);
    if (logged === undefined) return undefined;
    const { zip, mod } = recordedHashes(logged.text, module.path, module.version);
    return zip[0] === undefined || mod[0] === undefined ? undefined : { zip: zip[0], goMod: mod[0] };
  }
}

function mismatch({ path, version }: ModuleVersion, file: string, ours: string, theirs: string): ServedError {
  return new ServedError(
    "record-mismatch",
    `SECURITY ERROR: the checksum database says another ${file} of ${path}@${version} than this proxy's log: the log says ${ours}, the database now ${theirs}`,
  );
}
