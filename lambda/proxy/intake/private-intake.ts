import { isCodedError } from "../../golang/coded-error.ts";
import { hashGoMod } from "../../golang/dirhash.ts";
import type { Claim, ClaimStore } from "../store/claim-store.ts";
import { type FileKind, fileKey, type ModuleVersion, policyOf, stagedKey } from "../store/layout.ts";
import type { FileSource, ModuleStore } from "../store/module-store.ts";
import type { Origin, VersionFacts } from "../store/version-facts.ts";
import { checkClaim, claimMismatch, claimOf, infoMismatch, sha256 } from "./claims.ts";
import type { Gate } from "./gate.ts";
import { checkRecord, type IntakeLog, recordOf } from "./records.ts";
import { Staging } from "./staging.ts";
import { findStored, type StoredFile, type StoredUnit } from "./stored-file.ts";
import { together } from "./together.ts";
import type { Unit } from "./unit.ts";
import { checkGoMod, checkZip, goModOf, sayTheSame } from "./verification.ts";
import type { VersionRows } from "./version-rows.ts";

export interface PrivateIntakeParts {
  readonly store: ModuleStore;
  readonly claims: ClaimStore;
  readonly rows: VersionRows;
  readonly ownLog?: IntakeLog | undefined;
  readonly gate?: Gate | undefined;
}

/** Private versions, each whole: verify → judge → stage → claim → log → store → reveal (intake.ts has the contract). */
export class PrivateIntake {
  readonly #store: ModuleStore;
  readonly #claims: ClaimStore;
  readonly #rows: VersionRows;
  readonly #ownLog: IntakeLog | undefined;
  readonly #gate: Gate | undefined;
  readonly #staging: Staging;

  constructor({ store, claims, rows, ownLog, gate }: PrivateIntakeParts) {
    this.#store = store;
    this.#claims = claims;
    this.#rows = rows;
    this.#ownLog = ownLog;
    this.#gate = gate;
    this.#staging = new Staging(store);
  }

  /** The claim that stands for a version, which its files have to match. */
  claim(module: ModuleVersion): Promise<Claim | undefined> {
    return this.#claims.read(module);
  }

  async enter(module: ModuleVersion, unit: Unit, origin: Origin): Promise<StoredUnit> {
    verify(module, unit);
    await this.#gate?.check(module);
    const ours = claimOf(unit);
    const staged = await this.#staging.stage(unit, ours);
    const { info, standing } = await this.#settle(module, unit, ours).catch(async (error: unknown) => {
      // Of no more use, unlike what is staged when a medium fails.
      if (isCodedError(error, "claim-mismatch", "record-mismatch")) await this.#staging.remove(staged);
      throw error;
    });
    const stored = await this.#storeAll(module, { ...unit, info });
    await this.#rows.add(module, factsOf(origin, standing, stored));
    await this.#staging.remove(staged);
    return stored;
  }

  /** Completes a version whose three files are stored; false when it has no claim yet, and must enter. */
  async adopt(module: ModuleVersion, stored: StoredUnit, origin: Origin): Promise<boolean> {
    const claim = await this.#claims.read(module);
    if (claim === undefined) return false;
    await this.#ownLog?.log.append([recordOf(module, claim)]);
    await this.#rows.add(module, factsOf(origin, claim, stored));
    return true;
  }

  /** Before a claim that would contradict the log; where the claim stands that the log has, that is the one to name. */
  async #checkRecord(module: ModuleVersion, ours: Claim): Promise<void> {
    if (this.#ownLog === undefined) return;
    await checkRecord(this.#ownLog, module, ours).catch(async (error: unknown) => {
      const standing = await this.#claims.read(module);
      if (standing !== undefined) checkClaim(module, standing, ours);
      throw error;
    });
  }

  /** Claims the version, or finds out that it is what was claimed before; and logs the claim. */
  async #settle(module: ModuleVersion, unit: Unit, ours: Claim) {
    await this.#checkRecord(module, ours);
    const standing = await this.#claims.claim(module, ours);
    checkClaim(module, standing, ours);
    const info = await this.#claimedInfo(module, unit, { ours, standing });
    await this.#ownLog?.log.append([recordOf(module, standing)]);
    return { standing, info };
  }

  /**
   * The `.info` that was claimed. Upstreams tell another time or origin for the same tag now and then: zip and go.mod say
   * that it is the same version, and the `.info` that came in first is the one that is kept, where there still is one.
   */
  async #claimedInfo(
    module: ModuleVersion,
    { info }: Unit,
    { ours, standing }: { readonly ours: Claim; readonly standing: Claim },
  ): Promise<Unit["info"]> {
    if (ours.info === standing.info) return info;
    const stored = await this.#store.read(fileKey(module, "info"));
    if (stored && sha256(stored) === standing.info) return { bytes: stored, kept: true };
    const staged = await this.#store.read(stagedKey(standing.info));
    if (staged && sha256(staged) === standing.info) return { bytes: staged, kept: false };
    throw infoMismatch(module, standing, ours);
  }

  /** What lies under a protocol key may be served past us at once. */
  async #storeAll(module: ModuleVersion, { info, mod, zip }: Unit): Promise<StoredUnit> {
    const [storedInfo, storedMod, storedZip] = await together(
      this.#keep("info", module, info.bytes, { size: info.bytes.length, kept: info.kept }),
      this.#keep("mod", module, mod.bytes, { size: mod.bytes.length, kept: mod.kept }),
      this.#keep("zip", module, { path: zip.path }, zip),
    );
    return { info: storedInfo, mod: storedMod, zip: storedZip };
  }

  async #keep(
    kind: FileKind,
    module: ModuleVersion,
    source: FileSource,
    { size, kept }: { readonly size: number; readonly kept: boolean },
  ): Promise<StoredFile> {
    const key = fileKey(module, kind);
    const created = kept || (await this.#store.create(key, source, policyOf(kind, true)));
    const first = created ? undefined : await findStored(this.#store, kind, module);
    // Since we looked only somebody with the same claim can have put it there; a zip may be other bytes of the same hash.
    if (first?.bytes && source instanceof Uint8Array && Buffer.compare(first.bytes, source) !== 0)
      throw claimMismatch(module, kind, sha256(first.bytes), sha256(source));
    return first ?? { key, size, bytes: source instanceof Uint8Array ? source : undefined };
  }
}

function factsOf(origin: Origin, { zip, goMod }: Claim, stored: StoredUnit): VersionFacts {
  return { origin, zipSize: stored.zip.size, zipHash: zip, goModHash: goMod };
}

/** Throws as `checkGoMod` and `checkZip` do; where one of the two came in before, its contradiction is another version. */
function verify(module: ModuleVersion, { mod, zip }: Unit): void {
  checkGoMod(module, mod.bytes, undefined);
  const goMod = goModOf(module, zip.facts);
  const [beside, inside] = [hashGoMod(mod.bytes), hashGoMod(goMod)];
  const contradiction = !sayTheSame(goMod, mod.bytes);
  if (mod.kept && contradiction) throw claimMismatch(module, "go.mod", beside, inside);
  if (zip.kept && contradiction) throw claimMismatch(module, "go.mod", inside, beside);
  checkZip(module, zip.facts, mod.bytes, undefined);
}
