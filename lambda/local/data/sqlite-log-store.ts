import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ModuleVersion } from "../../proxy/store/layout.ts";
import type {
  CommitOutcome,
  LogCommit,
  LogHead,
  LogPlace,
  LogRow,
  LogStore,
  RecordProof,
} from "../../proxy/store/log-store.ts";
import { ServedError } from "../../proxy/store/served-error.ts";
import { type Failpoint, noFailpoint } from "./failpoints.ts";
import type { IndexDatabase } from "./index-database.ts";
import { transact } from "./sqlite-schema.ts";
import { attempt } from "./storage-failure.ts";

/** The statements of the log. None changes a row that is there but the head's. */
export const logStatements = {
  head: "SELECT epoch, role, mode, size, root FROM log_head WHERE id = 1",
  replaceHead: `
    INSERT INTO log_head (id, epoch, role, mode, size, root) VALUES (1, :epoch, :role, :mode, :size, :root)
    ON CONFLICT DO UPDATE SET
      epoch = excluded.epoch, role = excluded.role, mode = excluded.mode, size = excluded.size, root = excluded.root`,
  number: "SELECT number FROM log_number WHERE module = ? AND version = ?",
  addNumber: "INSERT INTO log_number (module, version, number) VALUES (:path, :version, :number)",
  row: "SELECT number, hashes, text, proof_number, proof_head FROM log_row WHERE level = ? AND number = ?",
  range: `
    SELECT number, hashes, text, proof_number, proof_head FROM log_row
    WHERE level = ? AND number >= ? AND number < ?`,
  addRow: `
    INSERT INTO log_row (level, number, hashes, text, proof_number, proof_head)
    VALUES (:level, :number, :hashes, :text, :proofNumber, :proofHead)`,
  counted: "SELECT count AS number FROM log_numbers WHERE id = 1",
  removePending: "DELETE FROM log_pending WHERE module = ? AND version = ?",
} as const;

/** The log's rows in SQLite, on the connection that waits for the disk. */
export class SqliteLogStore implements LogStore {
  readonly #statements: Readonly<Record<keyof typeof logStatements, StatementSync>>;
  readonly #database: DatabaseSync;
  readonly #failpoint: Failpoint;
  readonly #checkPlace: IndexDatabase["checkPlace"];

  constructor({ durable, checkPlace }: IndexDatabase, failpoint: Failpoint = noFailpoint) {
    this.#checkPlace = checkPlace;
    this.#database = durable;
    this.#failpoint = failpoint;
    const prepared = Object.entries(logStatements).map(([name, statement]) => [name, durable.prepare(statement)]);
    this.#statements = Object.fromEntries(prepared);
  }

  async head(): Promise<LogHead | undefined> {
    return attempt(() => this.#head());
  }

  async commit(commit: LogCommit): Promise<CommitOutcome> {
    this.#failpoint("log.commit.before");
    this.#checkPlace();
    const outcome = attempt(() => transact(this.#database, () => this.#write(commit)));
    this.#failpoint("log.commit.after");
    return outcome;
  }

  async numbers(modules: readonly ModuleVersion[]): Promise<readonly (bigint | undefined)[]> {
    return attempt(() => modules.map((module) => this.#number(module)));
  }

  async rows(places: readonly LogPlace[]): Promise<readonly (LogRow | undefined)[]> {
    const { row } = this.#statements;
    return attempt(() =>
      places.map(({ level, number }) => {
        const [found] = row.all(level, number) as unknown as Row[];
        return found && parseRow(found);
      }),
    );
  }

  async range(level: number, from: bigint, to: bigint): Promise<readonly (LogRow | undefined)[]> {
    const found = attempt(() => this.#statements.range.all(level, from, to) as unknown as Row[]);
    const rows = new Array<LogRow | undefined>(Number(to - from)).fill(undefined);
    for (const row of found) rows[row.number - Number(from)] = parseRow(row);
    return rows;
  }

  #write({ before, after, rows, numbers }: LogCommit): CommitOutcome {
    const present = this.#head();
    if (present?.epoch !== before?.epoch || present?.size !== before?.size) return "outgrown";
    this.#checkUntouched(present?.size ?? 0n, rows);
    const logged = numbers.map(({ module }) => module).filter((module) => this.#number(module) !== undefined);
    if (logged.length > 0) return { logged };
    const { addRow, addNumber, removePending, replaceHead } = this.#statements;
    for (const { level, number, hashes, text, proof } of rows) {
      const proved = { proofNumber: proof?.number ?? null, proofHead: proof?.head ?? null };
      addRow.run({ level, number, hashes: Buffer.concat(hashes), text: text ?? null, ...proved });
    }
    for (const { module, number } of numbers) {
      addNumber.run({ path: module.path, version: module.version, number });
      removePending.run(module.path, module.version);
    }
    this.#failpoint("log.commit.written");
    const { epoch, role, mode, size, root } = after;
    replaceHead.run({ epoch, role, mode, size, root });
    return "committed";
  }

  /** A record without its number would enter once more, and a row would be written over. */
  #checkUntouched(size: bigint, rows: readonly LogPlace[]): void {
    const { row } = this.#statements;
    if (rows.some(({ level, number }) => row.get(level, number) !== undefined))
      throw changedByHand("it has rows that its head does not know of");
    const counted = this.#counted();
    if (counted !== size) throw changedByHand(`${size} records have ${counted} numbers`);
  }

  #counted(): bigint {
    const [row] = this.#statements.counted.all() as unknown as NumberRow[];
    return BigInt(row?.number ?? -1);
  }

  #head(): LogHead | undefined {
    const [row] = this.#statements.head.all() as unknown as HeadRow[];
    return row && { ...row, epoch: BigInt(row.epoch), size: BigInt(row.size) };
  }

  #number({ path, version }: ModuleVersion): bigint | undefined {
    const [row] = this.#statements.number.all(path, version) as unknown as NumberRow[];
    return row && BigInt(row.number);
  }
}

function changedByHand(what: string): ServedError {
  return new ServedError(
    "log-damaged",
    `SECURITY ERROR: somebody changed the log in index.sqlite by hand, for ${what}: nothing is appended to it until ` +
      "modfront is started again, or `modfront reindex` is run, which bring it in line with what was signed",
  );
}

interface NumberRow {
  readonly number: number;
}

type HeadRow = Omit<LogHead, "epoch" | "size"> & { readonly epoch: number; readonly size: number };

interface Row extends ProofColumns {
  readonly number: number;
  readonly hashes: Uint8Array;
  readonly text: Uint8Array | null;
}

function parseRow(row: Row): LogRow {
  const hashes: Uint8Array[] = [];
  for (let at = 0; at < row.hashes.length; at += 32) hashes.push(row.hashes.subarray(at, at + 32));
  return { hashes, text: row.text ?? undefined, proof: parseProof(row) };
}

/** How a record's proof lies in two columns. */
export interface ProofColumns {
  readonly proof_number: number | null;
  readonly proof_head: Uint8Array | null;
}

export function parseProof({ proof_number: number, proof_head: head }: ProofColumns): RecordProof | undefined {
  return number === null || head === null ? undefined : { number: BigInt(number), head };
}
