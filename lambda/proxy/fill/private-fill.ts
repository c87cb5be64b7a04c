import { hashGoMod } from "../../golang/dirhash.ts";
import { sha256, stagedNames } from "../intake/claims.ts";
import type { Intake } from "../intake/intake.ts";
import { recordOf } from "../intake/records.ts";
import { findStoredUnit, type StoredFile, type StoredUnit } from "../intake/stored-file.ts";
import type { ReceivedZip, Unit } from "../intake/unit.ts";
import type { ZipInspector } from "../intake/zip-inspector.ts";
import type { Claim } from "../store/claim-store.ts";
import type { Clock } from "../store/clock.ts";
import { type FileKind, fileKey, type ModuleVersion, stagedKey } from "../store/layout.ts";
import type { Leases } from "../store/leases.ts";
import type { LogRecord } from "../store/log-store.ts";
import { missingUnit } from "../store/missing-names.ts";
import type { ModuleStore } from "../store/module-store.ts";
import type { NotFoundMemory } from "../store/not-found-memory.ts";
import { publishedOrigin } from "../store/published-origin.ts";
import { ServedError } from "../store/served-error.ts";
import { SingleFlight } from "../store/single-flight.ts";
import type { TemporaryFiles } from "../store/temporary-files.ts";
import type { Origin } from "../store/version-facts.ts";
import type { Downloads } from "./downloads.ts";

export interface PrivateFillParts {
  readonly store: ModuleStore;
  readonly leases: Leases;
  readonly intake: Intake;
  readonly downloads: Downloads;
  readonly inspector: ZipInspector;
  readonly temporaryFiles: TemporaryFiles;
  readonly missing: NotFoundMemory;
  readonly clock: Pick<Clock, "now">;
  readonly budget: number;
}

/**
 * Private versions, each as one unit under one lease: whatever was asked, info, mod and zip are obtained together.
 *
 * What is stored is not obtained again; what a process that died had staged for the standing claim is next; the upstream
 * is asked for the rest.
 */
export class PrivateFill {
  readonly #parts: PrivateFillParts;
  readonly #flights = new SingleFlight<StoredUnit>();

  constructor(parts: PrivateFillParts) {
    this.#parts = parts;
  }

  /** A file that was not stored a moment ago, with the others of its version. */
  async file(kind: FileKind, module: ModuleVersion, waitUntil: number): Promise<StoredFile> {
    const unit = await this.#flights.run(`${module.path}@${module.version}`, () => this.#unit(module, waitUntil));
    return unit[kind];
  }

  /** Logs the version, whether its files are stored or have to be obtained. */
  async record(module: ModuleVersion, waitUntil: number): Promise<void> {
    await this.file("zip", module, waitUntil);
  }

  async known(module: ModuleVersion): Promise<LogRecord | undefined> {
    const claim = await this.#parts.intake.privately.claim(module);
    return claim && recordOf(module, claim);
  }

  async logByFiles(module: ModuleVersion): Promise<boolean> {
    if ((await findStoredUnit(this.#parts.store, module)) === undefined) return false;
    await this.record(module, Number.POSITIVE_INFINITY);
    return true;
  }

  /** Makes a version visible whose three files are stored and match a claim; any other is not whole yet. */
  async reveal(_kind: FileKind, module: ModuleVersion): Promise<void> {
    const { store, intake } = this.#parts;
    const found = await findStoredUnit(store, module);
    if (found !== undefined) await intake.privately.adopt(module, found, await this.#originOf(module));
  }

  async #unit(module: ModuleVersion, waitUntil: number): Promise<StoredUnit> {
    const { leases, missing, store, clock, budget } = this.#parts;
    await missing.refuse(module.path, missingUnit(module));
    return leases.run(unitLease(module), {
      look: () => findStoredUnit(store, module),
      work: () => this.#enter(module),
      adopt: (found) => this.adopt(module, found),
      deadline: Math.min(clock.now() + budget, waitUntil),
    });
  }

  /** Completes a version whose three files are stored, under its lease. */
  async adopt(module: ModuleVersion, found: StoredUnit): Promise<StoredUnit> {
    const isClaimed = await this.#parts.intake.privately.adopt(module, found, await this.#originOf(module));
    return isClaimed ? found : this.#enter(module);
  }

  /** Where a version with a claim came from. */
  async #originOf(module: ModuleVersion): Promise<Origin> {
    return (await publishedOrigin(this.#parts.store, module)) ?? "upstream";
  }

  async #enter(module: ModuleVersion): Promise<StoredUnit> {
    const { temporaryFiles, intake, missing } = this.#parts;
    const file = temporaryFiles.next();
    try {
      const claim = intake.privately.claim(module);
      const unit = await this.#obtain(module, file, claim);
      return await intake.privately.enter(module, unit, (await claim) ? await this.#originOf(module) : "upstream");
    } catch (error) {
      await missing.remember(module.path, missingUnit(module), error);
      throw error;
    } finally {
      await temporaryFiles.remove(file);
    }
  }

  async #obtain(module: ModuleVersion, file: string, claim: Claimed): Promise<Unit> {
    const [info, mod, zip] = await outagesFirst(
      this.#small("info", module, claim),
      this.#small("mod", module, claim),
      this.#zip(module, file, claim),
    );
    return { info, mod, zip };
  }

  async #small(kind: "info" | "mod", module: ModuleVersion, claimed: Claimed): Promise<Unit["info"]> {
    const { store, downloads } = this.#parts;
    const [claim, kept] = await Promise.all([claimed, store.read(fileKey(module, kind))]);
    if (kept !== undefined) return { bytes: kept, kept: true };
    const staged = claim && (await store.read(stagedKey(stagedNames(claim)[kind])));
    if (claim && staged && isClaimed(kind, staged, claim)) return { bytes: staged, kept: false };
    return { bytes: await downloads.small(kind, module), kept: false };
  }

  async #zip(module: ModuleVersion, path: string, claimed: Claimed): Promise<Unit["zip"]> {
    const { store, inspector, downloads } = this.#parts;
    const [claim, size] = await Promise.all([claimed, store.copy(fileKey(module, "zip"), path)]);
    if (size !== undefined) return { path, size, facts: await inspector.inspect(module, path), kept: true };
    const staged = claim && (await this.#stagedZip(module, path, claim));
    return { ...(staged ?? (await downloads.zip(module, path))), kept: false };
  }

  async #stagedZip(module: ModuleVersion, path: string, claim: Claim): Promise<ReceivedZip | undefined> {
    const { store, inspector } = this.#parts;
    const size = await store.copy(stagedKey(stagedNames(claim).zip), path);
    if (size === undefined) return undefined;
    const facts = await inspector.inspect(module, path).catch(() => undefined);
    return facts?.hash === claim.zip ? { path, size, facts } : undefined;
  }
}

/** The lease under which a private version comes in, whoever brings it. */
export function unitLease({ path, version }: ModuleVersion): string {
  return `${path}@${version} unit`;
}

/** The claim that stands, on its way while the store is asked. */
type Claimed = Promise<Claim | undefined>;

function isClaimed(kind: "info" | "mod", bytes: Uint8Array, claim: Claim): boolean {
  return kind === "info" ? sha256(bytes) === claim.info : hashGoMod(bytes) === claim.goMod;
}

/**
 * Like `Promise.all`, but waits for every promise, and fails with an outage rather than with a "not-found": of a version
 * whose parts are not all to be had it is not known that it does not exist.
 */
async function outagesFirst<T extends readonly unknown[]>(
  ...work: { readonly [K in keyof T]: Promise<T[K]> }
): Promise<T> {
  const results = await Promise.allSettled(work);
  const reasons = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
  if (reasons.length > 0) throw reasons.find((reason) => !isNotFound(reason)) ?? reasons[0];
  return results.map((result) => (result as PromiseFulfilledResult<unknown>).value) as unknown as T;
}

function isNotFound(error: unknown): boolean {
  return error instanceof ServedError && error.code === "not-found";
}
