import type { StatementSync } from "node:sqlite";
import type { Claim, ClaimStore } from "../../proxy/store/claim-store.ts";
import type { ModuleVersion } from "../../proxy/store/layout.ts";
import { type Failpoint, noFailpoint } from "./failpoints.ts";
import type { IndexDatabase } from "./index-database.ts";
import { attempt } from "./storage-failure.ts";

/** The statements of the claims. None changes a row that is there. */
export const claimStatements = {
  claim: `
    INSERT INTO claim (module, version, zip, go_mod, info) VALUES (:path, :version, :zip, :goMod, :info)
    ON CONFLICT DO NOTHING`,
  read: "SELECT zip, go_mod, info FROM claim WHERE module = ? AND version = ?",
} as const;

/** Claims in SQLite, on the connection that waits for the disk. */
export class SqliteClaimStore implements ClaimStore {
  readonly #statements: Readonly<Record<keyof typeof claimStatements, StatementSync>>;
  readonly #failpoint: Failpoint;

  constructor({ durable }: IndexDatabase, failpoint: Failpoint = noFailpoint) {
    this.#failpoint = failpoint;
    this.#statements = { claim: durable.prepare(claimStatements.claim), read: durable.prepare(claimStatements.read) };
  }

  async claim({ path, version }: ModuleVersion, { zip, goMod, info }: Claim): Promise<Claim> {
    this.#failpoint("claim.claim.before");
    const { changes } = attempt(() => this.#statements.claim.run({ path, version, zip, goMod, info }));
    this.#failpoint("claim.claim.after");
    return (changes === 0 ? this.#standing(path, version) : undefined) ?? { zip, goMod, info };
  }

  async read({ path, version }: ModuleVersion): Promise<Claim | undefined> {
    return this.#standing(path, version);
  }

  #standing(path: string, version: string): Claim | undefined {
    const [row] = attempt(() => this.#statements.read.all(path, version) as unknown as Row[]);
    return row && { zip: row.zip, goMod: row.go_mod, info: row.info };
  }
}

interface Row {
  readonly zip: string;
  readonly go_mod: string;
  readonly info: string;
}
