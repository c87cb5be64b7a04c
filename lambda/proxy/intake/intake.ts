import type { ClaimStore } from "../store/claim-store.ts";
import type { Clock } from "../store/clock.ts";
import type { ModuleVersion } from "../store/layout.ts";
import type { ModuleStore } from "../store/module-store.ts";
import type { VersionIndex } from "../store/version-index.ts";
import type { Gate } from "./gate.ts";
import { PrivateIntake } from "./private-intake.ts";
import { PublicIntake } from "./public-intake.ts";
import type { IntakeLog } from "./records.ts";
import { VersionRows } from "./version-rows.ts";

export interface IntakeParts {
  readonly store: ModuleStore;
  readonly index: VersionIndex;
  readonly claims: ClaimStore;
  /** Our own checksum database, where there is one. */
  readonly ownLog?: IntakeLog | undefined;
  readonly clock: Pick<Clock, "now">;
  /** What the policy lets in; absent: everything. */
  readonly gate?: Gate | undefined;
}

/**
 * The one gate: every version that is ever stored came through here, wherever its bytes were obtained.
 *
 *     public:   verify (with the checksum database's proven hashes) → judge → store → reveal; log in the background
 *     private:  verify → judge → stage → claim → log → store → reveal
 *
 * A public file comes in by itself, a zip with the small files that are stored beside it. A private version is one unit
 * of three files, and its claim, the hashes of all three, stands for ever: other bytes under the same version are
 * refused with "claim-mismatch", also after its files were removed, and with "record-mismatch" by whoever has only the
 * log. Where no checksum database speaks for a public zip, it is logged before it is stored, and so the first stands too.
 *
 * The order of writes is the design. Files are create-only, and what lies under a protocol key may be served past us at
 * once: so a private one lies there only after its claim, and after a signed head of our log that has its record. The row
 * is last: a version is visible when all is in place.
 * A process that dies leaves
 * - after a public file was stored: a file without a row. Whoever takes the lease over adopts it, as does the next
 *   start, and on AWS the event of the file.
 * - after staging: bytes that nobody serves, swept after a day.
 * - after the claim or the record: a version that only these bytes can become. Who asks next goes on with what is staged,
 *   and obtains anew what is not.
 * - after storing: files that match the claim, adopted like public ones.
 *
 * Invariants: a file under a private protocol key ⇒ a claim and a signed record of its hash (but for those stored before
 * there were claims and a log, which the next start claims and logs); a row of a private version ⇒ its three files and
 * its record. Records without files are legal: what they say stays true.
 *
 * Throws `ServedError` "checksum-mismatch", "claim-mismatch", "record-mismatch", "invalid-module", "policy-refused",
 * "upstream-failed", "store-failed", and what an append throws ("log-unsigned" …).
 */
export class Intake {
  readonly publicly: PublicIntake;
  readonly privately: PrivateIntake;

  readonly #gate: Gate | undefined;

  constructor({ store, index, claims, ownLog, clock, gate }: IntakeParts) {
    const rows = new VersionRows(index, clock);
    this.#gate = gate;
    this.publicly = new PublicIntake({ store, rows, ownLog, gate });
    this.privately = new PrivateIntake({ store, claims, rows, ownLog, gate });
  }

  /** Throws what the gate throws: for whoever would ask somebody for what may not come in. */
  async judge(module: ModuleVersion): Promise<void> {
    await this.#gate?.check(module);
  }
}
