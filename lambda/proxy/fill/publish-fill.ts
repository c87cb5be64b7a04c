import { hashGoMod } from "../../golang/dirhash.ts";
import { modulePath } from "../../golang/modfile.ts";
import { isPseudoVersion } from "../../golang/pseudo.ts";
import { build } from "../../golang/semver.ts";
import type { Intake } from "../intake/intake.ts";
import { findStoredUnit } from "../intake/stored-file.ts";
import type { ReceivedZip } from "../intake/unit.ts";
import type { ZipInspector } from "../intake/zip-inspector.ts";
import { formatInfo } from "../sources/version-info.ts";
import type { Claim } from "../store/claim-store.ts";
import type { Clock } from "../store/clock.ts";
import type { PublicationReport, Published, Yanked } from "../store/fill-plane.ts";
import { type ModuleVersion, policies, publishedKey, uploadKey } from "../store/layout.ts";
import type { Leases } from "../store/leases.ts";
import type { ModuleStore } from "../store/module-store.ts";
import { isVersionOf } from "../store/module-version.ts";
import { ServedError } from "../store/served-error.ts";
import type { TemporaryFiles } from "../store/temporary-files.ts";
import type { VersionIndex } from "../store/version-index.ts";
import type { FileFill } from "./file-fill.ts";
import { unitLease } from "./private-fill.ts";
import { type PublicationRule, publicationFault } from "./publication-rules.ts";

export interface PublishFillParts {
  readonly store: ModuleStore;
  readonly index: VersionIndex;
  /** That index, and as channels with upstreams of their own see it: each remembers its own lists. */
  readonly indices: readonly VersionIndex[];
  readonly leases: Leases;
  readonly intake: Intake;
  readonly files: Pick<FileFill, "adoptUnit">;
  readonly inspector: ZipInspector;
  readonly temporaryFiles: TemporaryFiles;
  readonly clock: Clock;
  readonly rules: readonly PublicationRule[];
  readonly isPrivate: (module: string) => boolean;
  /** Milliseconds. */
  readonly budget: number;
}

type Sums = Pick<Claim, "zip" | "goMod">;

/** Uploaded, and by the rules of zips and of publishing a version. */
interface Candidate {
  readonly zip: ReceivedZip;
  readonly goMod: Uint8Array;
  readonly sums: Sums;
  readonly report: PublicationReport;
}

/**
 * Versions that somebody publishes: each comes in through intake under the lease under which it would be fetched, so that of
 * all who bring the same version at the same moment one is first, and the others are told whether theirs is the same.
 *
 * Its `.info` is made before anything else of it and kept for ever, so that whoever goes on with a publication that broke off
 * says the same. Nothing of an upload outlives what was refused.
 */
export class PublishFill {
  readonly #parts: PublishFillParts;

  constructor(parts: PublishFillParts) {
    this.#parts = parts;
  }

  /**
   * Makes what was uploaded the version. Throws `ServedError` "publish-refused" with the reason, and what intake throws;
   * "fill-timeout" where another one that brings the version is not done by `waitUntil` (milliseconds since the epoch).
   */
  async publish(
    module: ModuleVersion,
    upload: string,
    { report, waitUntil }: { readonly report: PublicationReport; readonly waitUntil: number },
  ): Promise<Published> {
    checkNumber(module);
    if (!this.#parts.isPrivate(module.path))
      throw refused(`${module.path} is not private: what is published must lie inside private of the configuration`);
    const file = this.#parts.temporaryFiles.next();
    try {
      const candidate = { ...(await this.#receive(module, upload, file)), report };
      return await this.#inTurn(module, waitUntil, () => this.#settle(module, candidate));
    } finally {
      await this.#parts.temporaryFiles.remove(file);
    }
  }

  /** Hides a version, or shows it again. Only lists and what is chosen from them change: files and the log do not. */
  async yank({ path, version }: ModuleVersion, on: boolean): Promise<Yanked> {
    const found = await this.#parts.index.setFlag(path, version, "yanked", on);
    if (found) await this.#expireLists(path);
    return { found };
  }

  /** Its own copy is what is looked at, and what comes in: whoever uploaded it can still write to the other. */
  async #receive(module: ModuleVersion, upload: string, file: string): Promise<Omit<Candidate, "report">> {
    const { store, inspector } = this.#parts;
    inspector.prepare();
    const size = await store.copy(uploadKey(upload), file);
    if (size === undefined) throw refused("the upload is not there, or not any more: begin again");
    const facts = await inspector.inspect(module, file).catch((error: unknown) => {
      throw error instanceof ServedError && error.code === "invalid-module" ? refused(oneLine(error.message)) : error;
    });
    const { goMod } = facts;
    if (goMod === undefined) throw refused("its zip has no go.mod in the module's root");
    const named = modulePath(goMod);
    if (named !== module.path)
      throw refused(`its go.mod is that of ${named === "" ? "no module" : JSON.stringify(named)}, not ${module.path}`);
    return { zip: { path: file, size, facts }, goMod, sums: { zip: facts.hash, goMod: hashGoMod(goMod) } };
  }

  /** What another holder failed with is theirs: it may have been a fetch of what nobody has. */
  async #inTurn(module: ModuleVersion, waitUntil: number, work: () => Promise<Published>): Promise<Published> {
    const { leases, clock, budget } = this.#parts;
    const deadline = Math.min(clock.now() + budget, waitUntil);
    for (;;) {
      let isOurs = false;
      const leased = {
        look: async (): Promise<Published | undefined> => undefined,
        work: () => {
          isOurs = true;
          return work();
        },
        adopt: async (found: Published) => found,
        deadline,
      };
      try {
        return await leases.run(unitLease(module), leased);
      } catch (error) {
        if (isOurs || clock.now() > deadline) throw error;
      }
    }
  }

  async #settle(module: ModuleVersion, candidate: Candidate): Promise<Published> {
    const { store, index, intake, files, rules } = this.#parts;
    const found = await findStoredUnit(store, module);
    if (found !== undefined) await files.adoptUnit(module, found);
    const claim = await intake.privately.claim(module);
    if (claim !== undefined && !isSame(claim, candidate.sums)) return conflict(candidate.sums, claim);
    if (found !== undefined) return outcome("same", candidate.sums);
    const { versions } = await index.module(module.path);
    // What broke off was allowed when it began.
    const fault = claim === undefined && publicationFault(rules, module, versions, candidate.report);
    if (fault) throw refused(fault);
    await this.#enter(module, candidate);
    return outcome("new", candidate.sums);
  }

  async #enter(module: ModuleVersion, { zip, goMod }: Candidate): Promise<void> {
    const { intake } = this.#parts;
    await intake.judge(module);
    const info = await this.#info(module);
    const unit = {
      info: { bytes: info, kept: false },
      mod: { bytes: goMod, kept: false },
      zip: { ...zip, kept: false },
    };
    await intake.privately.enter(module, unit, "published");
    await this.#expireLists(module.path);
  }

  /** Has list and latest of a module made anew by who asks next; what they said is kept for when nobody can be asked. */
  async #expireLists(path: string): Promise<void> {
    const now = this.#parts.clock.now();
    for (const index of this.#parts.indices) {
      const entry = await index.module(path);
      for (const name of ["list", "latest"] as const) {
        const memory = entry[name];
        if (memory !== undefined && memory.freshUntil > now)
          await index.remember(path, name, { ...memory, freshUntil: now });
      }
    }
  }

  /** The `.info` of the first who tried. */
  async #info(module: ModuleVersion): Promise<Uint8Array> {
    const { store, clock } = this.#parts;
    const time = `${new Date(clock.now()).toISOString().slice(0, 19)}Z`;
    const bytes = formatInfo({ version: module.version, time, origin: undefined });
    const isFirst = await store.create(publishedKey(module), bytes, policies.internal);
    return isFirst ? bytes : ((await store.read(publishedKey(module))) ?? bytes);
  }
}

function checkNumber({ path, version }: ModuleVersion): void {
  if (!isVersionOf(path, version)) throw refused(`${version} is no canonical version that ${path} can have`);
  if (isPseudoVersion(version)) throw refused(`${version} is a pseudo-version: those stand for commits without a tag`);
  if (build(version) !== "") throw refused(`${version}: a module with a go.mod has no such version (+incompatible)`);
}

function isSame(one: Sums, other: Sums): boolean {
  return one.zip === other.zip && one.goMod === other.goMod;
}

function outcome(kind: "new" | "same", { zip, goMod }: Sums): Published {
  return { outcome: kind, sum: zip, goModSum: goMod };
}

function conflict({ zip, goMod }: Sums, there: Sums): Published {
  return { outcome: "conflict", sum: zip, goModSum: goMod, stored: { sum: there.zip, goModSum: there.goMod } };
}

/** The first of the faults of a zip, and how many more it has. */
function oneLine(faults: string): string {
  const [first = "", ...others] = faults.split("\n");
  return others.length === 0 ? first : `${first} (and ${others.length} more)`;
}

function refused(reason: string): ServedError {
  return new ServedError("publish-refused", reason);
}
