import { hashGoMod } from "../../golang/dirhash.ts";
import { modulePath } from "../../golang/modfile.ts";
import type { VersionHashes } from "../checksums/checksums.ts";
import { type FileKind, fileKey, type ModuleVersion, policyOf } from "../store/layout.ts";
import type { LogRecord } from "../store/log-store.ts";
import type { FileSource, ModuleStore } from "../store/module-store.ts";
import type { Origin, VersionFacts } from "../store/version-facts.ts";
import type { Gate } from "./gate.ts";
import type { IntakeLog } from "./records.ts";
import { findStored, type StoredFile } from "./stored-file.ts";
import { together } from "./together.ts";
import type { ReceivedZip } from "./unit.ts";
import { checkGoMod, checkZip } from "./verification.ts";
import type { VersionRows } from "./version-rows.ts";

/** What speaks for the bytes of a public module beside themselves. */
export interface Evidence {
  readonly origin: Origin;
  /** What the checksum database has proved; `undefined` where none is configured. */
  readonly hashes: VersionHashes | undefined;
}

export interface PublicIntakeParts {
  readonly store: ModuleStore;
  readonly rows: VersionRows;
  readonly ownLog?: IntakeLog | undefined;
  readonly gate?: Gate | undefined;
}

/** The files of public versions, each by itself: verify → judge → store → reveal (intake.ts has the contract). */
export class PublicIntake {
  readonly #store: ModuleStore;
  readonly #rows: VersionRows;
  readonly #ownLog: IntakeLog | undefined;
  readonly #gate: Gate | undefined;

  constructor({ store, rows, ownLog, gate }: PublicIntakeParts) {
    this.#store = store;
    this.#rows = rows;
    this.#ownLog = ownLog;
    this.#gate = gate;
  }

  /** An `.info` as `readInfo` made it: no hash speaks for it, but that the version has a record was seen. */
  async enterInfo(module: ModuleVersion, bytes: Uint8Array, { origin }: Evidence): Promise<StoredFile> {
    await this.#gate?.check(module);
    return this.#enter("info", module, bytes, { size: bytes.length, facts: { origin } });
  }

  /** A go.mod; with the zip where `needsZip` says so. */
  async enterGoMod(
    module: ModuleVersion,
    bytes: Uint8Array,
    { origin, hashes, zip }: Evidence & { readonly zip: ReceivedZip | undefined },
  ): Promise<StoredFile> {
    checkGoMod(module, bytes, hashes);
    if (zip !== undefined) checkZip(module, zip.facts, bytes, hashes);
    await this.#gate?.check(module);
    const facts = { origin, goModHash: hashGoMod(bytes) };
    const [stored] = await together(
      this.#enter("mod", module, bytes, { size: bytes.length, facts }),
      this.#enqueue(module, hashes),
    );
    return stored;
  }

  /** A zip, beside the go.mod that is stored. */
  async enterZip(
    module: ModuleVersion,
    { path, size, facts }: ReceivedZip,
    { origin, hashes, goMod }: Evidence & { readonly goMod: Uint8Array },
  ): Promise<StoredFile> {
    checkZip(module, facts, goMod, hashes);
    await this.#gate?.check(module);
    const known = { origin, goModHash: hashGoMod(goMod), zipSize: size, zipHash: facts.hash };
    if (hashes === undefined) await this.log({ module, zip: facts.hash, goMod: known.goModHash, proof: undefined });
    return await this.#enter("zip", module, { path }, { size, facts: known });
  }

  /** Completes a file that was stored by somebody who may have died before its row. */
  async adopt(kind: FileKind, module: ModuleVersion, { bytes }: StoredFile, origin: Origin): Promise<void> {
    await this.#rows.add(module, { origin, ...(kind === "mod" && bytes && { goModHash: hashGoMod(bytes) }) });
  }

  /** Appends what a version is to our log, and waits until it is signed. */
  async log(record: LogRecord): Promise<void> {
    await this.#ownLog?.log.append([record]);
  }

  /** Of each version whose go.mod came in, and so of all that come in; what cannot be left to the background now is found later. */
  async #enqueue(module: ModuleVersion, hashes: VersionHashes | undefined): Promise<void> {
    if (hashes === undefined) return;
    const { zip, goMod, proof } = hashes;
    await this.#ownLog?.log.enqueue([{ module, zip, goMod, proof }]).catch(() => {});
  }

  async #enter(
    kind: FileKind,
    module: ModuleVersion,
    source: FileSource,
    { size, facts }: { readonly size: number; readonly facts: VersionFacts },
  ): Promise<StoredFile> {
    const key = fileKey(module, kind);
    const created = await this.#store.create(key, source, policyOf(kind, false));
    await this.#rows.add(module, facts);
    // What is stored is what everybody gets, also where somebody else was first in spite of the lease.
    const first = created ? undefined : await findStored(this.#store, kind, module);
    return first ?? { key, size, bytes: source instanceof Uint8Array ? source : undefined };
  }
}

/**
 * True when only the version's zip can say that this go.mod is its own: no hash speaks for it, and it names another module.
 *
 * A fork used by `replace` has such a one, but so has an upstream that mixes up its answers, and a wrong go.mod would
 * stay for ever and keep the true zip out.
 */
export function needsZip(module: ModuleVersion, goMod: Uint8Array, hashes: VersionHashes | undefined): boolean {
  return hashes === undefined && modulePath(goMod) !== module.path;
}
